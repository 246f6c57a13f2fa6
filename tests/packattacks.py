"""What people may do to a pack's bytes without its key, and what must be said about it; shared by both verifiers.

Each attack makes a file from a whole pack's entries. `check` is a check that must fail and `entry` one that must be
named by a fault, where there is one to name.
"""

import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from packbuilder import zip_of

LOCAL: Final = struct.Struct("<4s5H3L2H")
CENTRAL: Final = struct.Struct("<4s6H3L5H2L")
END: Final = struct.Struct("<4s4H2LH")
LOCAL_AT: Final = {"version": 1, "flags": 2, "method": 3, "time": 4, "date": 5, "crc32": 6, "stored": 7, "size": 8}
CENTRAL_AT: Final = {name: at + 1 for name, at in LOCAL_AT.items()} | {
    "maker": 1,
    "disk": 13,
    "internal": 14,
    "attributes": 15,
    "offset": 16,
}

Entries = Mapping[str, bytes]


@dataclass
class Odd:
    """How one entry of a ZIP shall differ from the canonical form."""

    local: Mapping[str, int] = field(default_factory=dict)
    central: Mapping[str, int] = field(default_factory=dict)
    local_name: bytes | None = None
    central_name: bytes | None = None
    local_extra: bytes = b""
    central_extra: bytes = b""
    comment: bytes = b""
    before: bytes = b""
    after: bytes = b""
    content: bytes | None = None


def raw_zip(
    entries: list[tuple[str, bytes]],
    odd: Mapping[str, Odd] | None = None,
    *,
    prefix: bytes = b"",
    gap: bytes = b"",
    end: Mapping[int, int] | None = None,
    comment: bytes = b"",
) -> bytes:
    """Write a ZIP whose oddities are those asked for; with none it is canonical."""
    out, directory = bytearray(prefix), bytearray()
    for name, content in entries:
        one = (odd or {}).get(name, Odd())
        out += one.before
        offset = len(out)
        raw = name.encode()
        mine, theirs = one.local_name or raw, one.central_name or raw
        crc, size = zlib.crc32(content), len(content)
        told: list[Any] = [b"PK\x03\x04", 20, 0, 0, 0, 0x21, crc, size, size, len(mine), len(one.local_extra)]
        for key, value in one.local.items():
            told[LOCAL_AT[key]] = value
        out += LOCAL.pack(*told) + mine + one.local_extra
        out += (content if one.content is None else one.content) + one.after
        told = [b"PK\x01\x02", 0x0314, 20, 0, 0, 0, 0x21, crc, size, size, len(theirs), len(one.central_extra)]
        told += [len(one.comment), 0, 0, 0o100644 << 16, offset]
        for key, value in one.central.items():
            told[CENTRAL_AT[key]] = value
        directory += CENTRAL.pack(*told) + theirs + one.central_extra + one.comment
    last: list[Any] = [b"PK\x05\x06", 0, 0, len(entries), len(entries), len(directory), len(out), len(comment)]
    for at, value in (end or {}).items():
        last[at] = value
    return bytes(out + directory) + gap + END.pack(*last) + comment


@dataclass(frozen=True)
class Attack:
    """One thing done to a pack."""

    make: Callable[[Entries], bytes]
    check: str = "zip"
    entry: str | None = None


def _odd(name: str, **what: Any) -> Attack:
    return Attack(lambda entries: raw_zip([*entries.items()], {name: Odd(**what)}), entry=name)


def _whole(**what: Any) -> Attack:
    return Attack(lambda entries: raw_zip([*entries.items()], **what))


def _added(name: str, content: bytes = b"evil", *, as_: str | None = None) -> Attack:
    return Attack(lambda entries: raw_zip([*entries.items(), (name, content)]), entry=as_ or name)


def _reordered(entries: Entries, one: str, other: str) -> list[tuple[str, bytes]]:
    swap = {one: other, other: one}
    return [(swap.get(name, name), entries[swap.get(name, name)]) for name in entries]


def _renamed(entries: Entries, old: str, new: str) -> bytes:
    return raw_zip([(new if name == old else name, content) for name, content in entries.items()])


def _without(entries: Entries, gone: str) -> bytes:
    return raw_zip([(name, content) for name, content in entries.items() if name != gone])


def _with(entries: Entries, name: str, content: bytes) -> bytes:
    return zip_of({**entries, name: content})


def _deflated(entries: Entries, name: str) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(entries[name]) + packer.flush()
    how = {"method": 8, "stored": len(packed)}
    return raw_zip([*entries.items()], {name: Odd(local=how, central=how, content=packed)})


def _described(entries: Entries, name: str) -> bytes:
    content = entries[name]
    trailer = struct.pack("<4s3L", b"PK\x07\x08", zlib.crc32(content), len(content), len(content))
    none = {"flags": 8, "crc32": 0, "stored": 0, "size": 0}
    return raw_zip([*entries.items()], {name: Odd(local=none, central={"flags": 8}, after=trailer)})


def _overlapping(entries: Entries, name: str, other: str) -> bytes:
    """Two lines of the directory over one content, as bombs do."""
    canonical = zip_of(entries)
    offset = canonical.index(LOCAL.pack(b"PK\x03\x04", *_numbers(name, entries)) + name.encode())
    return raw_zip([*entries.items()], {other: Odd(central={"offset": offset})})


def _numbers(name: str, entries: Entries) -> tuple[int, ...]:
    content = entries[name]
    return 20, 0, 0, 0, 0x21, zlib.crc32(content), len(content), len(content), len(name), 0


def _zip64(entries: Entries, name: str) -> bytes:
    canonical = zip_of(entries)
    offset = canonical.index(LOCAL.pack(b"PK\x03\x04", *_numbers(name, entries)) + name.encode())
    extra = struct.pack("<2HQ", 1, 8, offset)
    return raw_zip([*entries.items()], {name: Odd(central={"offset": 0xFFFFFFFF, "version": 45}, central_extra=extra)})


def _exchanged(entries: Entries, one: str, other: str) -> bytes:
    return zip_of({**entries, one: entries[other], other: entries[one]})


P: Final = "items/001.png"
R: Final = "records/000002.json"

ATTACKS: Final[dict[str, Attack]] = {
    # The form of headers
    "ZIP64 offset that is not needed": Attack(lambda entries: _zip64(entries, P), entry=P),
    "data descriptor": Attack(lambda entries: _described(entries, P), entry=P),
    "extra field before the content": _odd(P, local_extra=b"\x99\x99\x02\x00hi"),
    "extra field in the directory": _odd(P, central_extra=b"\x99\x99\x02\x00hi"),
    "comment of an entry": _odd(P, comment=b"hi"),
    "comment of the archive": _whole(comment=b"hi"),
    "bytes before the archive": _whole(prefix=b"#!/bin/sh\n"),
    "a PDF before the archive": _whole(prefix=b"%PDF-1.7\n" + bytes(200)),
    "bytes between entries": _odd(P, before=b"hidden"),
    "bytes after a content": _odd(P, after=b"hidden"),
    "bytes between directory and end": _whole(gap=b"hidden"),
    "bytes after the end": Attack(lambda entries: zip_of(entries) + b"<html>"),
    "a second end record": Attack(lambda entries: zip_of(entries) + zip_of(entries)[-22:]),
    "a second archive": Attack(lambda entries: zip_of(entries) + zip_of({"evil.txt": b"evil"})),
    "a wrong count": _whole(end={4: 1}),
    "another disk": _whole(end={1: 1}),
    "a directory that begins elsewhere": _whole(end={6: 7}),
    "compressed content": Attack(lambda entries: _deflated(entries, P), entry=P),
    "UTF-8 flag": _odd(P, local={"flags": 0x800}, central={"flags": 0x800}),
    "encryption flag": _odd(P, local={"flags": 1}, central={"flags": 1}),
    "another date": _odd(P, local={"date": 0x5A21}, central={"date": 0x5A21}),
    "another version": _odd(P, local={"version": 10}, central={"version": 10}),
    "another maker": _odd(P, central={"maker": 0x0014}),
    "a symbolic link": _odd(P, central={"attributes": 0o120777 << 16}),
    "a directory by its attributes": _odd(P, central={"attributes": 0o040755 << 16 | 0x10}),
    "a program": _odd("verify.py", central={"attributes": 0o104755 << 16}),
    "internal attributes": _odd(P, central={"internal": 1}),
    "a disk number": _odd(P, central={"disk": 1}),
    "an offset of another entry": Attack(lambda entries: _overlapping(entries, "verify.py", P), entry=P),
    "two names for one entry": _odd(P, central_name=b"items/evil.png"),
    "another name before the content": _odd(P, local_name=b"items/evil.png"),
    "another CRC-32": Attack(
        lambda entries: raw_zip([*entries.items()], {P: Odd(local={"crc32": 1}, central={"crc32": 1})}), "entries", P
    ),
    "another size in the directory": Attack(
        lambda entries: raw_zip([*entries.items()], {P: Odd(central={"size": 1})}), "entries", P
    ),
    # Names
    "a path upwards": _added("../evil.sh"),
    "an absolute path": _added("/etc/evil"),
    "a Windows path": _added("items\\evil.png"),
    "a drive": _added("c:evil"),
    "a folder": _added("items/", b""),
    "a name in another script": _added("іtems/001.png"),
    "a name that differs by case": _added("Items/001.png"),
    "a name with a NUL": _added("items/001.png\0.exe", as_="items/001.png\\u{0}.exe"),
    "a name that turns the writing": _added("items/\u202egnp.exe", as_="items/\\u{202e}gnp.exe"),
    # Entries
    "an added entry": _added("items/099.png"),
    "a removed item": Attack(lambda entries: _without(entries, P), entry=P),
    "a removed record": Attack(lambda entries: _without(entries, R), entry=R),
    "a removed signature": Attack(lambda entries: _without(entries, "manifest.sig"), "signature", "manifest.sig"),
    "a renamed item": Attack(lambda entries: _renamed(entries, P, "items/002.png"), entry=P),
    "an entry twice": Attack(lambda entries: raw_zip([*entries.items(), (P, entries[P])]), entry=P),
    "an entry twice, otherwise": Attack(lambda entries: raw_zip([*entries.items(), (P, b"evil")]), entry=P),
    "two entries in the wrong order": Attack(
        lambda entries: raw_zip(_reordered(entries, P, "previews/002.png")), entry=P
    ),
    "two entries that exchanged contents": Attack(
        lambda entries: _exchanged(entries, P, "previews/002.png"), "entries", P
    ),
    "another item of the same size": Attack(lambda entries: _with(entries, P, bytes(len(entries[P]))), "entries", P),
    "another item of another size": Attack(lambda entries: _with(entries, P, b"another"), entry=P),
    "another record": Attack(lambda entries: _with(entries, R, entries[R].replace(b"20:02", b"20:03")), "entries", R),
    "another verify.py": Attack(
        lambda entries: _with(entries, "verify.py", b"$" + entries["verify.py"][1:]), "verifier", "verify.py"
    ),
    "a longer verify.py": Attack(
        lambda entries: _with(entries, "verify.py", entries["verify.py"] + b"#"), entry="verify.py"
    ),
    "another manifest": Attack(
        lambda entries: _with(entries, "manifest.json", entries["manifest.json"].replace(b"redacted", b"full")),
        "signature",
        "manifest.sig",
    ),
    "the manifest behind": Attack(
        lambda entries: raw_zip(_reordered(entries, "manifest.json", "manifest.sig")), entry="manifest.json"
    ),
    # Ends
    "half a file": Attack(lambda entries: zip_of(entries)[: len(zip_of(entries)) // 2]),
    "no directory": Attack(lambda entries: zip_of(entries)[: zip_of(entries).index(b"PK\x01\x02")]),
    "no end": Attack(lambda entries: zip_of(entries)[:-22]),
    "all but a byte": Attack(lambda entries: zip_of(entries)[:-1]),
}

NOT_PACKS: Final[dict[str, bytes]] = {
    "nothing": b"",
    "a byte": b"P",
    "text": "证据".encode() * 1000,
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(5000),
    "a ZIP": zip_of({"a.txt": b"a", "b.txt": b"b"}),
    "a ZIP with some manifest.json": zip_of({"manifest.json": b'{"manifest_version":3}', "a.js": b""}),
    "an empty ZIP": zip_of({}),
    "the beginning of a ZIP": b"PK\x03\x04",
    "an end record alone": b"PK\x05\x06" + bytes(18),
}
