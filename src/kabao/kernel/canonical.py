"""Canonical bytes of plain values, so that a digest means the same everywhere (RFC 8785 without its numbers).

Objects have their keys sorted by UTF-16 code units, no spaces, UTF-8; numbers are integers only, since floats are
refused.
"""

import hashlib
import json
from typing import Any, Final

import msgspec

_ENCODER: Final = msgspec.json.Encoder(order="sorted")
_SCALARS: Final = frozenset({str, int, bool, type(None)})


def canonical_bytes(value: Any) -> bytes:
    """Encode None, bool, int, str, list and dict.

    Raises TypeError for anything else, floats included, and ValueError for text that has no UTF-8 (half a surrogate
    pair).
    """
    if _is_simple(value):
        return _ENCODER.encode(value)
    return json.dumps(_sorted(value), ensure_ascii=False, separators=(",", ":")).encode()


def digest_of(value: Any) -> bytes:
    """Return the SHA-256 (32 bytes) of the canonical bytes; bytes are hashed as they are."""
    return hashlib.sha256(value if isinstance(value, bytes) else canonical_bytes(value)).digest()


def short_digest(digest: bytes) -> str:
    """Write a digest as pages show it: ``a3f9…71c2``."""
    text = digest.hex()
    return f"{text[:4]}…{text[-4:]}"


def _is_simple(value: Any) -> bool:
    """Tell whether the fast encoder writes this value canonically: plain types, keys that sort alike either way."""
    kind = type(value)
    if kind in _SCALARS:
        return True
    if kind is dict:
        return all(map(_is_simple_key, value)) and all(map(_is_simple, value.values()))
    return kind is list and all(map(_is_simple, value))


def _is_simple_key(key: Any) -> bool:
    return type(key) is str and (key.isascii() or max(key) <= "\uffff")


def _sorted(value: Any) -> Any:
    match value:
        case None | bool() | int() | str():
            return value
        case list():
            return [_sorted(item) for item in value]
        case dict():
            if not all(isinstance(key, str) for key in value):
                raise TypeError("object keys are text")
            return {key: _sorted(value[key]) for key in sorted(value, key=_utf16)}
        case _:
            raise TypeError(f"no canonical form for {type(value).__name__}")


def _utf16(key: str) -> bytes:
    # Python sorts by code points, JavaScript and RFC 8785 by UTF-16 code units; they differ beyond U+FFFF.
    return key.encode("utf-16-be")
