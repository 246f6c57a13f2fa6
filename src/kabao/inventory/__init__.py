"""The stock of card keys: imported, sealed, counted once per shop, opened by deliberate act only.

Invariants:

- A key's text exists in memory while it is sealed or opened, and nowhere else: not in the database, a log, an error or
  a representation of any value here.
- A sealed text opens only at its shop, listing and key id; a data key only at its shop and number (associated data).
- A shop holds each key once, whatever state it is in (blind index), but one taken back does not count; an import
  counts every line as header, blank, added, duplicate or bad, and what it has stored survives its end.
- The key that wraps data keys lies in a file of mode 0600, never in the database; no rotation removes a file that
  something is still wrapped by.
"""

from kabao.inventory.datakeys import KeyUnreadable
from kabao.inventory.keyring import Keyring, KeyringRefused
from kabao.inventory.model import (
    MAX_BAD_LINES_KEPT,
    MAX_IMPORT_BYTES,
    MAX_KEY_CHARS,
    BadLine,
    FoundKey,
    ImportProgress,
    ImportReport,
    ImportState,
    KekRotation,
    KeyTail,
    StockCounts,
    UsedColumn,
)
from kabao.inventory.service import InventoryService, OnProgress, open_keyring
from kabao.inventory.store import opened_before

__all__ = [
    "MAX_BAD_LINES_KEPT",
    "MAX_IMPORT_BYTES",
    "MAX_KEY_CHARS",
    "BadLine",
    "FoundKey",
    "ImportProgress",
    "ImportReport",
    "ImportState",
    "InventoryService",
    "KekRotation",
    "KeyTail",
    "KeyUnreadable",
    "Keyring",
    "KeyringRefused",
    "OnProgress",
    "StockCounts",
    "UsedColumn",
    "open_keyring",
    "opened_before",
]
