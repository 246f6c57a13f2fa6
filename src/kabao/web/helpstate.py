"""What a person has told so far, sealed into a hidden field: the server keeps nothing, the browser can read nothing.

The seal is versioned, ends by itself, opens under this server's key alone, and is bounded in both directions.
"""

import base64
import secrets
import zlib
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from kabao.helpcases import HelpState
from kabao.selfhelp.mending import mended

KEPT: Final = timedelta(days=30)
"""How long a sealed state opens after it was last sent; each step seals it anew."""
LARGEST: Final = 170_000
"""Characters of a sealed state: with the fields of a step they stay below what a stranger may send."""
LARGEST_PLAIN: Final = 2_000_000
_VERSION: Final = b"\x01"
_NONCE: Final = 12
_TIME: Final = 8
_PURPOSE: Final = b"kabao self-help state 1"


class Lost(StrEnum):
    """Why a state does not open."""

    BROKEN = "broken"
    EXPIRED = "expired"


def seal_state(state: HelpState, form_key: bytes, now: datetime) -> str | None:
    """Seal a state; None where it is too long to travel."""
    plain = msgspec.msgpack.encode(state)
    if len(plain) > LARGEST_PLAIN:
        return None
    head = _VERSION + int((now + KEPT).timestamp()).to_bytes(_TIME, "big")
    nonce = secrets.token_bytes(_NONCE)
    sealed = head + nonce + _cipher(form_key).encrypt(nonce, zlib.compress(plain), head)
    text = base64.urlsafe_b64encode(sealed).decode().rstrip("=")
    return text if len(text) <= LARGEST else None


def open_state(text: str, form_key: bytes, now: datetime) -> HelpState | Lost:
    """Open what seal_state made."""
    if len(text) > LARGEST or not text.isascii():
        return Lost.BROKEN
    try:
        sealed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        head, rest = sealed[: 1 + _TIME], sealed[1 + _TIME :]
        # Only what this server packed is unpacked, so that no bomb comes through.
        packed = _cipher(form_key).decrypt(rest[:_NONCE], rest[_NONCE:], head)
        if now.timestamp() > int.from_bytes(head[1:], "big"):
            return Lost.EXPIRED
        state = msgspec.msgpack.decode(zlib.decompress(packed), type=HelpState)
    except (InvalidTag, ValueError, zlib.error, msgspec.MsgspecError):
        return Lost.BROKEN
    return msgspec.structs.replace(state, story=mended(state.story))


def _cipher(form_key: bytes) -> AESGCMSIV:
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(form_key)
    return AESGCMSIV(key)
