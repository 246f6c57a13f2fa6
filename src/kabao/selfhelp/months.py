"""The days that matter as pages of a calendar: the month it is, and those of the next ones in which a day falls."""

from calendar import Calendar
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from kabao.selfhelp.model import CHINA, Story
from kabao.selfhelp.results import Deadline, DueSource

MOST_MONTHS: Final = 3
AHEAD: Final = timedelta(days=92)
SOON: Final = timedelta(days=7)


class Mark(StrEnum):
    """What a day is, the weightiest of what it is."""

    SOON = "soon"
    """A time ends within a week."""
    DUE = "due"
    ADVICE = "advice"
    TODAY = "today"
    PAID = "paid"
    PAST = "past"
    PLAIN = "plain"


class Cell(NamedTuple):
    """A day of a page."""

    day: int
    mark: Mark
    is_today: bool
    due: tuple[Deadline, ...]


class Month(NamedTuple):
    """A page: its weeks from Monday on, with None for days of other months."""

    first: date
    weeks: tuple[tuple[Cell | None, ...], ...]


def months(story: Story, days: Iterable[Deadline], now: datetime) -> tuple[Month, ...]:
    """Lay out the month it is, and at most two more that have a day of the next three months."""
    today = now.astimezone(CHINA).date()
    ahead: dict[date, list[Deadline]] = {}
    for one in days:
        day = one.at.astimezone(CHINA).date()
        if today <= day <= today + AHEAD:
            ahead.setdefault(day, []).append(one)
    paid = story.payment.at.day if story.payment.at else None
    firsts = sorted({day.replace(day=1) for day in (today, *ahead)})[:MOST_MONTHS]

    def cell(day: date, first: date) -> Cell | None:
        if day.month != first.month:
            return None
        due = tuple(ahead.get(day, ()))
        return Cell(day.day, _mark(day, today, paid, due), day == today, due)

    return tuple(
        Month(
            first,
            tuple(
                tuple(cell(day, first) for day in week)
                for week in Calendar().monthdatescalendar(first.year, first.month)
            ),
        )
        for first in firsts
    )


def _mark(day: date, today: date, paid: date | None, due: tuple[Deadline, ...]) -> Mark:
    if any(one.source is not DueSource.ADVICE for one in due):
        return Mark.SOON if day - today <= SOON else Mark.DUE
    if due:
        return Mark.ADVICE
    if day == today:
        return Mark.TODAY
    if day == paid:
        return Mark.PAID
    return Mark.PAST if day < today else Mark.PLAIN
