"""Canonical bytes of plain values, so that a digest means the same everywhere (RFC 8785 without its numbers).

Objects have sorted keys, no spaces, UTF-8; numbers are integers only, since floats are refused.
"""

import hashlib
import json
from typing import Any


def canonical_bytes(value: Any) -> bytes:
    """Encode None, bool, int, str, list and dict; raises TypeError for anything else, floats included."""
    _check(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def digest_of(value: Any) -> bytes:
    """Return the SHA-256 (32 bytes) of the canonical bytes; bytes are hashed as they are."""
    return hashlib.sha256(value if isinstance(value, bytes) else canonical_bytes(value)).digest()


def short_digest(digest: bytes) -> str:
    """Write a digest as pages show it: ``a3f9…71c2``."""
    text = digest.hex()
    return f"{text[:4]}…{text[-4:]}"


def _check(value: Any) -> None:
    match value:
        case None | bool() | int() | str():
            return
        case list():
            for item in value:
                _check(item)
        case dict():
            for key, item in value.items():
                if not isinstance(key, str):
                    raise TypeError("object keys are text")
                _check(item)
        case _:
            raise TypeError(f"no canonical form for {type(value).__name__}")
