"""As much of DER (X.690) as timestamps need: building values, and reading what a stranger sent.

Reading refuses everything that is not DER: indefinite or overlong lengths, long tags, bytes left over.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Final, NamedTuple

BOOLEAN: Final = 0x01
TRUE: Final = b"\xff"
INTEGER: Final = 0x02
BIT_STRING: Final = 0x03
OCTET_STRING: Final = 0x04
NULL: Final = b"\x05\x00"
OID: Final = 0x06
UTF8_STRING: Final = 0x0C
GENERALIZED_TIME: Final = 0x18
SEQUENCE: Final = 0x30
SET: Final = 0x31
TAGGED_0: Final = 0xA0
"""A constructed value tagged [0]."""

_LONG_LENGTH: Final = 0x80
_LONG_TAG: Final = 0x1F
_MAX_LENGTH_BYTES: Final = 4
_SPLIT: Final = 40


class NotDerError(ValueError):
    """The bytes are not what DER or the expected structure says."""


class Element(NamedTuple):
    """One value: its tag, its content, and the whole of it with tag and length."""

    tag: int
    body: bytes
    raw: bytes

    def children(self) -> list["Element"]:
        """Read the content as a row of values. Raises NotDerError."""
        return list(_elements(self.body))


def value(tag: int, *parts: bytes) -> bytes:
    """Put tag and length before the joined parts."""
    body = b"".join(parts)
    size = len(body)
    if size < _LONG_LENGTH:
        return bytes((tag, size)) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, _LONG_LENGTH | len(length))) + length + body


def sequence(*parts: bytes) -> bytes:
    """Build a SEQUENCE."""
    return value(SEQUENCE, *parts)


def set_of(parts: Iterable[bytes], *, tag: int = SET) -> bytes:
    """Build a SET OF, its members in the order DER wants."""
    return value(tag, *sorted(parts))


def integer(number: int) -> bytes:
    """Build an INTEGER; only those from 0 up occur here."""
    return value(INTEGER, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def octets(content: bytes) -> bytes:
    """Build an OCTET STRING."""
    return value(OCTET_STRING, content)


def oid(dotted: str) -> bytes:
    """Build an OBJECT IDENTIFIER from its dotted form."""
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    return value(OID, *(_base128(arc) for arc in (first * _SPLIT + second, *rest)))


def generalized_time(at: datetime) -> bytes:
    """Build a GeneralizedTime in UTC, to the second, as RFC 3161 writes it."""
    return value(GENERALIZED_TIME, at.astimezone(UTC).strftime("%Y%m%d%H%M%SZ").encode())


def read(data: bytes, tag: int = SEQUENCE) -> Element:
    """Read exactly one value of a tag. Raises NotDerError."""
    found = list(_elements(data))
    if len(found) != 1 or found[0].tag != tag:
        raise NotDerError("not one value of the expected kind")
    return found[0]


def _base128(arc: int) -> bytes:
    groups = [arc & 0x7F]
    while arc := arc >> 7:
        groups.append(arc & 0x7F | 0x80)
    return bytes(reversed(groups))


def _elements(data: bytes) -> Iterator[Element]:
    place = 0
    while place < len(data):
        start = place
        tag, place = data[place], place + 1
        size, place = _length(data, place)
        end = place + size
        if tag & _LONG_TAG == _LONG_TAG or end > len(data):
            raise NotDerError("a long tag, or a value longer than what is there")
        yield Element(tag, data[place:end], data[start:end])
        place = end


def _length(data: bytes, place: int) -> tuple[int, int]:
    if place >= len(data):
        raise NotDerError("no length")
    first = data[place]
    if first < _LONG_LENGTH:
        return first, place + 1
    count = first - _LONG_LENGTH
    digits = data[place + 1 : place + 1 + count]
    size = int.from_bytes(digits, "big")
    if not 0 < count <= _MAX_LENGTH_BYTES or len(digits) != count or digits[0] == 0 or size < _LONG_LENGTH:
        raise NotDerError("not the shortest definite length")
    return size, place + 1 + count
