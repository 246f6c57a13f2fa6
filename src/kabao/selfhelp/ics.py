"""The days of a case as a calendar file (RFC 5545) with alarms; the same day has the same identity each time."""

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from icalendar import Alarm, Calendar, Event, vDuration

from kabao.selfhelp.calendar import SOURCE_LABELS
from kabao.selfhelp.model import Language, Story
from kabao.selfhelp.results import Deadline

SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
_WHOLE_DAY: Final = (timedelta(days=-3, hours=9), timedelta(days=-1, hours=9))
"""Nine in the morning, three days and one day before."""
_HOUR: Final = (timedelta(hours=-24), timedelta(hours=-2))


def ics(story: Story, days: tuple[Deadline, ...], now: datetime, language: Language) -> bytes:
    """Write the days that have not passed; `now` is when the file was made."""
    zh = language is Language.ZH
    calendar = Calendar()
    calendar.add("prodid", "-//kabao//selfhelp//ZH")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", "卡保：别错过的日子" if zh else "kabao: days not to miss")
    calendar.add("x-wr-timezone", SHANGHAI.key)
    for day in days:
        if day.at >= now:
            calendar.add_component(_event(story, day, now, zh=zh))
    calendar.add_missing_timezones()
    written: bytes = calendar.to_ical()
    return written


def _event(story: Story, day: Deadline, now: datetime, *, zh: bool) -> Event:
    event = Event()
    local = day.at.astimezone(SHANGHAI)
    title = day.title.zh if zh else day.title.en
    event.add("uid", f"{day.deadline_id}.{story.case_id}@selfhelp.kabao")
    event.add("dtstamp", now)
    if day.all_day:
        event.add("dtstart", local.date())
        event.add("dtend", local.date() + timedelta(days=1))
    else:
        event.add("dtstart", local)
        event.add("duration", timedelta(minutes=15))
    event.add("summary", title)
    event.add("description", _description(day, zh=zh))
    event.add("categories", [SOURCE_LABELS[day.source].zh if zh else SOURCE_LABELS[day.source].en])
    event.add("transp", "TRANSPARENT")
    for before in _WHOLE_DAY if day.all_day else _HOUR:
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", title)
        alarm.add("trigger", vDuration(before))
        event.add_component(alarm)
    return event


def _description(day: Deadline, *, zh: bool) -> str:
    source = SOURCE_LABELS[day.source]
    lines = [day.why.zh if zh else day.why.en, f"来源：{source.zh}" if zh else f"Source: {source.en}"]
    if day.cite is not None:
        lines[-1] += f"，{day.cite.name.zh}" if zh else f", {day.cite.name.en}"
    return "\n".join(lines)
