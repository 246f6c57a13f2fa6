"""Values of the stock of card keys: counts, imports and their reports. No value here ever holds a key's text."""

from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

MAX_KEY_CHARS: Final = 500
MAX_IMPORT_BYTES: Final = 256 * 1024 * 1024
MAX_BAD_LINES_KEPT: Final = 1_000
MAX_FILE_NAME_CHARS: Final = 120


class ImportState(StrEnum):
    """How an import stands: the words of the column key_import.state."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class BadLine(msgspec.Struct, frozen=True, array_like=True):
    """A line that was not taken: its number, counted from 1, and why; never its text."""

    line_no: int
    why: str


class ImportReport(msgspec.Struct, frozen=True, kw_only=True):
    """What an import has done so far, or did.

    `lines` counts every line read, empty ones included. `added + duplicates + bad` is what was found on them.
    `bad` is exact, `bad_lines` keeps the first 1,000. `failure` says in Chinese how far a failed import came; what was
    added stays, so the same file may be imported again.
    """

    ref: str
    import_id: int
    shop_id: int
    listing_id: int
    file_name: str
    state: ImportState
    bytes_total: int
    bytes_done: int
    lines: int
    added: int
    duplicates: int
    bad: int
    bad_lines: list[BadLine]
    failure: str | None
    created_at: datetime
    finished_at: datetime | None


class ImportProgress(msgspec.Struct, frozen=True, kw_only=True):
    """Given to on_progress after each stored batch; `bytes_total` is 0 where it is not known."""

    import_id: int
    bytes_done: int
    bytes_total: int
    lines: int
    added: int
    duplicates: int
    bad: int


class StockCounts(msgspec.Struct, frozen=True, kw_only=True):
    """A listing's keys by state."""

    available: int = 0
    reserved: int = 0
    sealed: int = 0
    opened: int = 0
    replaced: int = 0
    withdrawn: int = 0

    @property
    def total(self) -> int:
        """All keys ever imported."""
        return self.available + self.reserved + self.sealed + self.opened + self.replaced + self.withdrawn


class KekRotation(msgspec.Struct, frozen=True, kw_only=True):
    """What a rotation of the key file did: the new key's id, data keys wrapped anew, old key files removed."""

    kek_id: str
    rewrapped: int
    removed: int
