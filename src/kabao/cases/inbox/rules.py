"""Where a list goes on, written into an address and read from one. Pure."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from kabao.cases.inbox.model import Cursor

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_CURSOR: Final = re.compile(r"(\d{1,16}|never)-(\d{1,19})")


def write_cursor(cursor: Cursor) -> str:
    """Write a place in a list: microseconds since 1970 or never, then the case's number."""
    due = "never" if cursor.due_at is None else str((cursor.due_at - _EPOCH) // timedelta(microseconds=1))
    return f"{due}-{cursor.case_id}"


def read_cursor(text: str) -> Cursor | None:
    """Read a place in a list; None where the text is none, so that the list begins anew."""
    found = _CURSOR.fullmatch(text) if text.isascii() else None
    if found is None or int(found[2]) >= 2**63:
        return None
    due_at = None if found[1] == "never" else _EPOCH + timedelta(microseconds=int(found[1]))
    return Cursor(due_at, int(found[2]))
