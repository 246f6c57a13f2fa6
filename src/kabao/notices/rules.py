"""What a notice may say and link to, which letters go out, and when again, without I/O."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from kabao.notices.model import Attachment, Topic

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
    if kind.startswith("case"):
        return Topic.CASES
    return Topic.RECEIPTS if kind.startswith("receipt") else Topic.ORDERS


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
