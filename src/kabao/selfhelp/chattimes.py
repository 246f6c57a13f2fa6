"""Times as chats write them: with or without a year, by weekday, before noon and after; each bounded in what it reads.

Everything is China's time. What had to be worked out (a year, "yesterday", a day taken from the line before) is marked.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, NamedTuple

from kabao.selfhelp.model import CHINA

_WEEKDAYS: Final = "一二三四五六日"
_MONTHS: Final = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DATE: Final = (
    r"(?:(?P<y>(?:19|20)\d\d)[-/.年](?P<m>\d{1,2})[-/.月](?P<d>\d{1,2})日?"
    r"|(?P<dd>\d{1,2})\.(?P<dm>\d{1,2})\.(?P<dy>(?:20)?\d\d)"
    r"|(?P<s1>\d{1,2})/(?P<s2>\d{1,2})/(?P<sy>20\d\d)"
    r"|(?P<em>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6} (?P<ed>\d{1,2}), (?P<ey>20\d\d)(?: at)?"
    r"|(?P<ym>\d{1,2})[-/月](?P<yd>\d{1,2})日?"
    r"|(?P<rel>今天|昨天|前天|Today|Yesterday)"
    r"|(?:星期|周)(?P<wd>[一二三四五六日天]))"
)
_WEEKDAY: Final = r"(?:[ ]?(?:星期|周)[一二三四五六日天])?"
_CLOCK: Final = (
    r"(?P<part>凌晨|清晨|早上|上午|中午|下午|傍晚|晚上|[AaPp][Mm])?[ ]?"
    r"(?P<h>\d{1,2})[:：](?P<min>\d\d)(?:[:：](?P<s>\d\d))?(?:[ \u202f]?(?P<ap>[AaPp][Mm]))?"
)
WHEN: Final = rf"(?:{_DATE}{_WEEKDAY}[ T,，]{{0,3}})?{_CLOCK}"
"""A clock with or without its day; bounded, so that matching it costs the same at any place of any text."""
DAY: Final = rf"{_DATE}{_WEEKDAY}"

_NOON: Final = 12
_LATE_NOON: Final = 3
_PAGER: Final = 2000
_YESTERDAYS: Final = {"今天": 0, "Today": 0, "昨天": 1, "Yesterday": 1, "前天": 2}
_LATER: Final = frozenset({"下午", "傍晚", "晚上", "PM", "pm", "Pm", "pM"})
_EARLY: Final = frozenset({"凌晨", "清晨", "早上", "上午", "AM", "am", "Am", "aM"})


class Told(NamedTuple):
    """A moment, or none where the text does not say enough; `is_inferred` where it was worked out."""

    at: datetime | None
    is_inferred: bool


NOT_TOLD: Final = Told(None, is_inferred=True)


class Days:
    """What is known of days so far: the last one that was told, and the day on which the chat was copied."""

    def __init__(self, seen: date | None) -> None:
        self._seen = seen
        self._last: date | None = None

    def told(self, found: "re.Match[str]") -> Told | None:
        """Return the moment that a match of WHEN tells; None where there is no such time, such as 25:61."""
        clock = _clock(found)
        if clock is None:
            return None
        if not has_day(found):
            return Told(datetime.combine(self._last, clock, CHINA), is_inferred=True) if self._last else NOT_TOLD
        day = self._day(found)
        if day is None:
            return None if _is_full(found) else NOT_TOLD
        self._last = day
        return Told(datetime.combine(day, clock, CHINA), is_inferred=not _is_full(found))

    def turn(self, found: "re.Match[str]") -> bool:
        """Take the day that a match of DAY tells for what follows; False where there is no such day."""
        day = self._day(found)
        self._last = day or self._last
        return day is not None

    def take(self, at: datetime) -> None:
        """Take the day of a moment that was read in another way."""
        self._last = at.astimezone(CHINA).date()

    def _day(self, found: "re.Match[str]") -> date | None:
        given = found.groupdict()
        try:
            return _full_day(given) or self._worked_out(given)
        except (ValueError, OverflowError):
            return None

    def _worked_out(self, given: Mapping[str, str | None]) -> date | None:
        match given:
            case {"ym": str(month), "yd": str(day)}:
                return self._this_year(int(month), int(day))
            case {"rel": str(word)} if self._seen:
                return self._seen - timedelta(days=_YESTERDAYS[word])
            case {"wd": str(word)} if self._seen:
                back = (self._seen.weekday() - _WEEKDAYS.index(word.replace("天", "日"))) % 7
                return self._seen - timedelta(days=back or 7)
        return None

    def _this_year(self, month: int, day: int) -> date | None:
        """Work the year out: near the last day that was told, never after the chat was copied."""
        near = self._last or self._seen
        if near is None:
            return None
        best: date | None = None
        # A leap day is at most eight years away.
        for year in range(near.year - 8, near.year + 9):
            try:
                found = date(year, month, day)
            except ValueError:
                continue
            if self._seen and found > self._seen + timedelta(days=1):
                continue
            if best is None or abs(found - near) < abs(best - near):
                best = found
        return best


def _full_day(given: Mapping[str, str | None]) -> date | None:
    match given:
        case {"y": str(year), "m": str(month), "d": str(day)}:
            return date(int(year), int(month), int(day))
        case {"dy": str(year), "dm": str(month), "dd": str(day)}:
            return date(int(year) if len(year) > len("99") else _PAGER + int(year), int(month), int(day))
        case {"sy": str(year), "s1": str(one), "s2": str(two)}:
            # 13/5 can only be a day first; 5/6 is read as most programs that write it mean it.
            is_day_first = int(one) > len(_MONTHS)
            return date(int(year), int(two) if is_day_first else int(one), int(one) if is_day_first else int(two))
        case {"ey": str(year), "em": str(name), "ed": str(day)}:
            return date(int(year), _MONTHS.index(name.lower()) + 1, int(day))
    return None


def has_day(found: "re.Match[str]") -> bool:
    """Whether a match of WHEN names a day, in whatever way."""
    given = found.groupdict()
    return any(given[name] for name in ("y", "dy", "sy", "ey", "ym", "rel", "wd"))


def _is_full(found: "re.Match[str]") -> bool:
    given = found.groupdict()
    if given["sy"]:
        return max(int(given["s1"]), int(given["s2"])) > len(_MONTHS)
    return any(given[name] for name in ("y", "dy", "ey"))


def has_seconds(found: "re.Match[str]") -> bool:
    """Whether a match of WHEN is to the second, as programs write it and people do not."""
    return found.group("s") is not None


def is_dated(found: "re.Match[str]") -> bool:
    """Whether a match of WHEN has a day in figures."""
    given = found.groupdict()
    return any(given[name] for name in ("y", "dy", "sy", "ey", "ym"))


def _clock(found: "re.Match[str]") -> time | None:
    hour, minute, second = int(found["h"]), int(found["min"]), int(found["s"] or 0)
    part = found["part"] or found["ap"] or ""
    if (part in _LATER and hour < _NOON) or (part == "中午" and hour < _LATE_NOON):
        hour += _NOON
    elif hour == _NOON and (part in _EARLY or part == "晚上"):
        hour = 0
    try:
        return time(hour, minute, second)
    except ValueError:
        return None


def of_unix(seconds: str) -> datetime | None:
    """Read seconds since 1970, as exports write them; None for what cannot be a moment of a chat."""
    if not seconds.isascii() or not seconds.isdigit() or len(seconds) > len("9999999999"):
        return None
    return datetime.fromtimestamp(int(seconds), UTC).astimezone(CHINA)


_SECONDS_PART = re.compile(r"(?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)[T ](?P<h>\d\d):(?P<min>\d\d):(?P<s>\d\d)")


def of_iso(text: str) -> datetime | None:
    """Read a local moment as exports write it; None where it is none."""
    found = _SECONDS_PART.match(text)
    try:
        return datetime(*(int(part) for part in found.groups()), tzinfo=CHINA) if found else None  # type: ignore[misc,arg-type]
    except ValueError:
        return None
