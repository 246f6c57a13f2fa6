"""What a notice may say and link to, which letters go out, and when again, without I/O."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from kabao.notices.model import Attachment, QuietHours, Topic

MAX_SUBJECT: Final = 200
MAX_LINK: Final = 300
INBOX_LINES: Final = 50
UNREAD_SHOWN: Final = 100

MAX_BODY_BYTES: Final = 64 * 1024
MAX_ATTACHED_BYTES: Final = 256 * 1024
MAX_ATTACHMENTS: Final = 20
EMPTIED_AFTER: Final = timedelta(days=7)
GIVEN_UP_AFTER: Final = timedelta(days=3)
"""A letter this old tells nobody anything in time; the notice on the site stays."""
BACKOFF: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 360))
"""Waits after the first, second, … failure; the last repeats."""

ADDRESS_FAILED: Final = "address_failed"
"""The kind of notice that tells of an address that does not work; it never goes by mail."""

ZONES: Final = (
    "Asia/Shanghai",
    "Asia/Urumqi",
    "Asia/Tokyo",
    "Asia/Singapore",
    "Australia/Sydney",
    "Europe/London",
    "Europe/Berlin",
    "America/New_York",
    "America/Los_Angeles",
)
"""Zones that quiet hours may be told in; the first is taken where none is named."""
DAY_MINUTES: Final = 24 * 60
QUIET_AT_MOST: Final = 12 * 60
"""Minutes: every answer a case asks for has at least twice as long, but for a question."""
LEFT_AT_LEAST: Final = timedelta(hours=3)
"""A letter that has to be read by a certain time is not held where less than this would be left of it."""
NEVER_HELD: Final = frozenset({"case_asked"})
"""Kinds that cannot wait for the morning: a question stops a clock for 12 hours at most."""

_TOPIC_OF: Final = (
    ("case", Topic.CASES),
    ("receipt", Topic.RECEIPTS),
    ("due", Topic.REMINDERS),
    ("digest", Topic.DIGEST),
)
_ATTACHMENT_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


class Failure(StrEnum):
    """Why a letter was not taken."""

    SERVER = "server"
    """The mail server is away, busy, or does not let us in: no letter would get through."""
    LATER = "later"
    """The server took us but not this letter now."""
    MESSAGE = "message"
    """The server never takes this letter."""
    ADDRESS = "address"
    """The server never takes letters to this address."""


def fit_subject(subject: str) -> str:
    """Put a subject on one line of at most 200 characters; told notices are cut, never lost."""
    line = "".join(letter for letter in " ".join(subject.split()) if letter.isprintable())
    return line if len(line) <= MAX_SUBJECT else line[: MAX_SUBJECT - 1] + "…"


def is_own_path(link: str) -> bool:
    """Tell whether a link stays on this site."""
    if len(link) > MAX_LINK or not link.isprintable() or "\\" in link:
        return False
    return link.startswith("/") and not link.startswith("//")


def topic_of(kind: str) -> Topic | None:
    """Say which choice a kind of notice falls under; None for one that only stands on the site."""
    if kind == ADDRESS_FAILED:
        return None
    for start, topic in _TOPIC_OF:
        if kind.startswith(start):
            return topic
    return Topic.ORDERS


def clean_body(text: str) -> str:
    """Take from a letter's text what no mail should hold: control characters, and lone surrogates."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join("".join(letter for letter in line if letter.isprintable() or letter == "\t") for line in lines)


def letter_fault(text: str, attachments: Sequence[Attachment]) -> str | None:
    """Say what is wrong with a letter: its length, its attachments' names, number or size; None where nothing is."""
    if len(text.encode()) > MAX_BODY_BYTES:
        return "the text is longer than 64 KiB"
    if len(attachments) > MAX_ATTACHMENTS:
        return f"there are more than {MAX_ATTACHMENTS} attachments"
    if any(_ATTACHMENT_NAME.fullmatch(attached.name) is None for attached in attachments):
        return "an attachment's name is not 1 to 80 of A-Za-z0-9._-"
    if sum(len(attached.content) for attached in attachments) > MAX_ATTACHED_BYTES:
        return "the attachments are larger than 256 KiB together"
    return None


def next_try(failure: Failure, *, attempt: int, made_at: datetime, now: datetime) -> timedelta | None:
    """Say how long a letter waits after a failure; None where it is given up."""
    if failure in (Failure.ADDRESS, Failure.MESSAGE) or now - made_at >= GIVEN_UP_AFTER:
        return None
    return BACKOFF[min(attempt, len(BACKOFF)) - 1]


def quiet_fault(hours: QuietHours) -> str | None:
    """Say which field of quiet hours is wrong, "zone", "from" or "to"; None where nothing is."""
    if hours.zone not in ZONES:
        return "zone"
    if not 0 <= hours.from_minute < DAY_MINUTES:
        return "from"
    is_within = 0 <= hours.to_minute < DAY_MINUTES
    return None if is_within and 0 < (hours.to_minute - hours.from_minute) % DAY_MINUTES <= QUIET_AT_MOST else "to"


def quiet_end(hours: QuietHours, now: datetime) -> datetime | None:
    """Say when the quiet hours end that an instant lies in; None outside them."""
    local = now.astimezone(ZoneInfo(hours.zone))
    minute = local.hour * 60 + local.minute
    length = (hours.to_minute - hours.from_minute) % DAY_MINUTES
    since = (minute - hours.from_minute) % DAY_MINUTES
    if since >= length:
        return None
    days = 1 if minute >= hours.from_minute > hours.to_minute else 0
    # By the clock on the wall, so that the night on which it is put forward or back ends in the morning too.
    end = local.replace(hour=hours.to_minute // 60, minute=hours.to_minute % 60, second=0, microsecond=0, fold=0)
    return (end + timedelta(days=days)).astimezone(UTC)


def held_until(hours: QuietHours | None, kind: str, by: datetime | None, now: datetime) -> datetime | None:
    """Say until when a letter is held; None where it goes out at once, as it does where `by` would be missed."""
    end = None if hours is None or kind in NEVER_HELD else quiet_end(hours, now)
    return None if end is None or (by is not None and end > by - LEFT_AT_LEAST) else end
