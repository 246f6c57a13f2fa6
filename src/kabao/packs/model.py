"""What goes into a pack, as plain values; docs/evidence-pack.md says what each means. Nothing here reads or writes."""

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Final, Literal, TypeAlias

import msgspec

Source: TypeAlias = bytes | Path | Callable[[], Iterable[bytes]]
"""Content: bytes, a file, or what gives it anew in chunks each time it is called; the writer reads everything twice."""
Variant: TypeAlias = Literal["full", "redacted"]
Shown: TypeAlias = Literal["original", "preview", "withheld"]
PaperRole: TypeAlias = Literal["ruling", "index", "paper", "document"]

LETTERS: Final = "abcdefghijklmnopqrstuvwxyz0123456789"


class PackFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that stands by itself: `index.html`, `pack.pdf`, `ruling/ruling.json`, `documents/…`."""

    name: str
    role: PaperRole
    source: Source


class PackItem(msgspec.Struct, frozen=True, kw_only=True):
    """An item of evidence. `size` and `sha256` (32 bytes) are the original's, whatever is shown.

    `extension` is that of the file in the pack (`png`, without a dot); `source` is the original or the preview, None
    where the item is withheld. `record` is the number of the record that fixed it; None only in packs without a log.
    """

    no: int
    name: str
    media_type: str
    size: int
    sha256: bytes
    record: int | None
    shown: Shown
    extension: str = "bin"
    source: Source | None = None


class PackRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A record. `body` is None where it is withheld; `proof` (a whole tlog-proof) and `commitment` where not logged."""

    no: int
    kind: str
    body: bytes | None
    commitment: bytes | None = None
    proof: bytes | None = None


class PackTimestamp(msgspec.Struct, frozen=True, kw_only=True):
    """An authority's whole response (DER) over the checkpoint's note, and the roots (PEM) it leads to."""

    authority: str
    response: bytes
    roots_pem: bytes


class PackCheckpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint: its size, its whole note without cosignatures, and the cosignature lines if there are any."""

    size: int
    note: bytes
    witnesses: bytes | None = None
    timestamps: tuple[PackTimestamp, ...] = ()


class PackLog(msgspec.Struct, frozen=True, kw_only=True):
    """The log the proofs are from: its origin and its verifier key."""

    origin: str
    key: str


class Absent(msgspec.Struct, frozen=True, kw_only=True):
    """A part that the pack does not carry (`timestamps`, `proofs`, …), and why, in a sentence for people."""

    part: str
    why: str


class PackContent(msgspec.Struct, frozen=True, kw_only=True):
    """A whole pack but for what the writer adds: the manifest, the verifier, the guide and the keys.

    `site` is where the platform's pages are (`https://…`), for the guide; None where there is none. `is_own` where a
    person made it with a key of their own, so that the guide names no platform. Parts that are not there must be named
    in `absent`; the writer refuses a pack whose parts do not go together.
    """

    variant: Variant
    order: str | None
    case: str | None
    title: str
    made_at: datetime
    log: PackLog | None = None
    items: tuple[PackItem, ...] = ()
    records: tuple[PackRecord, ...] = ()
    checkpoints: tuple[PackCheckpoint, ...] = ()
    files: tuple[PackFile, ...] = ()
    absent: tuple[Absent, ...] = ()
    site: str | None = None
    is_own: bool = False


def item_file(item: PackItem) -> str | None:
    """Name an item's file in the pack: `items/001.png`, `previews/002.jpg`; None where it is withheld.

    An extension of anything but one to ten ASCII letters and digits becomes `bin`.
    """
    if item.shown == "withheld":
        return None
    folder = "previews" if item.shown == "preview" else "items"
    extension = item.extension.lower()
    is_plain = 0 < len(extension) <= len("extensions") and all(letter in LETTERS for letter in extension)
    return f"{folder}/{item.no:03}.{extension if is_plain else 'bin'}"


def record_file(number: int) -> str:
    """Name a record's file."""
    return f"records/{number:06}.json"


def proof_file(number: int) -> str:
    """Name the file of a record's proof."""
    return f"proofs/{number:06}.tlog-proof"


class StampFiles(msgspec.Struct, frozen=True, kw_only=True):
    """Where a timestamp and its authority's roots lie in the pack."""

    checkpoint: PackCheckpoint
    stamp: PackTimestamp
    file: str
    roots: str


def stamp_files(checkpoints: Iterable[PackCheckpoint]) -> list[StampFiles]:
    """Name the files of every timestamp; authorities with the same roots share their file."""
    roots: dict[bytes, str] = {}
    found: list[StampFiles] = []
    for checkpoint in checkpoints:
        for number, stamp in enumerate(checkpoint.timestamps, 1):
            found.append(
                StampFiles(
                    checkpoint=checkpoint,
                    stamp=stamp,
                    file=f"timestamps/{checkpoint.size}-{number}.tsr",
                    roots=roots.setdefault(stamp.roots_pem, f"authorities/{len(roots) + 1}.pem"),
                )
            )
    return found
