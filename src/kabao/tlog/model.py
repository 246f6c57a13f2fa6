"""What the log takes in and what it gives back; how trees, notes and proofs are made stands in the other files."""

from datetime import datetime
from typing import NamedTuple

import msgspec


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A record that waits to be logged.

    `body` is canonical JSON, kept exactly; `source` and `source_id` name the business row it was written from,
    `source_id` unique within source, shop and order. `at` is when the business row was written. `position` is what
    the row is marked with: None while it waits. `odds` says, for the audit, which other rows that belong to it
    contradict it now.
    """

    shop_id: int
    order_id: int
    source: str
    source_id: int
    kind: str
    body: bytes
    at: datetime
    position: int | None = None
    odds: list[str] = []


class StoredRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A record that stands in the log; body and salt are None once it has been erased.

    `record_id` equals `position`, the zero-based index of its leaf. `commitment` is SHA-256(salt || body).
    """

    shop_id: int
    order_id: int
    record_id: int
    source: str
    source_id: int
    kind: str
    body: bytes | None
    salt: bytes | None
    commitment: bytes
    position: int
    at: datetime


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A signed tree head: how many leaves, the root over them, and the whole note without cosignatures.

    `number` counts the signed heads from 1.
    """

    size: int
    root: bytes
    note: bytes
    signed_at: datetime
    number: int


class Witnessed(msgspec.Struct, frozen=True, kw_only=True):
    """Who has cosigned the checkpoint of a size, by name, and when the last of them did."""

    size: int
    names: list[str]
    at: datetime


class Census(msgspec.Struct, frozen=True, kw_only=True):
    """How the rows of a source stand: how many are marked with a position, how many wait, since when the oldest."""

    marked: int
    waiting: int
    oldest: datetime | None


class StoredTile(NamedTuple):
    """A tile as its row has it."""

    number: int
    width: int
    hashes: bytes


class StoredHead(NamedTuple):
    """The head as its row has it; `signed` is how many checkpoints were signed."""

    origin: str
    vkey: str
    size: int
    root: bytes
    signed: int = 0


class StoredCosignature(NamedTuple):
    """A witness's line as its row has it; `witness` is its verifier key."""

    size: int
    witness: str
    line: bytes
