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


class UsedColumn(msgspec.Struct, frozen=True, array_like=True):
    """A column that keys are read from: its number, counted from 1, and the known word it goes by ("" without one)."""

    column_no: int
    label: str


class ImportReport(msgspec.Struct, frozen=True, kw_only=True):
    """What an import has done so far, or did.

    Every line read is one of five: `lines = header_lines + blank + added + duplicates + bad`. Of the duplicates,
    `repeated` came twice in this file, `in_stock` the shop had before. `columns` is empty where lines were taken whole;
    `unused_columns` had a header and were left out. `withdrawn` of the added keys were taken back since.
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
    header_lines: int
    columns: list[UsedColumn]
    unused_columns: int
    blank: int
    added: int
    duplicates: int
    repeated: int
    in_stock: int
    bad: int
    bad_lines: list[BadLine]
    withdrawn: int
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


class FoundKey(msgspec.Struct, frozen=True, kw_only=True):
    """Where a key that its merchant asked for by its text stands; the text itself is not here.

    `state` is a word of card_key.state. `order_ref`, `pos` and the times are None while it is in no order.
    """

    state: str
    listing_ref: str
    import_ref: str
    file_name: str
    imported_at: datetime | None
    order_ref: str | None
    pos: int | None
    generation: int
    placed_at: datetime | None
    delivered_at: datetime | None
    opened_at: datetime | None


class KeyTail(msgspec.Struct, frozen=True, kw_only=True):
    """The end of one key of an order, for the merchant to know it by; at most four characters and half of the key."""

    pos: int
    generation: int
    tail: str


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
