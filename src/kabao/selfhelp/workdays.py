"""China's working days, with its moved weekends, and how far ahead they are known.

The days off are published for one year at a time, late in the year before. A later year is reckoned by the law's own
holidays without moved weekends, and whoever reads such a day is told so.
"""

from datetime import date, timedelta
from functools import cache
from typing import Final

from holidays.countries.china import China, ChinaStaticHolidays

_DAY: Final = timedelta(days=1)
PUBLISHED_TO: Final = max(ChinaStaticHolidays.special_public_holidays)
"""The last year whose days off are known as they were published."""


@cache
def _days() -> China:
    return China()  # type: ignore[no-untyped-call]  # the library leaves its constructor untyped


def is_working_day(day: date) -> bool:
    """Whether offices work: a weekday that is no holiday, or a weekend day that was moved to work."""
    return bool(_days().is_working_day(day))


def working_days_after(day: date, count: int) -> date:
    """Return the day on which a time of that many working days ends; the first day is not counted."""
    while count:
        day += _DAY
        count -= is_working_day(day)
    return day


def end_on_working_day(day: date) -> date:
    """Move the end of a time that falls on a day off to the next working day."""
    while not is_working_day(day):
        day += _DAY
    return day


def is_published(day: date) -> bool:
    """Whether the days off of that year were published when this version was made."""
    return day.year <= PUBLISHED_TO
