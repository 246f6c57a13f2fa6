"""卡保证据包核验程序：只用 Python 标准库，不联网，不需要卡保。 / The verifier of kabao's evidence packs.

用法：python3 -I verify.py 证据包.zip

核验通过，证明三件事：
1. 包里的每一个字节，自制作人签署清单以后没有增加、减少、改名或改动。
2. 带有证明的记录，逐字节存在于公开日志的那个位置；日志当时的样子由日志的密钥签署。
3. 带有时间戳的日志检查点，在时间戳所写的时间之前已经存在（由第三方时间戳机构签署）。

核验通过，并不证明：记录里说的事情是真的；图片、录屏在交给平台之前没有被编辑；包里写明“缺”的部分存在；密钥属于
它自称的人。最后一点请您自己核对：把下面打印的公钥与平台公布的、或您早先留下的公钥比较，也可以用 --key、--log-key、
--authority、--witness 直接指定您信任的那些。

Verifies an evidence pack of kabao with Python's standard library alone, offline, without kabao.

Usage: python3 -I verify.py PACK.zip --en

If everything holds, three things are proved: no byte of the pack was added, removed, renamed or changed since its
maker signed the manifest; each record with a proof stood, byte for byte, at that place of a public log whose head the
log's key signed; and each stamped checkpoint of that log existed before the time in its timestamp, signed by a third
party. It does not prove that what the records say is true, that a picture was unedited before it was handed in, that
parts named as absent exist, or that a key belongs to whom it says: compare the printed keys with those that the
platform publishes or that you kept from earlier, or name the ones you trust with --key, --log-key, --authority and
--witness.

Exit status: 0 everything holds; 1 something fails, and it is named; 2 not a pack (or it cannot be read).

How to read this file: the report first, then the formats (JSON, ZIP, signatures, notes, log proofs, timestamps, the
manifest), and at the end the examination itself, which reads the pack once from front to back. The format
is written down in docs/evidence-pack.md of kabao. Needs Python 3.9 or newer.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import json
import os
import re
import stat
import struct
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import lru_cache
from io import FileIO
from pathlib import Path
from typing import Any, NamedTuple

FORMAT = "kabao-pack/1"
REPORT_FORMAT = "kabao-verify/1"

MANIFEST = "manifest.json"
SIGNATURE = "manifest.sig"

ENTRY_LIMIT = 0xFFFF_FFFE
"""Bytes of an entry: the most that a ZIP's own 32 bits can say."""
MANIFEST_LIMIT = 32 << 20
SIGNATURE_LIMIT = 16 << 10
KEPT_LIMITS = {
    "record": 1 << 20,
    "proof": 64 << 10,
    "checkpoint": 16 << 10,
    "witnesses": 64 << 10,
    "timestamp": 256 << 10,
    "authority": 1 << 20,
    "key": 4 << 10,
}
"""Bytes of an entry that is looked into and not only hashed, by role."""
KEPT_TOTAL = 64 << 20
"""Bytes of all checkpoints, witnesses, timestamps, authorities and keys together: they are held until the end."""
CHECKPOINTS_LIMIT = 100
TIMESTAMPS_LIMIT = 100
INTEGER_LIMIT = (1 << 53) - 1
"""The largest integer that every JSON reader understands (RFC 8785)."""
JSON_DEPTH = 64
"""How many arrays and objects may lie in one another; without a number each reader would have its own."""
BUFFER = 1 << 20
FAULTS_SHOWN = 20

Progress = Callable[[int, int], None]


# ---------------------------------------------------------------------------------------------------------------------
# The report


class WrongError(Exception):
    """Something does not hold, said in both languages."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh = zh
        self.en = en


class Said(NamedTuple):
    """One thing, said in both languages."""

    zh: str
    en: str


class Fault(NamedTuple):
    """What fails, and where: a word for programs, a sentence for people, the entry and the number of what it is."""

    code: str
    zh: str
    en: str
    entry: str | None = None
    item: int | None = None
    record: int | None = None

    def line(self, *, english: bool) -> str:
        """Write the fault as people read it."""
        where = [f"{self.entry}"] if self.entry is not None else []
        if self.item is not None:
            where.append(f"item {self.item}" if english else f"第 {self.item} 项证据")
        if self.record is not None:
            where.append(f"record {self.record}" if english else f"第 {self.record} 条记录")
        said = self.en if english else self.zh
        if not where:
            return said
        return f"{', '.join(where)}: {said}" if english else f"{'，'.join(where)}：{said}"


TITLES = {
    "zip": Said("压缩包格式", "form of the ZIP"),
    "manifest": Said("清单格式", "form of the manifest"),
    "signature": Said("清单签名", "signature of the manifest"),
    "entries": Said("文件内容", "contents of the files"),
    "verifier": Said("核验程序", "the verifier inside"),
    "keys": Said("公钥文件", "key files"),
    "records": Said("记录", "records"),
    "items": Said("证据", "items"),
    "proofs": Said("日志证明", "log proofs"),
    "checkpoint": Said("日志检查点", "log checkpoint"),
    "witnesses": Said("见证签名", "witness cosignatures"),
    "timestamps": Said("时间戳", "timestamps"),
}
"""The checks, in the order in which they are reported; the words on the left are stable."""

MARKS = {"ok": "✓", "failed": "✗", "absent": "—", "skipped": "·"}
"""`absent`: the pack carries nothing of the kind; `skipped`: nothing could be checked, for an earlier check failed."""


NOT_CHECKED = Said("前面的检查没有通过，无法核验", "could not be checked, for an earlier check failed")


@dataclass
class Check:
    """One check: how it ended, in a sentence, and what fails."""

    id: str
    state: str = "skipped"
    said: Said = NOT_CHECKED
    faults: list[Fault] = field(default_factory=list)

    def ends(self, zh: str, en: str, state: str = "ok") -> None:
        """Set how the check ended; where there are faults it has failed, whatever is said here."""
        if self.faults:
            count = len(self.faults)
            self.state, self.said = "failed", Said(f"不通过，{count} 处", f"fails in {count} place{'s'[: count > 1]}")
        else:
            self.state, self.said = state, Said(zh, en)

    def as_json(self) -> dict[str, Any]:
        """Give the check as plain values."""
        shown = [
            {"code": f.code, "zh": f.zh, "en": f.en, "entry": f.entry, "item": f.item, "record": f.record}
            for f in self.faults[: 10 * FAULTS_SHOWN]
        ]
        title = TITLES[self.id]
        return {
            "id": self.id,
            "state": self.state,
            "title": {"zh": title.zh, "en": title.en},
            "zh": self.said.zh,
            "en": self.said.en,
            "faults": shown,
            "fault_count": len(self.faults),
        }


@contextmanager
def _noting(
    done: Check, code: str, entry: str | None, item: int | None = None, record: int | None = None
) -> Iterator[None]:
    """Turn what is wrong within the block into a fault of the check."""
    try:
        yield
    except WrongError as wrong:
        done.faults.append(Fault(code, wrong.zh, wrong.en, entry, item, record))


@dataclass
class Report:
    """What was found: the checks in their order, what is absent, notes, and what the pack says of itself."""

    checks: dict[str, Check] = field(default_factory=lambda: {name: Check(name) for name in TITLES})
    refused: Said | None = None
    """Why this is no pack at all."""
    absent: list[tuple[str, Said]] = field(default_factory=list)
    notes: list[Said] = field(default_factory=list)
    about: dict[str, Any] = field(default_factory=dict)
    """What the pack says of itself: variant, made_at, order, case, title, parts, keys, items."""
    timestamps: list[dict[str, Any]] = field(default_factory=list)
    cosignatures: list[dict[str, Any]] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0 everything holds, 1 something fails, 2 not a pack."""
        if self.refused is not None:
            return 2
        return 1 if any(check.state in ("failed", "skipped") for check in self.checks.values()) else 0

    @property
    def failed(self) -> list[Check]:
        """The checks that failed, in order."""
        return [check for check in self.checks.values() if check.state == "failed"]

    def as_json(self) -> dict[str, Any]:
        """Give the report as plain values."""
        return {
            "format": REPORT_FORMAT,
            "exit": self.exit_code,
            "verdict": ("holds", "fails", "not-a-pack")[self.exit_code],
            "refused": None if self.refused is None else {"zh": self.refused.zh, "en": self.refused.en},
            "about": self.about,
            "checks": [check.as_json() for check in self.checks.values()] if self.refused is None else [],
            "absent": [{"part": part, "zh": said.zh, "en": said.en} for part, said in self.absent],
            "notes": [{"zh": said.zh, "en": said.en} for said in self.notes],
            "timestamps": self.timestamps,
            "cosignatures": self.cosignatures,
        }

    def lines(self, *, english: bool) -> list[str]:
        """Write the report for a terminal, one line a check."""

        def words(said: Said) -> str:
            return said.en if english else said.zh

        if self.refused is not None:
            return [f"✗ {'not an evidence pack' if english else '不是证据包'}: {words(self.refused)}"]
        lines = []
        for check in self.checks.values():
            lines.append(f"{MARKS[check.state]} {words(TITLES[check.id])}: {words(check.said)}")
            lines += [f"    ✗ {fault.line(english=english)}" for fault in check.faults[:FAULTS_SHOWN]]
            if (more := len(check.faults) - FAULTS_SHOWN) > 0:
                lines.append(f"    … {f'and {more} more' if english else f'另有 {more} 处'}")
        lines += [f"— {'absent' if english else '缺'}: {part}: {words(said)}" for part, said in self.absent]
        lines += [f"  {words(said)}" for said in self.notes]
        verdict = ("everything holds", "does NOT hold") if english else ("全部通过", "没有通过")
        lines.append(f"{'result' if english else '结论'}: {verdict[self.exit_code]}")
        return [printable(line) for line in lines]


def printable(text: str) -> str:
    """Escape what could steer a terminal or turn the direction of writing; packs come from strangers."""
    return "".join(char if char.isprintable() else f"\\u{{{ord(char):x}}}" for char in text)


# ---------------------------------------------------------------------------------------------------------------------
# Canonical JSON (RFC 8785, integers only)


def read_json(content: bytes) -> Any:
    """Read canonical JSON; refuse whatever is not written the one canonical way."""
    try:
        value = json.loads(content.decode("utf-8"), parse_int=_short, parse_float=_refuse, parse_constant=_refuse)
        shallow = is_shallow(value)
        canonical = shallow and write_json(value) == content
    except ValueError:
        raise WrongError("不是有效的 JSON", "not valid JSON") from None
    except RecursionError:
        shallow = False
    if not shallow:
        raise WrongError("JSON 嵌套过深", "JSON is nested too deeply")
    if not canonical:
        raise WrongError("JSON 的写法不规范", "JSON is not in its canonical form")
    return value


def _refuse(_: str) -> Any:
    raise ValueError("only integers")


def is_shallow(value: Any) -> bool:
    """Tell whether no more than JSON_DEPTH arrays and objects lie in one another."""
    level = [value]
    for _ in range(JSON_DEPTH):
        level = [inner for one in level for inner in _inside(one) if isinstance(inner, (dict, list))]
    return not level


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _short(digits: str) -> int:
    # Reading a number takes time that grows with the square of its length.
    return int(digits) if len(digits) <= len(str(-INTEGER_LIMIT)) else int(_refuse(digits))


def write_json(value: Any) -> bytes:
    """Write canonical JSON; raises ValueError for an integer beyond 2^53 - 1 and for half a surrogate pair."""
    return json.dumps(_sorted(value), ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        # RFC 8785 sorts keys by UTF-16 code units.
        return {key: _sorted(value[key]) for key in sorted(value, key=lambda key: str(key).encode("utf-16-be"))}
    if isinstance(value, list):
        return [_sorted(one) for one in value]
    if isinstance(value, int) and abs(value) > INTEGER_LIMIT:
        raise ValueError("integer too large")
    return value


# ---------------------------------------------------------------------------------------------------------------------
# The ZIP: for a list of names and contents there is one sequence of bytes, and these functions write its headers

LOCAL = struct.Struct("<4s5H3L2H")
CENTRAL = struct.Struct("<4s6H3L5H2L")
END = struct.Struct("<4s4H2LH")
END64 = struct.Struct("<4sQ2H2L4Q")
LOCATOR = struct.Struct("<4sLQL")
ZIP64 = struct.Struct("<2HQ")
DATE_1980 = 0x0021
UNIX_20 = 0x0314
REGULAR_FILE = 0o100644 << 16
FULL16 = 0xFFFF
FULL32 = 0xFFFF_FFFF


def local_header(name: str, crc32: int, size: int) -> bytes:
    """Write what stands before an entry's content."""
    raw = name.encode("ascii")
    return LOCAL.pack(b"PK\x03\x04", 20, 0, 0, 0, DATE_1980, crc32, size, size, len(raw), 0) + raw


def central_header(name: str, crc32: int, size: int, offset: int) -> bytes:
    """Write an entry's line of the directory; an offset of 4 GiB - 1 or more goes into a ZIP64 field."""
    raw = name.encode("ascii")
    extra = ZIP64.pack(1, 8, offset) if offset >= FULL32 else b""
    needed, stored = (45, FULL32) if extra else (20, offset)
    lengths = (len(raw), len(extra), 0, 0, 0)
    fields = (UNIX_20, needed, 0, 0, 0, DATE_1980, crc32, size, size, *lengths, REGULAR_FILE, stored)
    return CENTRAL.pack(b"PK\x01\x02", *fields) + raw + extra


def end_records(count: int, size: int, offset: int) -> bytes:
    """Write what stands after the directory of `size` bytes at `offset`."""
    short = (min(count, FULL16), min(size, FULL32), min(offset, FULL32))
    end = END.pack(b"PK\x05\x06", 0, 0, short[0], *short, 0)
    if FULL16 not in short[:1] and FULL32 not in short[1:]:
        return end
    end64 = END64.pack(b"PK\x06\x06", END64.size - 12, 0x032D, 45, 0, 0, count, count, size, offset)
    return end64 + LOCATOR.pack(b"PK\x06\x07", 0, offset + size, 1) + end


class Entry(NamedTuple):
    """An entry as the manifest has it; the two manifest entries have no digest of their own."""

    name: str
    size: int
    crc32: int
    sha256: str | None = None
    role: str | None = None


class Listed(NamedTuple):
    """An entry as a damaged or foreign ZIP lists it."""

    name: str
    size: int
    crc32: int
    offset: int


CRC32_AT, SIZE_AT, NAME_AT, EXTRA_AT, COMMENT_AT, OFFSET_AT = 7, 9, 10, 11, 12, 16
"""Where a header of the directory has these fields, counted in fields."""


LOCAL_FIELDS = ("signature", "version", "flags", "method", "time", "date", "crc32", "size", "size", "name", "extra")
CENTRAL_FIELDS = (
    *("signature", "maker", "version", "flags", "method", "time", "date", "crc32", "size", "size", "name", "extra"),
    *("comment", "disk", "attributes", "attributes", "offset"),
)


def differing_fields(found: bytes, due: bytes, header: struct.Struct, names: Sequence[str]) -> list[str]:
    """Name the fields in which a header differs from the one that is due."""
    if len(found) < header.size:
        return ["signature"]
    mine, other = header.unpack_from(due), header.unpack_from(found)
    fields = [name for index, name in enumerate(names) if mine[index] != other[index]]
    if found[header.size :] != due[header.size :]:
        fields.append("name")
    return list(dict.fromkeys(fields))


def shown_name(raw: bytes) -> str:
    """Decode a name from a ZIP that may hold anything."""
    return printable(raw.decode("utf-8", "backslashreplace"))


def listed_in_directory(file: FileIO, size: int) -> list[Listed] | None:
    """Read the directory at the end, leniently; None where there is none."""
    tail = _read_at(file, max(0, size - 65_557), 65_557)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < END.size:
        return None
    directory_size = END.unpack_from(tail, at)[5]
    end = size - len(tail) + at
    if at >= LOCATOR.size and tail[at - LOCATOR.size : at - LOCATOR.size + 4] == b"PK\x06\x07":
        end -= LOCATOR.size + END64.size
        record = _read_at(file, max(0, end), END64.size)
        directory_size = END64.unpack(record)[8] if len(record) == END64.size else 0
    start = end - directory_size
    if start < 0 or directory_size > 2 * MANIFEST_LIMIT:
        return None
    return list(_central_entries(_read_at(file, start, directory_size)))


def _central_entries(directory: bytes) -> Iterator[Listed]:
    at = 0
    while directory[at : at + 4] == b"PK\x01\x02" and len(directory) - at >= CENTRAL.size:
        values = CENTRAL.unpack_from(directory, at)
        name_at = at + CENTRAL.size
        extra_at = name_at + values[NAME_AT]
        next_at = extra_at + values[EXTRA_AT] + values[COMMENT_AT]
        offset = values[OFFSET_AT]
        if offset == FULL32 and values[EXTRA_AT] == ZIP64.size and extra_at + ZIP64.size <= len(directory):
            offset = ZIP64.unpack_from(directory, extra_at)[2]
        yield Listed(shown_name(directory[name_at:extra_at]), values[SIZE_AT], values[CRC32_AT], offset)
        at = next_at


def _read_at(file: FileIO, offset: int, size: int) -> bytes:
    file.seek(offset)
    parts = []
    while size > 0 and (part := file.read(min(size, BUFFER))):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


# ---------------------------------------------------------------------------------------------------------------------
# Ed25519 (RFC 8032), strict: S below the group's order, points in their one encoding, no key of small order

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)

Point = tuple[int, int, int, int]
"""Extended coordinates (X, Y, Z, T): x = X/Z, y = Y/Z, x*y = T/Z."""

KEY_BYTES = 32
SIGNATURE_BYTES = 64
NEUTRAL: Point = (0, 1, 1, 0)


def _add(p: Point, q: Point) -> Point:
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def _decode_point(encoded: bytes) -> Point | None:
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return (x, y, 1, x * y % P)


def _encode_point(p: Point) -> bytes:
    inverse = pow(p[2], P - 2, P)
    x, y = p[0] * inverse % P, p[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


BASE: Point = _decode_point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little")) or NEUTRAL


@lru_cache(maxsize=256)
def ed25519_holds(key: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether the 64-byte signature over the message was made by the 32-byte key."""
    point = _decode_point(key) if len(key) == KEY_BYTES else None
    if point is None or len(signature) != SIGNATURE_BYTES:
        return False
    eight = point
    for _ in range(3):
        eight = _add(eight, eight)
    s = int.from_bytes(signature[32:], "little")
    if s >= L or _encode_point(eight) == _encode_point(NEUTRAL):
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    # R = S*B - k*A, both at once, bit by bit.
    minus = (P - point[0], point[1], 1, P - point[3])
    choices = (NEUTRAL, BASE, minus, _add(BASE, minus))
    total = NEUTRAL
    for bit in range(252, -1, -1):
        total = _add(total, total)
        if choice := (s >> bit & 1) | (k >> bit & 1) << 1:
            total = _add(total, choices[choice])
    return _encode_point(total) == signature[:32]


def ed25519_pem(key: bytes) -> bytes:
    """Write an Ed25519 key as a SubjectPublicKeyInfo in PEM, the way OpenSSL does."""
    encoded = base64.b64encode(bytes.fromhex("302a300506032b6570032100") + key).decode()
    return f"-----BEGIN PUBLIC KEY-----\n{encoded}\n-----END PUBLIC KEY-----\n".encode()


# ---------------------------------------------------------------------------------------------------------------------
# Signed notes, checkpoints, cosignatures and proofs (c2sp.org)

NOTE_KEY = 0x01
WITNESS_KEY = 0x04


def strict_base64(text: str) -> bytes:
    """Decode base64 that is written the one canonical way."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise WrongError("base64 无效", "invalid base64") from None
    if base64.b64encode(raw).decode() != text:
        raise WrongError("base64 的写法不规范", "base64 is not in its canonical form")
    return raw


HASH_BYTES = 32


class VerifierKey(NamedTuple):
    """A key as notes know it; `kind` is 0x01 for notes and 0x04 for witnesses, `number` the four bytes of its id."""

    name: str
    kind: int
    number: bytes
    key: bytes


def read_verifier_key(text: str, kind: int = NOTE_KEY) -> VerifierKey:
    """Read `name+<8 hex digits of the key id>+<base64 of the kind and the 32-byte key>`."""
    match = re.fullmatch(r"([^\s+]{1,200})\+([0-9a-f]{8})\+([A-Za-z0-9+/=]{44})", text)
    if match is None or not text.isprintable():
        raise WrongError("公钥的写法无效", "not a verifier key")
    raw = strict_base64(match[3])
    made = hashlib.sha256(match[1].encode("utf-8") + b"\n" + raw).digest()[:4]
    if len(raw) != 1 + KEY_BYTES or raw[0] != kind or made.hex() != match[2]:
        raise WrongError("公钥的编号或种类不符", "the key's id or kind does not fit")
    return VerifierKey(match[1], kind, made, raw[1:])


def utf8_text(content: bytes) -> str:
    """Decode UTF-8."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise WrongError("签名文件不是 UTF-8", "the note is not UTF-8") from None


def read_signature_lines(text: str) -> list[tuple[str, bytes]]:
    """Read lines of an em dash, a name and base64; give each name with its raw signature."""
    lines = []
    for line in text.splitlines(keepends=True):
        match = re.fullmatch("— ([^\\s+]+) ([A-Za-z0-9+/=]+)\n", line)
        if match is None:
            raise WrongError("签名行的写法无效", "a signature line is malformed")
        lines.append((match[1], strict_base64(match[2])))
    return lines


def open_note(note: bytes, key: VerifierKey) -> str:
    """Return the text of a note that carries exactly one signature, by `key`.

    One line and no more, so that no byte of a note stands outside what is checked.
    """
    text, _, signatures = utf8_text(note).rpartition("\n\n")
    lines = read_signature_lines(signatures)
    if not text or len(lines) != 1:
        raise WrongError("签名文件应当只有一个签名", "a note with one signature is due")
    (name, raw), text = lines[0], text + "\n"
    if name != key.name or raw[:4] != key.number:
        raise WrongError(f"签名不是由 {key.name} 作出的", f"not signed by {key.name}")
    if not ed25519_holds(key.key, text.encode(), raw[4:]):
        raise WrongError("签名无效", "the signature is invalid")
    return text


class Checkpoint(NamedTuple):
    """The head of the log: who, how many entries, and the root of their tree."""

    origin: str
    size: int
    root: bytes


def read_checkpoint(text: str) -> Checkpoint:
    """Read a checkpoint's three lines."""
    match = re.fullmatch(r"([^\n]+)\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/=]{44})\n", text)
    if match is None:
        raise WrongError("检查点的写法无效", "the checkpoint is malformed")
    root = strict_base64(match[3])
    if len(root) != HASH_BYTES:
        raise WrongError("检查点的写法无效", "the checkpoint is malformed")
    return Checkpoint(match[1], int(match[2]), root)


class Proof(NamedTuple):
    """A tlog-proof: what it carries, and the checkpoint's note it ends in."""

    extra: bytes | None
    place: int
    path: list[bytes]
    note: bytes


def read_proof(content: bytes) -> Proof:
    """Read c2sp.org/tlog-proof@v1."""
    head, _, note = content.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        lines = []
    if lines[:1] != ["c2sp.org/tlog-proof@v1"] or not note:
        raise WrongError("证明的写法无效", "the proof is malformed")
    extra = strict_base64(lines.pop(1)[6:]) if lines[1:] and lines[1].startswith("extra ") else None
    match = re.fullmatch(r"index (0|[1-9][0-9]{0,15})", lines[1]) if lines[1:] else None
    path = [strict_base64(line) for line in lines[2:]]
    if match is None or any(len(one) != HASH_BYTES for one in path):
        raise WrongError("证明的写法无效", "the proof is malformed")
    return Proof(extra, int(match[1]), path, note)


def root_of(leaf: bytes, index: int, size: int, path: Iterable[bytes]) -> bytes | None:
    """Fold an inclusion proof (RFC 6962 section 2.1.1) into the root it leads to; None where its length is wrong."""
    if not 0 <= index < size:
        return None
    last, root = size - 1, leaf
    for sibling in path:
        if last == 0:
            return None
        if index & 1 or index == last:
            root = hashlib.sha256(b"\x01" + sibling + root).digest()
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            root = hashlib.sha256(b"\x01" + root + sibling).digest()
        index, last = index >> 1, last >> 1
    return root if last == 0 else None


def cosignature_time(line: bytes, text: str, key: VerifierKey) -> int:
    """Check a witness's timestamped signature (cosignature/v1) over a checkpoint's text; give its POSIX time."""
    if len(line) != 4 + 8 + SIGNATURE_BYTES:
        raise WrongError("见证签名的长度不对", "the cosignature has the wrong length")
    at = int.from_bytes(line[4:12], "big")
    if at >= 1 << 63 or not ed25519_holds(key.key, f"cosignature/v1\ntime {at}\n{text}".encode(), line[12:]):
        raise WrongError("见证签名无效", "the cosignature is invalid")
    return at


# ---------------------------------------------------------------------------------------------------------------------
# DER, strict: definite lengths in their shortest form, no other spelling of a value

INTEGER, BIT_STRING, OCTET_STRING, OBJECT_ID = 0x02, 0x03, 0x04, 0x06
UTC_TIME, GENERALIZED_TIME, SEQUENCE, SET = 0x17, 0x18, 0x30, 0x31
BOOLEAN, NULL, ENUMERATED, UTF8_STRING, BMP_STRING = 0x01, 0x05, 0x0A, 0x0C, 0x1E
CONSTRUCTED = 0x20
CONTEXT = 0x80
TAG_CLASS = 0xC0
DER_DEPTH = 32


def tagged(number: int, *, constructed: bool = True) -> int:
    """Give the tag [number] of a context."""
    return CONTEXT | number | (CONSTRUCTED if constructed else 0)


def malformed() -> WrongError:
    """Say that something is not the DER that is due."""
    return WrongError("不是规范的 DER 编码，或结构不符", "not DER, or not of the structure that is due")


class Der(NamedTuple):
    """A value: its tag, its content, and both as they stand there."""

    tag: int
    body: bytes
    raw: bytes

    def children(self) -> list[Der]:
        """Take a constructed value apart."""
        found, at = [], 0
        while at < len(self.body):
            value = _der_at(self.body, at)
            found.append(value)
            at += len(value.raw)
        return found

    def number(self) -> int:
        """Read an INTEGER."""
        return int.from_bytes(self.body, "big", signed=True)


def _der_at(content: bytes, at: int) -> Der:
    head = content[at : at + 2]
    if len(head) < len(b"TL") or head[0] & 0x1F == 0x1F:  # noqa: PLR2004  tags of several bytes have no use here
        raise malformed()
    start, length = at + 2, head[1]
    if length & 0x80:
        start += length & 0x7F
        written = content[at + 2 : start]
        length = int.from_bytes(written, "big")
        if not written or written[0] == 0 or length < 0x80 or len(written) > 4:  # noqa: PLR2004  its shortest form
            raise malformed()
    if start + length > len(content):
        raise malformed()
    return Der(head[0], content[start : start + length], content[at : start + length])


@lru_cache(maxsize=256)
def read_der(content: bytes) -> Der:
    """Read one value that fills the bytes, strict all the way down; what lies in OCTET STRINGs is read by its user."""
    value = _der_at(content, 0)
    if len(value.raw) != len(content):
        raise malformed()
    _be_strict(value, DER_DEPTH)
    return value


def _be_strict(value: Der, depth: int) -> None:
    if value.tag & CONSTRUCTED:
        if depth == 0 or (value.tag & TAG_CLASS == 0 and value.tag not in (SEQUENCE, SET)):
            raise malformed()
        for child in value.children():
            _be_strict(child, depth - 1)
    elif (rule := STRICT.get(value.tag)) is not None and not rule(value.body):
        raise malformed()


def _is_integer(body: bytes) -> bool:
    return bool(body) and not (body[0] in (0, 0xFF) and body[1:] and (body[0] ^ body[1]) & 0x80 == 0)


def _is_bit_string(body: bytes) -> bool:
    unused = body[0] if body else 8
    return unused < 8 and (not unused or (len(body) > 1 and body[-1] & ((1 << unused) - 1) == 0))  # noqa: PLR2004


def _is_object_id(body: bytes) -> bool:
    return bool(body) and not body[-1] & 0x80 and body[0] != 0x80 and b"\x80" not in _after_ends(body)  # noqa: PLR2004


def _after_ends(body: bytes) -> bytes:
    """Give the first byte of each number of an object identifier but the first."""
    return bytes(later for earlier, later in zip(body, body[1:]) if not earlier & 0x80)


STRICT: dict[int, Callable[[bytes], bool]] = {
    BOOLEAN: lambda body: body in (b"\x00", b"\xff"),
    INTEGER: _is_integer,
    ENUMERATED: _is_integer,
    BIT_STRING: _is_bit_string,
    NULL: lambda body: not body,
    OBJECT_ID: _is_object_id,
    SEQUENCE & ~CONSTRUCTED: lambda _: False,
    SET & ~CONSTRUCTED: lambda _: False,
}
"""What the content of a primitive value must be like, by tag."""


class Fields:
    """The fields of a SEQUENCE, taken one after another."""

    def __init__(self, value: Der, tag: int = SEQUENCE) -> None:
        if value.tag != tag:
            raise malformed()
        self.left = value.children()

    def take(self, tag: int) -> Der:
        """Take the next field, which must be there and have this tag."""
        if not self.left or self.left[0].tag != tag:
            raise malformed()
        return self.left.pop(0)

    def maybe(self, tag: int) -> Der | None:
        """Take the next field if it has this tag."""
        return self.left.pop(0) if self.left and self.left[0].tag == tag else None

    def end(self) -> None:
        """See that nothing is left."""
        if self.left:
            raise malformed()


def oid(dotted: str) -> bytes:
    """Encode an object identifier (its content, without tag and length)."""
    first, second, *rest = (int(number) for number in dotted.split("."))
    encoded = bytearray()
    for number in (40 * first + second, *rest):
        groups = [number & 0x7F]
        while number := number >> 7:
            groups.append(number & 0x7F | 0x80)
        encoded += bytes(reversed(groups))
    return bytes(encoded)


def read_time(value: Der) -> datetime:
    """Read UTCTime or GeneralizedTime; a fraction of a second only in the latter, without a trailing zero."""
    written = value.body.decode("ascii", "replace")
    if value.tag == UTC_TIME and re.fullmatch(r"\d{12}Z", written, re.ASCII):
        written = ("19" if written >= "50" else "20") + written  # RFC 5280, 4.1.2.5.1
    elif value.tag != GENERALIZED_TIME or not re.fullmatch(r"\d{14}(\.\d{0,8}[1-9])?Z", written, re.ASCII):
        raise malformed()
    seconds, _, fraction = written[:-1].partition(".")
    try:
        moment = datetime.strptime(seconds, "%Y%m%d%H%M%S").replace(tzinfo=timezone.utc)
    except ValueError:
        raise malformed() from None
    return moment.replace(microsecond=int(fraction[:6].ljust(6, "0")))


# ---------------------------------------------------------------------------------------------------------------------
# The signatures of timestamp authorities: RSA (PKCS #1 v1.5 and PSS) and ECDSA (P-256, P-384), with SHA-2

HASHES = {
    oid("2.16.840.1.101.3.4.2.1"): "sha256",
    oid("2.16.840.1.101.3.4.2.2"): "sha384",
    oid("2.16.840.1.101.3.4.2.3"): "sha512",
}
RSA, RSA_PSS, MGF1 = oid("1.2.840.113549.1.1.1"), oid("1.2.840.113549.1.1.10"), oid("1.2.840.113549.1.1.8")
SIGNED_WITH = {
    oid("1.2.840.113549.1.1.11"): ("rsa", "sha256"),
    oid("1.2.840.113549.1.1.12"): ("rsa", "sha384"),
    oid("1.2.840.113549.1.1.13"): ("rsa", "sha512"),
    oid("1.2.840.10045.4.3.2"): ("ec", "sha256"),
    oid("1.2.840.10045.4.3.3"): ("ec", "sha384"),
    oid("1.2.840.10045.4.3.4"): ("ec", "sha512"),
}
EC = oid("1.2.840.10045.2.1")
RSA_BITS = range(2048, 16_385)


class Curve(NamedTuple):
    """A curve y² = x³ - 3x + b over the integers modulo p, with its base point and that point's order."""

    p: int
    b: int
    base: tuple[int, int]
    order: int
    size: int


CURVES = {
    oid("1.2.840.10045.3.1.7"): Curve(
        p=0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF,
        b=0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
        base=(
            0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
            0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
        ),
        order=0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
        size=32,
    ),
    oid("1.3.132.0.34"): Curve(
        p=2**384 - 2**128 - 2**96 + 2**32 - 1,
        b=0xB3312FA7E23EE7E4988E056BE3F82D19181D9C6EFE8141120314088F5013875AC656398D8A2ED19D2A85C8EDD3EC2AEF,
        base=(
            0xAA87CA22BE8B05378EB1C71EF320AD746E1D3B628BA79B9859F741E082542A385502F25DBF55296C3A545E3872760AB7,
            0x3617DE4A96262C6F5D9E98BF9292DC29F8F41DBD289A147CE9DA3113B5F0B8C00A60B1CE1D7E819D7A431D7C90EA0E5F,
        ),
        order=0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
        size=48,
    ),
}


def _ec_add(curve: Curve, one: tuple[int, int] | None, other: tuple[int, int] | None) -> tuple[int, int] | None:
    """Add two points; None is the point at infinity."""
    if one is None or other is None:
        return other if one is None else one
    if one[0] == other[0]:
        if (one[1] + other[1]) % curve.p == 0:
            return None
        slope = 3 * (one[0] * one[0] - 1) * pow(2 * one[1], -1, curve.p)
    else:
        slope = (other[1] - one[1]) * pow(other[0] - one[0], -1, curve.p)
    x = (slope * slope - one[0] - other[0]) % curve.p
    return x, (slope * (one[0] - x) - one[1]) % curve.p


def ecdsa_holds(curve: Curve, point: bytes, digest: bytes, signature: bytes) -> bool:
    """Check an ECDSA signature (a SEQUENCE of r and s) over a digest by an uncompressed point."""
    x, y = (int.from_bytes(part, "big") for part in (point[1 : 1 + curve.size], point[1 + curve.size :]))
    on_curve = max(x, y) < curve.p and (y * y - x**3 + 3 * x - curve.b) % curve.p == 0
    if len(point) != 1 + 2 * curve.size or point[0] != 4 or not on_curve:  # noqa: PLR2004  4 says uncompressed
        return False
    fields = Fields(read_der(signature))
    r, s = fields.take(INTEGER).number(), fields.take(INTEGER).number()
    fields.end()
    if not (0 < r < curve.order and 0 < s < curve.order):
        return False
    inverse = pow(s, -1, curve.order)
    bits = max(0, 8 * len(digest) - curve.order.bit_length())
    u = (int.from_bytes(digest, "big") >> bits) * inverse % curve.order
    v = r * inverse % curve.order
    # u*BASE + v*KEY, both at once, bit by bit.
    choices = (None, curve.base, (x, y), _ec_add(curve, curve.base, (x, y)))
    total: tuple[int, int] | None = None
    for bit in range(curve.order.bit_length() - 1, -1, -1):
        total = _ec_add(curve, total, total)
        total = _ec_add(curve, total, choices[u >> bit & 1 | (v >> bit & 1) << 1])
    return total is not None and total[0] % curve.order == r


def rsa_opened(key: bytes, signature: bytes) -> tuple[bytes, int]:
    """Raise an RSA signature to the public exponent; give the padded message and the modulus's bits."""
    fields = Fields(read_der(key))
    modulus, exponent = fields.take(INTEGER).number(), fields.take(INTEGER).number()
    fields.end()
    bits = modulus.bit_length()
    if bits not in RSA_BITS or not modulus & 1 or not exponent & 1 or not 2 < exponent < 1 << 64:  # noqa: PLR2004
        raise WrongError("RSA 公钥不可用", "the RSA key cannot be used")
    size, number = (bits + 7) // 8, int.from_bytes(signature, "big")
    if len(signature) != size or number >= modulus:
        raise WrongError("签名无效", "the signature is invalid")
    return pow(number, exponent, modulus).to_bytes(size, "big"), bits


def pkcs1_holds(key: bytes, name: str, digest: bytes, signature: bytes) -> bool:
    """Check RSASSA-PKCS1-v1_5 by writing the one padding that is right (RFC 8017, 9.2)."""
    padded, _ = rsa_opened(key, signature)
    hash_id = next(encoded for encoded, known in HASHES.items() if known == name)
    length = len(hash_id) + len(digest)
    algorithm = bytes((SEQUENCE, len(hash_id) + 4, OBJECT_ID, len(hash_id))) + hash_id + bytes((NULL, 0))
    told = bytes((SEQUENCE, length + 8)) + algorithm + bytes((OCTET_STRING, len(digest))) + digest
    return padded == b"\x00\x01" + b"\xff" * (len(padded) - len(told) - 3) + b"\x00" + told


def pss_holds(key: bytes, parameters: Der | None, message: bytes, signature: bytes) -> bool:
    """Check RSASSA-PSS (RFC 8017, 9.1.2) with explicit SHA-2 parameters, the mask made with the same digest."""
    if parameters is None:
        raise malformed()
    fields = Fields(parameters)
    given = [fields.maybe(tagged(number)) for number in range(4)]
    fields.end()
    if given[0] is None or given[1] is None or given[3] is not None:  # absent means SHA-1; a trailer has one value
        raise WrongError("不支持的签名算法", "an unsupported signature algorithm")
    name = hash_of(_only(given[0]))
    mask = Fields(_only(given[1]))
    if mask.take(OBJECT_ID).body != MGF1 or hash_of(mask.take(SEQUENCE)) != name:
        raise WrongError("不支持的签名算法", "an unsupported signature algorithm")
    salt_size = 20 if given[2] is None else _only(given[2]).number()
    padded, bits = rsa_opened(key, signature)
    digest = hashlib.new(name, message).digest()
    if (bits - 1) % 8 == 0:
        if padded[0]:
            return False
        padded = padded[1:]
    masked, seed = padded[: -len(digest) - 1], padded[-len(digest) - 1 : -1]
    spare = 8 * len(padded) - bits + 1
    size = len(masked)
    blocks = range(-(-size // len(digest)))
    stream = b"".join(hashlib.new(name, seed + block.to_bytes(4, "big")).digest() for block in blocks)[:size]
    opened = bytes(a ^ b for a, b in zip(masked, stream))
    opened = bytes((opened[0] & 0xFF >> spare,)) + opened[1:]
    salt = opened[size - salt_size :] if 0 <= salt_size < size else b""
    due = bytes(size - len(salt) - 1) + b"\x01" + salt
    whole = len(salt) == salt_size and padded[-1] == 0xBC and masked[0] >> (8 - spare) == 0  # noqa: PLR2004
    return whole and opened == due and hashlib.new(name, bytes(8) + digest + salt).digest() == seed


def _only(value: Der) -> Der:
    """Give the one value within another."""
    children = value.children()
    if len(children) != 1:
        raise malformed()
    return children[0]


def hash_of(algorithm: Der) -> str:
    """Read an AlgorithmIdentifier of SHA-256, SHA-384 or SHA-512."""
    fields = Fields(algorithm)
    name = HASHES.get(fields.take(OBJECT_ID).body)
    fields.maybe(NULL)
    fields.end()
    if name is None:
        raise WrongError("不支持的摘要算法", "an unsupported digest algorithm")
    return name


@lru_cache(maxsize=256)
def signature_holds(key: bytes, algorithm: bytes, digest: str | None, message: bytes, signature: bytes) -> bool:
    """Check a signature by a SubjectPublicKeyInfo; `digest` is what a bare rsaEncryption is to be read with."""
    fields, info = Fields(read_der(algorithm)), Fields(read_der(key))
    identifier = fields.take(OBJECT_ID).body
    parameters = fields.maybe(SEQUENCE)
    fields.maybe(NULL)
    fields.end()
    kind, public = Fields(info.take(SEQUENCE)), info.take(BIT_STRING).body[1:]
    key_kind = kind.take(OBJECT_ID).body
    if identifier == RSA and digest is not None:
        how = ("rsa", digest)
    else:
        how = ("pss", "") if identifier == RSA_PSS else SIGNED_WITH.get(identifier, ("", ""))
    if digest is not None and how[0] in ("rsa", "ec") and how[1] != digest:
        raise WrongError("签名算法与摘要算法不一致", "the signature's algorithm does not go with the digest's")
    if how[0] == "ec" and key_kind == EC:
        curve = CURVES.get(kind.take(OBJECT_ID).body)
        if curve is None:
            raise WrongError("不支持的椭圆曲线", "an unsupported curve")
        return ecdsa_holds(curve, public, hashlib.new(how[1], message).digest(), signature)
    if how[0] == "rsa" and key_kind == RSA:
        return pkcs1_holds(public, how[1], hashlib.new(how[1], message).digest(), signature)
    if how[0] == "pss" and key_kind == RSA:
        return pss_holds(public, parameters, message, signature)
    raise WrongError("不支持的签名算法", "an unsupported signature algorithm")


# ---------------------------------------------------------------------------------------------------------------------
# Certificates (RFC 5280), as far as a timestamp authority's need

BASIC_CONSTRAINTS, KEY_USAGE = oid("2.5.29.19"), oid("2.5.29.15")
KEY_PURPOSE, KEY_IDENTIFIER = oid("2.5.29.37"), oid("2.5.29.14")
UNDERSTOOD = {BASIC_CONSTRAINTS, KEY_USAGE, KEY_PURPOSE, oid("2.5.29.32")}
"""Extensions that may be critical; the last, policies, restricts nothing where no policy is asked for."""
TIME_STAMPING, ANY_PURPOSE = oid("1.3.6.1.5.5.7.3.8"), oid("2.5.29.37.0")
MAY_SIGN, MAY_CERTIFY = 0b1100_0000, 0b0000_0100
"""Bits of the first byte of keyUsage: digitalSignature or nonRepudiation; keyCertSign."""
SHOWN_NAMES = (oid("2.5.4.3"), oid("2.5.4.10"), oid("2.5.4.6"))
CHAIN_LIMIT = 8
CHECKS_LIMIT = 16


class Certificate(NamedTuple):
    """A certificate taken apart; names, serial and key as they stand there."""

    raw: bytes
    signed: bytes
    algorithm: bytes
    signature: bytes
    serial: bytes
    issuer: bytes
    subject: bytes
    since: datetime
    until: datetime
    key: bytes
    extensions: dict[bytes, tuple[bool, bytes]]

    def purposes(self) -> list[bytes] | None:
        """Give the key purposes, or None where the certificate does not restrict them."""
        if KEY_PURPOSE not in self.extensions:
            return None
        return [purpose.body for purpose in Fields(read_der(self.extensions[KEY_PURPOSE][1])).left]

    def may(self, bits: int) -> bool:
        """Tell whether keyUsage allows one of these uses; without it, all are allowed."""
        if KEY_USAGE not in self.extensions:
            return True
        usage = read_der(self.extensions[KEY_USAGE][1])
        return usage.tag == BIT_STRING and bool(usage.body[1:2]) and bool(usage.body[1] & bits)

    def authority(self) -> tuple[bool, int | None]:
        """Tell whether it may certify others, and how many authorities may stand below it."""
        if BASIC_CONSTRAINTS not in self.extensions:
            return False, None
        fields = Fields(read_der(self.extensions[BASIC_CONSTRAINTS][1]))
        is_authority, below = fields.maybe(BOOLEAN), fields.maybe(INTEGER)
        fields.end()
        return is_authority is not None and is_authority.body != b"\x00", None if below is None else below.number()

    def not_understood(self) -> bool:
        """Tell whether it has a critical extension that is not looked at here."""
        return any(critical and kind not in UNDERSTOOD for kind, (critical, _) in self.extensions.items())


@lru_cache(maxsize=256)
def read_certificate(raw: bytes) -> Certificate:
    """Take a certificate apart (DER)."""
    outer = Fields(read_der(raw))
    signed, algorithm, signature = outer.take(SEQUENCE), outer.take(SEQUENCE), outer.take(BIT_STRING)
    outer.end()
    fields = Fields(signed)
    fields.maybe(tagged(0))
    serial, inner, issuer = fields.take(INTEGER), fields.take(SEQUENCE), fields.take(SEQUENCE)
    validity, subject, key = Fields(fields.take(SEQUENCE)), fields.take(SEQUENCE), fields.take(SEQUENCE)
    fields.maybe(tagged(1, constructed=False))
    fields.maybe(tagged(2, constructed=False))
    listed = fields.maybe(tagged(3))
    fields.end()
    moments = [read_time(moment) for moment in validity.left]
    if len(moments) != len(("since", "until")) or inner.raw != algorithm.raw or signature.body[0] != 0:
        raise malformed()
    extensions: dict[bytes, tuple[bool, bytes]] = {}
    for one in [] if listed is None else Fields(_only(listed)).left:
        extension = Fields(one)
        kind, critical = extension.take(OBJECT_ID).body, extension.maybe(BOOLEAN)
        if kind in extensions:
            raise malformed()
        extensions[kind] = critical is not None and critical.body != b"\x00", extension.take(OCTET_STRING).body
        extension.end()
    parts = (signed.raw, algorithm.raw, signature.body[1:], serial.body, issuer.raw, subject.raw)
    return Certificate(raw, *parts, moments[0], moments[1], key.raw, extensions)


def read_pem(content: bytes) -> list[Certificate]:
    """Read every certificate of a PEM file."""
    blocks = [block.partition(b"-----END CERTIFICATE-----") for block in content.split(b"-----BEGIN CERTIFICATE-----")]
    encoded = ["".join(block.decode("ascii", "replace").split()) for block, end, _ in blocks[1:] if end]
    return [read_certificate(strict_base64(one)) for one in encoded]


def shown_subject(name: bytes) -> str:
    """Write the parts of a name that tell people who it is."""
    found = {}
    for part in (pair for group in read_der(name).children() for pair in group.children()):
        fields = Fields(part)
        kind, value = fields.take(OBJECT_ID).body, fields.left[0] if fields.left else None
        if value is not None:
            encoding = "utf-16-be" if value.tag == BMP_STRING else "utf-8"
            found[kind] = value.body.decode(encoding, "replace")
    return printable(", ".join(found[kind] for kind in SHOWN_NAMES if kind in found))


class ChainSearch:
    """Looks for a chain from a certificate to one of the roots, valid at a moment."""

    def __init__(self, others: Sequence[Certificate], roots: Sequence[Certificate], at: datetime) -> None:
        anchors = [root for root in roots if root.issuer == root.subject]
        self.anchors = {root.raw for root in anchors}
        self.candidates = {one.raw: one for one in (*anchors, *roots, *others)}
        self.at = at
        self.checks_left = CHECKS_LIMIT
        self.reason = WrongError("证书链没有通到所信任的根证书", "the certificates lead to none of the roots")

    def root_of(self, certificate: Certificate, below: int = 0) -> Certificate | None:
        """Give the root that a certificate leads to; `below` authorities stand between it and the signer."""
        for raw, issuer in self.candidates.items():
            if issuer.subject != certificate.issuer or raw == certificate.raw or not self._signed(certificate, issuer):
                continue
            if (reason := self._unfit(issuer, below)) is not None:
                self.reason = reason
            elif raw in self.anchors:
                return issuer
            elif below < CHAIN_LIMIT and (root := self.root_of(issuer, below + 1)) is not None:
                return root
        return None

    def _signed(self, certificate: Certificate, issuer: Certificate) -> bool:
        self.checks_left -= 1
        if self.checks_left < 0:
            return False
        try:
            return signature_holds(issuer.key, certificate.algorithm, None, certificate.signed, certificate.signature)
        except WrongError as wrong:
            self.reason = wrong
            return False

    def _unfit(self, issuer: Certificate, below: int) -> WrongError | None:
        may_certify, limit = issuer.authority()
        purposes = issuer.purposes()
        if not may_certify or not issuer.may(MAY_CERTIFY) or (limit is not None and limit < below):
            return WrongError("上级证书无权签发证书", "an issuer may not certify")
        if purposes is not None and TIME_STAMPING not in purposes and ANY_PURPOSE not in purposes:
            return WrongError("上级证书不能用于时间戳", "an issuer is not for timestamps")
        if issuer.not_understood():
            return WrongError("上级证书有不认识的关键扩展", "an issuer has an unknown critical extension")
        if not issuer.since <= self.at <= issuer.until:
            return WrongError("上级证书在所盖时间无效", "an issuer was not valid at the stamped time")
        return None


# ---------------------------------------------------------------------------------------------------------------------
# Timestamps (RFC 3161 in CMS, RFC 5652)

SIGNED_DATA, TST_INFO = oid("1.2.840.113549.1.7.2"), oid("1.2.840.113549.1.9.16.1.4")
CONTENT_TYPE, MESSAGE_DIGEST = oid("1.2.840.113549.1.9.3"), oid("1.2.840.113549.1.9.4")
SIGNING_CERTIFICATE, SIGNING_CERTIFICATE_V2 = oid("1.2.840.113549.1.9.16.2.12"), oid("1.2.840.113549.1.9.16.2.47")
GRANTED = (0, 1)
DATA_VERSION = 3
SIGNER_VERSIONS = {SEQUENCE: 1, tagged(0, constructed=False): 3}
"""By how the signer names its certificate: issuer and serial, or key identifier (RFC 5652, 5.3)."""


class Token(NamedTuple):
    """A timestamp taken apart."""

    info: bytes
    certificates: list[Certificate]
    signer: Der
    digest: str
    attributes: Der
    algorithm: bytes
    signature: bytes


class Stamp(NamedTuple):
    """A timestamp that holds: when, by whom, under which root."""

    at: datetime
    serial: int
    signer: str
    root: bytes


@lru_cache(maxsize=64)
def check_timestamp(response: bytes, message: bytes, roots_pem: bytes, more_pem: bytes = b"") -> Stamp:
    """Check a TimeStampResp over a message by certificates that lead to one of the roots (PEM).

    `more_pem` are certificates that may stand between. Raises WrongError, which says what does not hold.
    """
    token = read_token(response)
    imprint, at, serial = read_info(token.info)
    if imprint != hashlib.sha256(message).digest():
        raise WrongError("时间戳盖的不是这个检查点", "the timestamp is over something else")
    signer = _signer_certificate(token)
    _check_attributes(token, signer)
    signed = bytes((SET,)) + token.attributes.raw[1:]
    if not signature_holds(signer.key, token.algorithm, token.digest, signed, token.signature):
        raise WrongError("时间戳的签名无效", "the timestamp's signature is invalid")
    _check_signer(signer, at)
    search = ChainSearch([*token.certificates, *read_pem(more_pem)], read_pem(roots_pem), at)
    root = search.root_of(signer)
    if root is None:
        raise search.reason
    return Stamp(at, serial, shown_subject(signer.subject), hashlib.sha256(root.raw).digest())


def read_token(response: bytes) -> Token:
    """Take a granted TimeStampResp apart."""
    outer = Fields(read_der(response))
    if Fields(outer.take(SEQUENCE)).take(INTEGER).number() not in GRANTED:
        raise WrongError("时间戳机构没有盖时间戳", "the authority did not grant a timestamp")
    content = Fields(outer.take(SEQUENCE))
    outer.end()
    if content.take(OBJECT_ID).body != SIGNED_DATA:
        raise malformed()
    data = Fields(_only(content.take(tagged(0))))
    content.end()
    version, digests = data.take(INTEGER).number(), data.take(SET)
    inner, certificates = Fields(data.take(SEQUENCE)), data.maybe(tagged(0))
    data.maybe(tagged(1))
    signers = data.take(SET)
    data.end()
    if inner.take(OBJECT_ID).body != TST_INFO:
        raise WrongError("不是时间戳", "not a timestamp")
    info = _only(inner.take(tagged(0)))
    inner.end()
    signer = Fields(_only(signers))
    signer_version = signer.take(INTEGER).number()
    by_name = signer.maybe(SEQUENCE)
    named = by_name if by_name is not None else signer.take(tagged(0, constructed=False))
    digest = hash_of(signer.take(SEQUENCE))
    attributes, algorithm = signer.take(tagged(0)), signer.take(SEQUENCE)
    signature = signer.take(OCTET_STRING)
    signer.maybe(tagged(1))
    signer.end()
    versions = (DATA_VERSION, SIGNER_VERSIONS[named.tag])
    if (version, signer_version) != versions or info.tag != OCTET_STRING:
        raise malformed()
    if digest not in [hash_of(one) for one in digests.children()]:
        raise malformed()
    carried = [] if certificates is None else certificates.children()
    known = [read_certificate(one.raw) for one in carried if one.tag == SEQUENCE]
    return Token(info.body, known, named, digest, attributes, algorithm.raw, signature.body)


def read_info(content: bytes) -> tuple[bytes, datetime, int]:
    """Read a TSTInfo: the SHA-256 it is over, its time and its serial number."""
    fields = Fields(read_der(content))
    version = fields.take(INTEGER).number()
    fields.take(OBJECT_ID)
    imprint, serial = Fields(fields.take(SEQUENCE)), fields.take(INTEGER).number()
    at = read_time(fields.take(GENERALIZED_TIME))
    for tag in (SEQUENCE, BOOLEAN, INTEGER, tagged(0), tagged(1)):  # accuracy, ordering, nonce, tsa, extensions
        fields.maybe(tag)
    fields.end()
    name, digest = hash_of(imprint.take(SEQUENCE)), imprint.take(OCTET_STRING).body
    imprint.end()
    if version != 1 or name != "sha256":
        raise WrongError("时间戳不是对 SHA-256 所盖", "the timestamp is not over a SHA-256")
    return digest, at, serial


def _signer_certificate(token: Token) -> Certificate:
    """Find the certificate that the signer names, by issuer and serial or by key identifier."""
    for certificate in token.certificates:
        if token.signer.tag == SEQUENCE:
            fields = Fields(token.signer)
            issuer, serial = fields.take(SEQUENCE), fields.take(INTEGER)
            fields.end()
            if (issuer.raw, serial.body) == (certificate.issuer, certificate.serial):
                return certificate
        else:
            _, identifier = certificate.extensions.get(KEY_IDENTIFIER, (False, b""))
            if identifier and read_der(identifier).body == token.signer.body:
                return certificate
    raise WrongError("时间戳没有附上签署它的证书", "the timestamp does not carry its signer's certificate")


def _check_attributes(token: Token, signer: Certificate) -> None:
    """Check what is signed: that it is a timestamp, its digest, and which certificate it is to be read with."""
    attributes: dict[bytes, Der] = {}
    for one in token.attributes.children():
        fields = Fields(one)
        kind, value = fields.take(OBJECT_ID).body, fields.take(SET)
        fields.end()
        if kind in attributes:
            raise malformed()
        attributes[kind] = value
    content = attributes.get(CONTENT_TYPE)
    digest = attributes.get(MESSAGE_DIGEST)
    if content is None or digest is None or _only(content).body != TST_INFO:
        raise WrongError("时间戳缺少必须签署的内容", "the timestamp lacks what must be signed")
    if _only(digest).body != hashlib.new(token.digest, token.info).digest():
        raise WrongError("时间戳内容的摘要不符", "the timestamp's own digest does not hold")
    named = [(kind, attributes[kind]) for kind in (SIGNING_CERTIFICATE, SIGNING_CERTIFICATE_V2) if kind in attributes]
    if not named or not all(_names(signer, _only(value), kind) for kind, value in named):
        raise WrongError("时间戳没有指明这张证书", "the timestamp does not name this certificate")


def _names(certificate: Certificate, value: Der, kind: bytes) -> bool:
    """Tell whether a SigningCertificate (RFC 2634) or its second version (RFC 5816) begins with this certificate."""
    listed = Fields(Fields(value).take(SEQUENCE))
    fields = Fields(listed.take(SEQUENCE))
    if kind == SIGNING_CERTIFICATE:
        # SHA-1 only says which of the certificates is meant; the signature itself is made with SHA-2.
        digest = hashlib.new("sha1", certificate.raw, usedforsecurity=False).digest()
    else:
        algorithm = fields.maybe(SEQUENCE)
        digest = hashlib.new("sha256" if algorithm is None else hash_of(algorithm), certificate.raw).digest()
    is_it = fields.take(OCTET_STRING).body == digest
    if (issued := fields.maybe(SEQUENCE)) is not None:
        issuer = Fields(issued)
        names, serial = issuer.take(SEQUENCE).children(), issuer.take(INTEGER)
        is_named = [one.tag == tagged(4) and _only(one).raw == certificate.issuer for one in names]
        is_it = is_it and serial.body == certificate.serial and is_named == [True]
    fields.end()
    return is_it


def _check_signer(signer: Certificate, at: datetime) -> None:
    """Check that the signer's certificate is for timestamps and nothing else, and was valid at that time."""
    if signer.purposes() != [TIME_STAMPING] or not signer.extensions[KEY_PURPOSE][0]:
        raise WrongError("签署证书不是专用于时间戳的", "the signer's certificate is not for timestamps alone")
    if signer.authority()[0] or not signer.may(MAY_SIGN) or signer.not_understood():
        raise WrongError("签署证书不能用于签署时间戳", "the signer's certificate may not sign timestamps")
    if not signer.since <= at <= signer.until:
        raise WrongError("签署证书在所盖时间无效", "the signer's certificate was not valid at the stamped time")


# ---------------------------------------------------------------------------------------------------------------------
# The manifest's form

NAME_LIMIT = 100
NUMBER_LIMIT = 999_999
NAME = re.compile(r"[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)*|VERIFY\.txt")
HEX64 = re.compile(r"[0-9a-f]{64}")
HEX8 = re.compile(r"[0-9a-f]{8}")
SECOND = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
MICROSECOND = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
WORD = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
ROLES = {
    *("item", "preview", "record", "proof", "checkpoint", "witnesses", "timestamp", "authority", "key", "ruling"),
    *("index", "paper", "verifier", "guide", "document"),
}
REFERRED = ("item", "preview", "record", "proof", "checkpoint", "witnesses", "timestamp", "authority")
"""Roles of entries that the manifest's lists point at; one that nothing points at has no place in a pack."""
KEPT_TO_THE_END = ("checkpoint", "witnesses", "timestamp", "authority", "key")
FILE_IN = {
    "items": re.compile(r"items/[^/]+"),
    "previews": re.compile(r"previews/[^/]+"),
    "checkpoints": re.compile(r"checkpoints/(0|[1-9][0-9]{0,15})\.txt"),
    "timestamps": re.compile(r"timestamps/[^/]+\.tsr"),
    "authorities": re.compile(r"authorities/[^/]+\.pem"),
}
"""What files of these folders are called."""
PARTS = ("items", "records", "proofs", "checkpoints", "timestamps", "ruling")
REQUIRED = {"VERIFY.txt": "guide", "keys/signer.pem": "key", "verify.py": "verifier"}


def text(limit: int) -> Callable[[Any], bool]:
    """Accept text of at most `limit` characters."""
    return lambda value: isinstance(value, str) and len(value) <= limit


def matching(pattern: re.Pattern[str]) -> Callable[[Any], bool]:
    """Accept text that matches wholly."""
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def integer(limit: int = INTEGER_LIMIT, least: int = 0) -> Callable[[Any], bool]:
    """Accept an integer from `least` to `limit`."""
    return lambda value: type(value) is int and least <= value <= limit


def one_of(*values: str) -> Callable[[Any], bool]:
    """Accept one of some words."""
    return lambda value: isinstance(value, str) and value in values


def entry_name(value: Any) -> bool:
    """Accept the name of an entry."""
    return isinstance(value, str) and len(value) <= NAME_LIMIT and NAME.fullmatch(value) is not None


class Maybe(NamedTuple):
    """A shape, or null."""

    shape: Any


SHAPE: Any = {
    "format": one_of(FORMAT),
    "variant": one_of("full", "redacted"),
    "about": {"order": Maybe(text(100)), "case": Maybe(text(100)), "title": text(500)},
    "made_at": matching(SECOND),
    "signer": text(300),
    "log": Maybe({"origin": text(200), "key": text(300)}),
    "parts": {part: integer() for part in PARTS},
    "files": [
        {
            "name": entry_name,
            "size": integer(ENTRY_LIMIT),
            "crc32": matching(HEX8),
            "sha256": matching(HEX64),
            "role": one_of(*ROLES),
        },
    ],
    "items": [
        {
            "no": integer(NUMBER_LIMIT, 1),
            "name": text(500),
            "media_type": text(100),
            "size": integer(),
            "sha256": matching(HEX64),
            "record": Maybe(integer(NUMBER_LIMIT, 1)),
            "file": Maybe(entry_name),
            "shown": one_of("original", "preview", "withheld"),
        },
    ],
    "records": [
        {
            "no": integer(NUMBER_LIMIT, 1),
            "kind": matching(WORD),
            "commitment": Maybe(matching(HEX64)),
            "body": Maybe(entry_name),
            "proof": Maybe(entry_name),
        },
    ],
    "checkpoints": [
        {
            "file": entry_name,
            "witnesses": Maybe(entry_name),
            "timestamps": [{"authority": text(200), "file": entry_name, "roots": entry_name}],
        },
    ],
    "absent": [{"part": matching(WORD), "why": text(500)}],
}
"""The manifest: exactly these keys, and what each may hold."""


def out_of_shape(value: Any, shape: Any, path: str = "") -> str | None:
    """Give the path of the first value that is not of the shape, or None."""
    if isinstance(shape, Maybe):
        return None if value is None else out_of_shape(value, shape.shape, path)
    if isinstance(shape, dict):
        if not isinstance(value, dict) or value.keys() != shape.keys():
            return path or "/"
        found = (out_of_shape(value[key], inner, f"{path}/{key}") for key, inner in shape.items())
        return next((where for where in found if where is not None), None)
    if isinstance(shape, list):
        if not isinstance(value, list):
            return path
        found = (out_of_shape(one, shape[0], f"{path}/{index}") for index, one in enumerate(value))
        return next((where for where in found if where is not None), None)
    return None if shape(value) else path


def is_time(value: Any, pattern: re.Pattern[str]) -> bool:
    """Tell whether the text is a time in UTC that exists."""
    if not isinstance(value, str) or pattern.fullmatch(value) is None:
        return False
    try:
        datetime.strptime(value[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    except ValueError:
        return False
    return True


class Manifest:
    """A manifest of the right shape, and what its lists say about each entry."""

    def __init__(self, value: dict[str, Any]) -> None:
        self.value = value
        self.entries = [
            Entry(one["name"], one["size"], int(one["crc32"], 16), one["sha256"], one["role"]) for one in value["files"]
        ]
        self.by_name = {entry.name: entry for entry in self.entries}
        self.items: list[dict[str, Any]] = value["items"]
        self.records: list[dict[str, Any]] = value["records"]
        self.checkpoints: list[dict[str, Any]] = value["checkpoints"]
        self.stamps = [(point, stamp) for point in self.checkpoints for stamp in point["timestamps"]]
        self.item_of = {item["file"]: item for item in self.items if item["file"] is not None}
        self.record_of = {r[part]: r for r in self.records for part in ("body", "proof") if r[part] is not None}

    def fault(self, code: str, zh: str, en: str, entry: str) -> Fault:
        """Make a fault about an entry, with the number of the item or record it belongs to."""
        item, record = self.item_of.get(entry), self.record_of.get(entry)
        return Fault(code, zh, en, entry, item and item["no"], record and record["no"])


def read_manifest(content: bytes) -> tuple[Manifest | None, list[Fault]]:
    """Read the manifest; where its shape is wrong there is nothing to go on, other faults leave it readable."""
    try:
        value = read_json(content)
    except WrongError as wrong:
        return None, [Fault("json", wrong.zh, wrong.en, MANIFEST)]
    if isinstance(value, dict) and str(value.get("format", FORMAT)) != FORMAT:
        zh, en = f"本程序只认得 {FORMAT} 格式", f"this verifier only knows the format {FORMAT}"
        return None, [Fault("format", zh, en, MANIFEST)]
    if (where := out_of_shape(value, SHAPE)) is not None:
        return None, [Fault("shape", f"{where} 处的值不符合格式", f"the value at {where} does not fit", MANIFEST)]
    manifest = Manifest(value)
    faults = [*_file_faults(manifest), *_list_faults(manifest), *_number_faults(manifest), *_part_faults(manifest)]
    if not is_time(value["made_at"], SECOND):
        faults.append(Fault("time", "made_at 不是存在的时间", "made_at is no time that exists", MANIFEST))
    return manifest, faults


def _file_faults(manifest: Manifest) -> Iterator[Fault]:
    names = [entry.name for entry in manifest.entries]
    if names != sorted(set(names)):
        yield Fault(
            "order", "文件没有按名称排序，或有重复", "files are not sorted by name, or are named twice", MANIFEST
        )
    folders = {name[:at] for name in names for at, char in enumerate(name) if char == "/"}
    for name in names:
        if name in (MANIFEST, SIGNATURE, "verify.txt") or name in folders:
            yield Fault("name", f"文件名 {name} 不可用", f"the name {name} cannot be used", MANIFEST)
    for name, role in REQUIRED.items():
        if name not in manifest.by_name or manifest.by_name[name].role != role:
            yield Fault("required", f"缺少 {name}", f"{name} is missing", MANIFEST)
    for entry in manifest.entries:
        if entry.size > KEPT_LIMITS.get(entry.role or "", ENTRY_LIMIT):
            yield manifest.fault("too_large", "文件过大", "the file is too large", entry.name)
    if sum(entry.size for entry in manifest.entries if entry.role in KEPT_TO_THE_END) > KEPT_TOTAL:
        yield Fault("too_large", "检查点、时间戳等文件合计过大", "checkpoints and timestamps are too large", MANIFEST)


def _list_faults(manifest: Manifest) -> Iterator[Fault]:
    """Check that the lists point at the entries they must, and that every such entry is pointed at."""
    pointed = list(_pointers(manifest))
    for name, role, fits in pointed:
        entry = manifest.by_name.get(name)
        if entry is None or entry.role != role or not fits:
            yield manifest.fault("pointer", "清单指向的文件不存在或类别不符", "no such file in this role", name)
    names = [name for name, role, _ in pointed if role != "authority"]
    if len(set(names)) != len(names):
        yield Fault("pointer", "两处指向同一个文件", "two places point at one file", MANIFEST)
    everything = {name for name, _, _ in pointed}
    for entry in manifest.entries:
        if entry.role in REFERRED and entry.name not in everything:
            yield Fault(
                "unlisted", "清单的条目中没有提到这个文件", "no list of the manifest names this file", entry.name
            )
    if len(manifest.checkpoints) > CHECKPOINTS_LIMIT or len(manifest.stamps) > TIMESTAMPS_LIMIT:
        yield Fault("too_many", "检查点或时间戳过多", "too many checkpoints or timestamps", MANIFEST)


def _number_faults(manifest: Manifest) -> Iterator[Fault]:
    """Check that numbers rise, and that items and records do not contradict themselves."""
    for numbered in (manifest.items, manifest.records):
        numbers = [one["no"] for one in numbered]
        if any(later <= earlier for earlier, later in zip(numbers, numbers[1:])):
            yield Fault("numbers", "编号没有递增", "the numbers do not rise", MANIFEST)
    logged = manifest.value["log"] is not None
    for item in manifest.items:
        if (item["file"] is None) != (item["shown"] == "withheld") or (item["record"] is None and logged):
            yield Fault("item", "该项的写法自相矛盾", "the item contradicts itself", item=item["no"])
    for record in manifest.records:
        if (record["proof"] is None) != (record["commitment"] is None) or record["proof"] == record["body"]:
            yield Fault("record", "该条的写法自相矛盾", "the record contradicts itself", record=record["no"])


def _pointers(manifest: Manifest) -> Iterator[tuple[str, str, bool]]:
    """Give each name the lists point at, the role it must have, and whether it is the name that is due."""
    for item in manifest.items:
        if (name := item["file"]) is not None:
            role, folder = ("preview", "previews") if item["shown"] == "preview" else ("item", "items")
            yield name, role, FILE_IN[folder].fullmatch(name) is not None
    for record in manifest.records:
        if (name := record["body"]) is not None:
            yield name, "record", name == f"records/{record['no']:06}.json"
        if (name := record["proof"]) is not None:
            yield name, "proof", name == f"proofs/{record['no']:06}.tlog-proof"
    for point in manifest.checkpoints:
        name = point["file"]
        yield name, "checkpoint", FILE_IN["checkpoints"].fullmatch(name) is not None
        if point["witnesses"] is not None:
            yield point["witnesses"], "witnesses", point["witnesses"] == f"{name[:-4]}.witnesses"
        for stamp in point["timestamps"]:
            yield stamp["file"], "timestamp", FILE_IN["timestamps"].fullmatch(stamp["file"]) is not None
            yield stamp["roots"], "authority", FILE_IN["authorities"].fullmatch(stamp["roots"]) is not None


def _part_faults(manifest: Manifest) -> Iterator[Fault]:
    """Check the counts of `parts`, and that what is not there is said to be absent."""
    proofs = sum(record["proof"] is not None for record in manifest.records)
    counted = {
        "items": len(manifest.items),
        "records": len(manifest.records),
        "proofs": proofs,
        "checkpoints": len(manifest.checkpoints),
        "timestamps": len(manifest.stamps),
        "ruling": int("ruling/ruling.json" in manifest.by_name),
    }
    absent = {one["part"] for one in manifest.value["absent"]}
    for part, number in counted.items():
        if manifest.value["parts"][part] != number:
            yield Fault("parts", f"{part} 的数目应为 {number}", f"the number of {part} should be {number}", MANIFEST)
        if number == 0 and part not in ("items", "ruling") and part not in absent:
            yield Fault("absent", f"没有说明为何缺少 {part}", f"nothing says why {part} are absent", MANIFEST)
    if 0 < proofs < len(manifest.records) and "proofs" not in absent:
        yield Fault("absent", "没有说明为何有记录缺少证明", "nothing says why records lack proofs", MANIFEST)
    if manifest.value["log"] is None and (proofs or manifest.checkpoints):
        yield Fault("log", "有证明而没有日志", "there are proofs but no log", MANIFEST)
    if ("keys/log.pem" in manifest.by_name) != (manifest.value["log"] is not None):
        yield Fault("required", "keys/log.pem 与清单的 log 不一致", "keys/log.pem does not go with the log", MANIFEST)


# ---------------------------------------------------------------------------------------------------------------------
# The examination


@dataclass(frozen=True)
class Pins:
    """What the reader trusts beforehand; nothing is pinned by default."""

    signers: Sequence[VerifierKey] = ()
    logs: Sequence[VerifierKey] = ()
    witnesses: Sequence[VerifierKey] = ()
    """Each of these must have cosigned the checkpoint in which the proofs end."""
    authorities: bytes | None = None
    """Certificates in PEM; timestamps must lead to one of them instead of to those in the pack."""
    verifiers: frozenset[str] | None = None
    """SHA-256 digests (hex) of the releases of this file; `verify.py` in the pack must be one of them."""
    known_verifiers: frozenset[str] | None = None
    """The same for releases that the reader knows: another one is told, since it says nothing about the evidence."""


NO_PINS = Pins()


def check(path: str | os.PathLike[str], pins: Pins = NO_PINS, progress: Progress | None = None) -> Report:
    """Examine a pack; `progress` is told the bytes read and those there are. Never raises for what is in the file."""
    try:
        if not stat.S_ISREG(Path(path).stat().st_mode):
            return Report(refused=Said("不是普通文件", "not a regular file"))
        with Path(path).open("rb", buffering=0) as file:
            return _Examination(file, os.fstat(file.fileno()).st_size, pins, progress).run()
    except OSError as error:
        return Report(refused=Said(f"文件无法读取（{error.strerror}）", f"the file cannot be read ({error.strerror})"))


class _Examination:
    """One pass over a pack; each method fills in one check of the report."""

    def __init__(self, file: FileIO, size: int, pins: Pins, progress: Progress | None) -> None:
        self.file = file
        self.size = size
        self.pins = pins
        self.progress = progress
        self.report = Report()
        self.checks = self.report.checks
        self.manifest: Manifest
        self.lists_hold = False
        """Whether the manifest's lists go together, without which nothing that they point at can be judged."""
        self.buffer = bytearray(BUFFER)
        self.damaged: set[str] = set()
        """Entries whose content is not what the manifest says, or that could not be read."""
        self.kept: dict[str, bytes] = {}
        self.salts: dict[int, bytes | None] = {}
        """Of the records whose proof could be read: the salt in it."""
        self.places: set[int] = set()
        self.proof_ends: set[bytes] = set()
        self.roots: dict[bytes, Checkpoint] = {}
        """The checkpoints by their notes' bytes."""
        self.bodies: dict[int, dict[str, Any]] = {}
        """What records say, as far as other checks need it."""

    def run(self) -> Report:
        """Examine everything."""
        found = self._find_manifest()
        if found is None:
            self.report.refused = Said(
                "不是 ZIP，或其中没有卡保证据包的清单", "not a ZIP, or no manifest of kabao in it"
            )
            return self.report
        content, signature = found
        manifest, faults = read_manifest(content)
        self.checks["manifest"].faults += faults
        self.checks["manifest"].ends("规范", "canonical")
        self._check_signature(content, signature)
        if manifest is None:
            return self.report
        self.manifest = manifest
        self.lists_hold = not faults
        self._describe()
        self._stream(content, signature)
        self._check_verifier()
        self._check_keys()
        if not self.lists_hold:
            return self.report
        self._check_items()
        self._end_records_and_proofs()
        self._check_checkpoints()
        self._check_witnesses()
        self._check_timestamps()
        return self.report

    # What the pack is

    def _find_manifest(self) -> tuple[bytes, bytes] | None:
        """Find the manifest and its signature at the front or, in a damaged pack, by the directory at the end."""
        listed = {one.name: one for one in listed_in_directory(self.file, self.size) or ()}
        content = self._content_of(MANIFEST, 0, listed.get(MANIFEST), MANIFEST_LIMIT, _looks_like_json)
        if content is None:
            return None
        after = len(local_header(MANIFEST, 0, 0)) + len(content)
        signature = self._content_of(SIGNATURE, after, listed.get(SIGNATURE), SIGNATURE_LIMIT, _looks_like_a_note)
        if signature is None and not content.startswith(b'{"about":{') and b"kabao-pack" not in content:
            return None
        return content, signature or b""

    def _content_of(
        self, name: str, offset: int, listed: Listed | None, limit: int, fits: Callable[[bytes], bool]
    ) -> bytes | None:
        """Read a small entry at its place; where its header is damaged, by what the directory says."""
        header = len(local_header(name, 0, 0))
        head = _read_at(self.file, offset, header)
        candidates = []
        if len(head) == header and (head[LOCAL.size :] == name.encode() or listed is not None):
            candidates.append((offset + header, LOCAL.unpack_from(head)[8]))
        if listed is not None:
            candidates += [(offset + header, listed.size), (listed.offset + header, listed.size)]
        contents = [_read_at(self.file, at, size) for at, size in candidates if size <= limit]
        return next((one for one in contents if fits(one)), contents[0] if contents else None)

    def _describe(self) -> None:
        value = self.manifest.value
        self.report.about = {
            **value["about"],
            "variant": value["variant"],
            "made_at": value["made_at"],
            "parts": value["parts"],
            "signer": value["signer"],
            "log": value["log"],
            "items": [
                {key: item[key] for key in ("no", "name", "media_type", "size", "sha256", "shown", "file")}
                for item in self.manifest.items
            ],
        }
        self.report.absent += [(one["part"], Said(one["why"], one["why"])) for one in value["absent"]]

    # The signature

    def _check_signature(self, content: bytes, signature: bytes) -> None:
        done = self.checks["signature"]
        signer = _signer_of(content)
        with _noting(done, "signature", SIGNATURE):
            self._signed_by(read_verifier_key(signer), content, signature)
        done.ends(f"由 {signer} 签署", f"signed by {signer}")
        if done.state == "ok" and not self.pins.signers:
            self.report.notes.append(
                Said(
                    f"没有指定签名人：请把 {signer} 与平台在 /verify 页公布的公钥比较。",
                    f"No signer was named: compare {signer} with the key that the platform publishes on /verify.",
                )
            )

    def _signed_by(self, key: VerifierKey, content: bytes, signature: bytes) -> None:
        if open_note(signature, key) != f"{FORMAT}\n{hashlib.sha256(content).hexdigest()}\n":
            raise WrongError("签名签的不是这份清单", "the signature is over another manifest")
        if self.pins.signers and key not in self.pins.signers:
            raise WrongError("签名人不是您指定的", "signed by a key that you did not name")

    # The pass over the bytes

    def _stream(self, content: bytes, signature: bytes) -> None:
        """Compare every header with the one that is due, hash every content, and look into what needs it."""
        entries = [
            Entry(MANIFEST, len(content), zlib.crc32(content)),
            Entry(SIGNATURE, len(signature), zlib.crc32(signature)),
            *self.manifest.entries,
        ]
        offsets, directory = [], bytearray()
        offset = 0
        for entry in entries:
            offsets.append(offset)
            directory += central_header(entry.name, entry.crc32, entry.size, offset)
            offset += len(local_header(entry.name, 0, 0)) + entry.size
        tail = bytes(directory) + end_records(len(entries), len(directory), offset)
        due = offset + len(tail)
        if self.size != due:
            zh, en = f"文件应有 {due} 字节，实有 {self.size}", f"the file should have {due} bytes and has {self.size}"
            self.checks["zip"].faults.append(Fault("size", zh, en))
        read_up_to = 0
        for entry, at in zip(entries, offsets):
            header = local_header(entry.name, entry.crc32, entry.size)
            found = _read_at(self.file, at, len(header))
            if found != header:
                self._header_fault(entry, found, header, LOCAL, LOCAL_FIELDS)
                if self.size != due:  # what stands here is another entry; what follows cannot be told apart
                    break
            if not self._content(entry, at + len(header)):
                break
            read_up_to += 1
        else:
            self._check_directory(entries, offset, tail)
        self.damaged |= {entry.name for entry in entries[read_up_to:]}
        self._end_zip(entries, read_up_to)

    def _content(self, entry: Entry, offset: int) -> bool:
        """Hash an entry's content, which starts here; False where the file ends before it does."""
        digest, left = hashlib.sha256(), entry.size
        keep = bytearray() if entry.role in KEPT_LIMITS and entry.size <= KEPT_LIMITS[entry.role] else None
        view = memoryview(self.buffer)
        self.file.seek(offset)
        while left:
            got = self.file.readinto(view[: min(left, BUFFER)])
            if not got:
                zh, en = "文件在这个条目中间就结束了", "the file ends in the middle of this entry"
                self.checks["zip"].faults.append(self.manifest.fault("ends_early", zh, en, entry.name))
                return False
            digest.update(view[:got])
            if keep is not None:
                keep += view[:got]
            left -= got
            if self.progress is not None:
                self.progress(offset + entry.size - left, self.size)
        if entry.sha256 is not None and digest.hexdigest() != entry.sha256:
            zh, en = "内容与清单的 SHA-256 不符", "the content does not have the manifest's SHA-256"
            self.checks["entries"].faults.append(self.manifest.fault("digest", zh, en, entry.name))
            self.damaged.add(entry.name)
        elif keep is not None:
            self._look_into(entry, bytes(keep))
        return True

    def _look_into(self, entry: Entry, content: bytes) -> None:
        """Take from a whole entry what later checks need; proofs and records are done with at once."""
        if not self.lists_hold and entry.role != "key":
            return
        record = self.manifest.record_of.get(entry.name)
        if entry.role == "proof" and record is not None and record["proof"] == entry.name:
            self._check_proof(record, content)
        elif entry.role == "record" and record is not None and record["body"] == entry.name:
            self._check_record(record, content)
        elif entry.role in KEPT_TO_THE_END:
            self.kept[entry.name] = content

    def _header_fault(
        self, entry: Entry, found: bytes, due: bytes, header: struct.Struct, names: Sequence[str]
    ) -> None:
        for name in differing_fields(found, due, header, names):
            target = self.checks["entries" if name in ("size", "crc32") else "zip"]
            zh, en = f"文件头的 {name} 不符", f"the header's {name} is not the one that is due"
            target.faults.append(self.manifest.fault(name, zh, en, entry.name))

    def _check_directory(self, entries: list[Entry], offset: int, tail: bytes) -> None:
        """Compare the directory and the end records, and see that nothing follows."""
        if (found := _read_at(self.file, offset, len(tail) + 1)) == tail:
            return
        at, place = 0, 0
        for entry in entries:
            header = central_header(entry.name, entry.crc32, entry.size, place)
            if found[at : at + len(header)] != header:
                self._header_fault(entry, found[at : at + len(header)], header, CENTRAL, CENTRAL_FIELDS)
                if self.size != offset + len(tail):
                    return
            at += len(header)
            place += len(local_header(entry.name, 0, 0)) + entry.size
        if found[at : len(tail)] != tail[at:]:
            self.checks["zip"].faults.append(
                Fault("end", "目录结束标记不符", "the end record is not the one that is due")
            )
        if len(found) > len(tail):
            self.checks["zip"].faults.append(
                Fault("after", "压缩包之后还有内容", "something follows the end of the ZIP")
            )

    def _end_zip(self, entries: list[Entry], read: int) -> None:
        done = self.checks["zip"]
        if done.faults or self.checks["entries"].faults:
            done.faults += self._differences(entries)
        if read < len(entries):
            zh, en = "从这个文件起无法核验", "nothing could be checked from this file on"
            self.checks["entries"].faults.append(self.manifest.fault("unread", zh, en, entries[read].name))
        done.ends(
            f"规范，{len(entries)} 个文件，{self.size} 字节", f"canonical, {len(entries)} files, {self.size} bytes"
        )
        number = len(self.manifest.entries)
        self.checks["entries"].ends(f"{number} 个文件与清单一致", f"{number} files are as the manifest says")

    def _differences(self, entries: list[Entry]) -> Iterator[Fault]:
        """Say by names how a ZIP that is not canonical differs: added, missing, renamed, twice, in another order."""
        listed = listed_in_directory(self.file, self.size)
        if listed is None:
            yield Fault("directory", "找不到目录", "there is no directory")
            return
        names, due = [one.name for one in listed], {entry.name: entry for entry in entries}
        contents = {(one.size, one.crc32): one.name for one in listed if one.name not in due}
        there = set(names)
        renamed = set()
        for entry in entries:
            if entry.name in there:
                continue
            if (new := contents.get((entry.size, entry.crc32))) is not None:
                renamed.add(new)
                zh, en = f"被改名为 {new}", f"was renamed to {new}"
                yield self.manifest.fault("renamed", zh, en, entry.name)
            else:
                yield self.manifest.fault("missing", "清单里有，压缩包里没有", "is in the manifest only", entry.name)
        for name in sorted(there - due.keys() - renamed):
            yield Fault("added", "压缩包里有，清单里没有", "is in the ZIP only", name)
        for name in sorted(name for name, times in Counter(names).items() if times > 1):
            yield self.manifest.fault("twice", "出现了不止一次", "is there more than once", name)
        if (shared := [name for name in names if name in due]) != [name for name in due if name in there]:
            first = next((a for a, b in zip(shared, (name for name in due if name in there)) if a != b), shared[-1])
            yield self.manifest.fault("order", "不在应有的位置", "is out of order", first)
        for one in listed:
            if (it := due.get(one.name)) is not None and (one.size, one.crc32) != (it.size, it.crc32):
                yield self.manifest.fault(
                    "replaced", "大小或 CRC-32 与清单不符", "has another size or CRC-32", one.name
                )

    # What the entries are

    def _check_verifier(self) -> None:
        done, entry = self.checks["verifier"], self.manifest.by_name.get("verify.py")
        if entry is None or entry.name in self.damaged:
            done.faults.append(Fault("damaged", "不是清单所写的那个", "is not the one the manifest names", "verify.py"))
        elif self.pins.verifiers is not None and entry.sha256 not in self.pins.verifiers:
            zh = "不是已知的版本；请不要运行包里的 verify.py"
            done.faults.append(Fault("unknown", zh, "is no known release; do not run the one in the pack", "verify.py"))
        elif self.pins.known_verifiers is not None and entry.sha256 not in self.pins.known_verifiers:
            zh = "提示：包里的 verify.py 不是本机认得的版本，请不要运行它。"
            en = "Hint: the verify.py in the pack is no release that is known here; do not run it."
            self.report.notes.append(Said(zh, en))
        done.ends("与清单一致", "is the one the manifest names")

    def _check_keys(self) -> None:
        """Check that the PEM files, which OpenSSL reads, hold the keys that the manifest names."""
        done, value = self.checks["keys"], self.manifest.value
        due = {"keys/signer.pem": value["signer"]}
        if value["log"] is not None:
            due["keys/log.pem"] = value["log"]["key"]
        for name, key in due.items():
            with _noting(done, "key", name):
                if self._whole(name) != ed25519_pem(read_verifier_key(key).key):
                    raise WrongError("不是清单里的那把公钥", "is not the manifest's key")
        done.ends("与清单里的公钥一致", "are the keys of the manifest")

    def _whole(self, name: str) -> bytes:
        """Give an entry that was kept; raises where it is damaged."""
        if name not in self.kept:
            raise WrongError("文件缺失或已损坏", "the file is missing or damaged")
        return self.kept[name]

    def _check_proof(self, record: dict[str, Any], content: bytes) -> None:
        """Check one record's proof: it ends in one of the pack's checkpoints and leads from the commitment to it."""
        with _noting(self.checks["proofs"], "proof", record["proof"], record=record["no"]):
            proof = self._proven(record, content)
            self.salts[record["no"]] = proof.extra
            self.places.add(proof.place)
            self.proof_ends.add(proof.note)

    def _proven(self, record: dict[str, Any], content: bytes) -> Proof:
        proof = read_proof(content)
        checkpoint = self._checkpoints().get(proof.note)
        if checkpoint is None:
            raise WrongError("证明所依据的检查点不在包里", "the proof ends in a checkpoint that is not in the pack")
        salt_size = None if proof.extra is None else len(proof.extra)
        if salt_size != (None if record["body"] is None else HASH_BYTES):
            raise WrongError("随机盐的有无或长度不对", "the salt is not there as it should be")
        leaf = hashlib.sha256(b"\x00" + bytes.fromhex(record["commitment"])).digest()
        if root_of(leaf, proof.place, checkpoint.size, proof.path) != checkpoint.root:
            raise WrongError("该记录不在日志的这个位置", "the record does not stand at this place of the log")
        if proof.place in self.places:
            raise WrongError("与另一条记录在日志的同一位置", "another record stands at the same place of the log")
        return proof

    def _checkpoints(self) -> dict[bytes, Checkpoint]:
        """Read the checkpoints, once; their files stand before the first proof."""
        if not self.roots:
            for point in self.manifest.checkpoints:
                note = self.kept.get(point["file"], b"")
                try:
                    self.roots[note] = read_checkpoint(note.decode("utf-8").partition("\n\n")[0] + "\n")
                except (WrongError, UnicodeDecodeError):
                    continue  # said by the check of checkpoints
        return self.roots

    def _check_record(self, record: dict[str, Any], content: bytes) -> None:
        """Check one record's body: its form, and that it is what the commitment in the log was made of."""
        with _noting(self.checks["records"], "record", record["body"], record=record["no"]):
            body = read_record(content, record["kind"], self.manifest.value["about"]["order"])
            if record["proof"] is not None:
                self._committed(record, content)
            told = {key: body["content"].get(key) for key in (*ITEM_FIELDS, "preview_sha256")}
            self.bodies[record["no"]] = {"at": body["at"], **told}

    def _committed(self, record: dict[str, Any], content: bytes) -> None:
        if (salt := self.salts.get(record["no"])) is None:
            raise WrongError("证明无效，无从核对承诺值", "its proof fails, so the commitment cannot be compared")
        if hashlib.sha256(salt + content).hexdigest() != record["commitment"]:
            raise WrongError("内容与日志里的承诺值不符", "the body is not what the log's commitment was made of")

    def _end_records_and_proofs(self) -> None:
        """Say of records and proofs what could not be read at all, and end the two checks."""
        records, proofs = self.checks["records"], self.checks["proofs"]
        for record in self.manifest.records:
            for part, done in (("body", records), ("proof", proofs)):
                if record[part] in self.damaged:
                    zh, en = "文件缺失或已损坏", "the file is missing or damaged"
                    done.faults.append(Fault("damaged", zh, en, record[part], record=record["no"]))
        if len(self.proof_ends) > 1:
            zh, en = "各条证明没有归于同一个检查点", "the proofs do not end in one checkpoint"
            proofs.faults.append(Fault("checkpoints", zh, en))
        known = {item["sha256"] for item in self.manifest.items} | {e.sha256 for e in self.manifest.entries}
        for number, told in self.bodies.items():
            if isinstance(told["sha256"], str) and told["sha256"] not in known:
                zh, en = (
                    f"第 {number} 条记录提到的文件不在包里",
                    f"the file that record {number} tells of is not in the pack",
                )
                self.report.absent.append(("items", Said(zh, en)))
        total, proven, whole = len(self.manifest.records), len(self.salts), len(self.bodies)
        if total:
            zh = f"{total} 条，其中 {whole} 条附有内容，与日志里的承诺值一致"
            records.ends(zh, f"{total}, of which {whole} have their bodies, as the log committed to them")
        else:
            records.ends("包里没有记录", "the pack carries no records", "absent")
        if proven or proofs.faults:
            zh, en = f"{proven} 条记录都在日志的所示位置", f"{proven} records stand in the log where they say"
            proofs.ends(zh, en)
        else:
            proofs.ends("包里没有日志证明", "the pack carries no proofs", "absent")

    def _check_items(self) -> None:
        """Check each item against its file and against the record that fixed it."""
        done = self.checks["items"]
        numbers = {record["no"]: record for record in self.manifest.records}
        for item in self.manifest.items:
            with _noting(done, "item", item["file"], item["no"], item["record"]):
                self._check_item(item, numbers.get(item["record"]))
        bare = {record["no"] for record in self.manifest.records if record["body"] is None}
        if unseen := [item["no"] for item in self.manifest.items if item["record"] in bare]:
            listed = ", ".join(map(str, unseen[:FAULTS_SHOWN]))
            zh, en = (
                f"第 {listed} 项证据的记录未附内容，没有核对",
                f"items {listed}: their records have no bodies to compare",
            )
            self.report.absent.append(("records", Said(zh, en)))
        shown = [item["shown"] for item in self.manifest.items]
        originals, previews, withheld = (shown.count(way) for way in ("original", "preview", "withheld"))
        zh = f"{len(shown)} 项：原件 {originals}，预览 {previews}，未附 {withheld}"
        en = f"{len(shown)}: {originals} originals, {previews} previews, {withheld} withheld"
        done.ends(zh, en)
        if not shown:
            done.ends("包里没有证据文件", "the pack carries no items", "absent")

    def _check_item(self, item: dict[str, Any], record: dict[str, Any] | None) -> None:
        entry = None
        if item["file"] is not None:
            entry = self.manifest.by_name.get(item["file"])
            if entry is None or entry.name in self.damaged:
                raise WrongError("文件缺失或已损坏", "the file is missing or damaged")
            if item["shown"] == "original" and (entry.sha256, entry.size) != (item["sha256"], item["size"]):
                raise WrongError("文件不是该项所写的原件", "the file is not the original that the item names")
        if item["record"] is not None:
            self._check_item_record(item, record, None if entry is None else entry.sha256)

    def _check_item_record(self, item: dict[str, Any], record: dict[str, Any] | None, sha256: str | None) -> None:
        if record is None:
            raise WrongError("所指的记录不存在", "the record it points at is not there")
        if record["body"] is None:
            return
        told = self.bodies.get(record["no"])
        if told is None:
            raise WrongError("所指的记录无效", "the record it points at fails")
        if told["sha256"] != item["sha256"]:
            raise WrongError("与记录里的 SHA-256 不符", "does not have the SHA-256 of its record")
        for name in ITEM_FIELDS:
            if told[name] is not None and told[name] != item[name]:
                raise WrongError(f"与记录里的 {name} 不符", f"does not have the {name} of its record")
        preview = told["preview_sha256"] if item["shown"] == "preview" else None
        if preview is not None and preview != sha256:
            raise WrongError("预览不是记录里的那份", "the preview is not the one of its record")

    # The log

    def _check_checkpoints(self) -> None:
        """Check each checkpoint's signature, origin and name."""
        done, log = self.checks["checkpoint"], self.manifest.value["log"]
        for point in self.manifest.checkpoints:
            with _noting(done, "checkpoint", point["file"]):
                self._check_checkpoint(point["file"], log or {"origin": "", "key": ""})
        if not self.manifest.checkpoints:
            done.ends("包里没有检查点", "the pack carries no checkpoint", "absent")
            return
        key = printable(log["key"] if log is not None else "")
        sizes = ", ".join(str(one.size) for one in self.roots.values())
        done.ends(f"日志第 {sizes} 条处，由 {key} 签署", f"at entry {sizes} of the log, signed by {key}")
        if done.state == "ok" and not self.pins.logs:
            self.report.notes.append(
                Said(
                    f"没有指定日志：请把 {key} 与平台在 /log/ 页公布的公钥比较。",
                    f"No log was named: compare {key} with the key that the platform publishes on /log/.",
                )
            )

    def _check_checkpoint(self, name: str, log: dict[str, str]) -> None:
        key = read_verifier_key(log["key"])
        checkpoint = read_checkpoint(open_note(self._whole(name), key))
        if checkpoint.origin != log["origin"]:
            raise WrongError("检查点属于另一个日志", "the checkpoint is of another log")
        if name != f"checkpoints/{checkpoint.size}.txt":
            raise WrongError("文件名与日志大小不符", "the name does not fit the size of the log")
        if self.pins.logs and key not in self.pins.logs:
            raise WrongError("日志的公钥不是您指定的", "the log's key is not one that you named")

    def _check_witnesses(self) -> None:
        """Check the cosignatures of the witnesses that were named; others cannot be told from noise."""
        done = self.checks["witnesses"]
        lines = 0
        for point in self.manifest.checkpoints:
            if point["witnesses"] is None:
                continue
            with _noting(done, "witness", point["witnesses"]):
                signatures = read_signature_lines(utf8_text(self._whole(point["witnesses"])))
                lines += len(signatures)
                self._check_cosignatures(point["file"], signatures)
        due = self._proofs_end_in()
        seen = {one["key"] for one in self.report.cosignatures if one["checkpoint"] in due}
        done.faults += [
            Fault("witness", f"没有 {key.name} 的见证签名", f"not cosigned by {key.name}")
            for key in self.pins.witnesses
            if key.number.hex() not in seen
        ]
        if not self.pins.witnesses:
            zh, en = f"{lines} 行，没有指定见证人，未核验", f"{lines} lines, not checked, for no witness was named"
            done.ends(zh if lines else "包里没有见证签名", en if lines else "the pack carries none", "absent")
        else:
            names = ", ".join(key.name for key in self.pins.witnesses)
            done.ends(f"{names} 已见证", f"cosigned by {names}")

    def _proofs_end_in(self) -> set[str]:
        """Give the files of the checkpoints in which proofs end; without proofs, of all."""
        files = {self.kept.get(point["file"]): point["file"] for point in self.manifest.checkpoints}
        return {file for note, file in files.items() if note in self.proof_ends or not self.proof_ends}

    def _check_cosignatures(self, checkpoint: str, signatures: list[tuple[str, bytes]]) -> None:
        text = self._whole(checkpoint).decode("utf-8", "replace").rpartition("\n\n")[0] + "\n"
        for key in self.pins.witnesses:
            for name, raw in signatures:
                if name == key.name and raw[:4] == key.number:
                    at = cosignature_time(raw, text, key)
                    told = {"name": name, "key": key.number.hex(), "checkpoint": checkpoint, "at": at}
                    self.report.cosignatures.append(told)

    # Time

    def _check_timestamps(self) -> None:
        """Check each timestamp over its checkpoint, up to the roots in the pack or to those that were named."""
        done = self.checks["timestamps"]
        roots = set()
        for point, stamp in self.manifest.stamps:
            with _noting(done, "timestamp", stamp["file"]):
                carried = self._whole(stamp["roots"])
                trusted = carried if self.pins.authorities is None else self.pins.authorities
                told = check_timestamp(self._whole(stamp["file"]), self._whole(point["file"]), trusted, carried)
                roots.add(told.root.hex())
                self.report.timestamps.append(
                    {
                        "authority": stamp["authority"],
                        "file": stamp["file"],
                        "checkpoint": point["file"],
                        "at": told.at.isoformat(),
                        "serial": f"{told.serial:x}",
                        "signer": told.signer,
                        "root_sha256": told.root.hex(),
                    }
                )
        if not self.manifest.stamps:
            done.ends("包里没有时间戳", "the pack carries no timestamps", "absent")
            return
        zh = "；".join(f"{one['at']} {one['authority']}（{one['signer']}）" for one in self.report.timestamps)
        en = "; ".join(f"{one['at']} {one['authority']} ({one['signer']})" for one in self.report.timestamps)
        done.ends(zh, en)
        if done.state == "ok" and self.pins.authorities is None:
            listed = ", ".join(sorted(roots))
            self.report.notes.append(
                Said(
                    f"没有指定时间戳机构：根证书取自包内，SHA-256 为 {listed}，请向该机构核对。",
                    f"No authority was named: the roots are the pack's own, SHA-256 {listed}; compare them.",
                )
            )
        self._compare_times()

    def _compare_times(self) -> None:
        """Say where a record's own time is later than a stamp over the log it stands in: a clock was wrong."""
        ends = self._proofs_end_in()
        stamped = [one["at"][:19] for one in self.report.timestamps if one["checkpoint"] in ends]
        if not stamped:
            zh, en = "证明所归的检查点没有时间戳", "the checkpoint in which the proofs end has no timestamp"
            self.report.absent.append(("timestamps", Said(zh, en)))
            return
        late = sorted(no for no, told in self.bodies.items() if no in self.salts and told["at"][:19] > min(stamped))
        if late:
            listed = ", ".join(map(str, late[:FAULTS_SHOWN]))
            self.report.notes.append(
                Said(
                    f"提示：第 {listed} 条记录自称的时间晚于时间戳，记录者的时钟可能不准。",
                    f"Hint: records {listed} give a time after the timestamp; a clock may have been wrong.",
                )
            )


ITEM_FIELDS = ("sha256", "name", "media_type", "size")
"""What a record tells of a file, in the words of the manifest's items."""


def read_record(content: bytes, kind: str, order: str | None) -> dict[str, Any]:
    """Read a record's body, which must be of this kind and, where the pack is about an order, of this order."""
    body = read_json(content)
    keys = {"v", "kind", "order", "at", "by", "content"}
    if not isinstance(body, dict) or body.keys() != keys or body["v"] != 1 or not isinstance(body["content"], dict):
        raise WrongError("记录的写法不符合格式", "the record is not of the form that is due")
    if body["kind"] != kind:
        raise WrongError("种类与清单不符", "its kind is not the manifest's")
    if order is not None and body["order"] != order:
        raise WrongError("属于另一个订单", "it belongs to another order")
    if not is_time(body["at"], MICROSECOND):
        raise WrongError("时间的写法不符合格式", "its time is not of the form that is due")
    return body


def _looks_like_json(content: bytes) -> bool:
    return content[:1] == b"{" and content[-1:] == b"}"


def _looks_like_a_note(content: bytes) -> bool:
    return content.startswith(FORMAT.encode()) and content.endswith(b"=\n")


def _signer_of(content: bytes) -> str:
    """Take the signer from a manifest, even from one whose form is wrong."""
    try:
        # Numbers do not matter here, however they are written.
        value = json.loads(content.decode("utf-8"), parse_int=len, parse_float=len, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return ""
    signer = value.get("signer") if isinstance(value, dict) and is_shallow(value) else None
    return signer if isinstance(signer, str) else ""


# ---------------------------------------------------------------------------------------------------------------------
# The command line


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    told = argparse.ArgumentParser(prog="verify.py", description="核验卡保证据包 / verify an evidence pack of kabao")
    told.add_argument("pack", help="证据包 / the pack (ZIP)")
    told.add_argument("--en", action="store_true", help="用英文 / report in English")
    told.add_argument("--json", action="store_true", help="输出 JSON / print one JSON object")
    told.add_argument("--key", action="append", default=[], help="您信任的签名人公钥 / the signer's verifier key")
    told.add_argument("--log-key", action="append", default=[], help="您信任的日志公钥 / the log's verifier key")
    told.add_argument(
        "--witness", action="append", default=[], help="必须见证的公钥 / a witness that must have cosigned"
    )
    told.add_argument("--authority", help="时间戳机构根证书 PEM / root certificates of timestamp authorities")
    told.add_argument("--verifier", action="append", help="verify.py 的 SHA-256 / a release of this file")
    return told


def pins_of(
    signers: Sequence[str] = (),
    logs: Sequence[str] = (),
    witnesses: Sequence[str] = (),
    authorities: str | os.PathLike[str] | None = None,
    verifiers: Iterable[str] | None = None,
    known_verifiers: Iterable[str] | None = None,
) -> Pins:
    """Read what the reader trusts; raises WrongError for a key that is none, OSError for a file that is not there."""
    roots = None
    if authorities is not None:
        with Path(authorities).open("rb") as file:
            roots = file.read(KEPT_LIMITS["authority"])
        if not read_pem(roots):
            raise WrongError("文件里没有证书", f"there is no certificate in {os.fspath(authorities)}")
    return Pins(
        tuple(read_verifier_key(key) for key in signers),
        tuple(read_verifier_key(key) for key in logs),
        tuple(read_verifier_key(key, WITNESS_KEY) for key in witnesses),
        roots,
        None if verifiers is None else frozenset(digest.lower() for digest in verifiers),
        None if known_verifiers is None else frozenset(known_verifiers),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Examine the pack named on the command line, print what was found, and return the exit status."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show Chinese gets escapes instead of an error.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    asked = parser().parse_args(arguments)
    try:
        pins = pins_of(asked.key, asked.log_key, asked.witness, asked.authority, asked.verifier)
    except (WrongError, OSError) as error:
        sys.stderr.write(f"verify.py: {error}\n")
        return 2
    report = check(asked.pack, pins)
    if asked.json:
        sys.stdout.write(json.dumps(report.as_json(), ensure_ascii=True, indent=1) + "\n")
    else:
        sys.stdout.write("\n".join(report.lines(english=asked.en)) + "\n")
    return report.exit_code


if __name__ == "__main__":
    sys.exit(main())
