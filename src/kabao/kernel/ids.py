"""Identifiers: 63-bit numbers made by the application, and the references people and URLs carry.

A reference names the shop and the object, ``7-1H8K2M9QXV3D0`` in Crockford's base 32, because shop_id stands first in
every key. References are not secrets; every object behind one is reached through an ownership check.
"""

import secrets
import threading
import time
from collections.abc import Callable
from typing import Final, NamedTuple, NewType

AccountId = NewType("AccountId", int)
ShopId = NewType("ShopId", int)
ListingId = NewType("ListingId", int)
OrderId = NewType("OrderId", int)
CaseId = NewType("CaseId", int)
OfferId = NewType("OfferId", int)
ItemId = NewType("ItemId", int)

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUES: Final = {letter: value for value, letter in enumerate(_ALPHABET)} | {"O": 0, "I": 1, "L": 1}
_EPOCH_MS: Final = 1_704_067_200_000
"""2024-01-01T00:00:00Z."""
_MAX_ID: Final = 2**63 - 1
_MAX_DIGITS: Final = 13


class Ref(NamedTuple):
    """A shop's object: the shop's id and the object's id within it."""

    shop_id: ShopId
    object_id: int


class IdSource:
    """Makes ids that grow with time: 41 bits of milliseconds, then 22 random bits, never the same twice."""

    def __init__(
        self,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        random_bits: Callable[[int], int] = secrets.randbits,
    ) -> None:
        self._now_ms = now_ms
        self._random_bits = random_bits
        self._last = 0
        # Imports make ids in a thread of their own.
        self._lock = threading.Lock()

    def next(self) -> int:
        """Return a new id, larger than every id this source has returned."""
        made = (max(0, self._now_ms() - _EPOCH_MS) << 22) | self._random_bits(22)
        with self._lock:
            self._last = made if made > self._last else self._last + 1
            return self._last


def format_ref(shop_id: int, object_id: int) -> str:
    """Write a reference as people and URLs carry it."""
    return f"{_base32(shop_id)}-{_base32(object_id)}"


def parse_ref(text: str) -> Ref | None:
    """Read a reference; None where the text is not one, space around it included.

    Case and the letters O, I, L are forgiven, so what is stored or linked to is written anew by `format_ref`.
    """
    if not text.isascii():  # some letters elsewhere become ASCII ones in upper case
        return None
    shop, dash, rest = text.upper().partition("-")
    shop_id, object_id = _number(shop), _number(rest)
    if not dash or shop_id is None or object_id is None:
        return None
    return Ref(ShopId(shop_id), object_id)


def _base32(number: int) -> str:
    if not 0 < number <= _MAX_ID:
        raise ValueError("an id is a positive 63-bit number")
    letters = ""
    while number:
        number, digit = divmod(number, 32)
        letters = _ALPHABET[digit] + letters
    return letters


def _number(letters: str) -> int | None:
    if not 0 < len(letters) <= _MAX_DIGITS or any(letter not in _VALUES for letter in letters):
        return None
    number = 0
    for letter in letters:
        number = number * 32 + _VALUES[letter]
    return number if 0 < number <= _MAX_ID else None
