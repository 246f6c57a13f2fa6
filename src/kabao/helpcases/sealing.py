"""Encryption of saved cases: a key of each case, wrapped by the server's; what was told under it, files piece by piece.

AES-256-GCM-SIV throughout. Associated data binds a wrapped key and a case to their owner and number, a file's key is
derived for its number, and a file's pieces are counted and the last one marked, so that nothing is moved or cut.
"""

import hmac
import secrets
import zlib
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from kabao.helpcases.model import MIB, SavedCase
from kabao.selfhelp.mending import mended

KEY_BYTES: Final = 32
PIECE: Final = MIB
"""Bytes of a file that are encrypted together."""
_NONCE: Final = 12
_TAG: Final = 16


class CaseUnreadable(Exception):  # noqa: N818  named for what happened
    """A saved case or a file of it does not open: it was changed, or the server's key is another."""


class Wrapping:
    """Makes and opens the keys of cases under the server's key."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCMSIV(key)
        self._marking = HKDF(SHA256(), KEY_BYTES, None, b"kabao help outcome").derive(key)

    def make(self, account_id: int, case_id: int) -> tuple[bytes, bytes]:
        """Make a case's key; returns it and the form in which it is stored."""
        key, nonce = secrets.token_bytes(KEY_BYTES), secrets.token_bytes(_NONCE)
        return key, nonce + self._cipher.encrypt(nonce, key, _place("key", account_id, case_id))

    def open(self, account_id: int, case_id: int, wrapped: bytes) -> bytes:
        """Return a case's key; raises CaseUnreadable."""
        try:
            return self._cipher.decrypt(wrapped[:_NONCE], wrapped[_NONCE:], _place("key", account_id, case_id))
        except (InvalidTag, ValueError):
            raise CaseUnreadable from None

    def mark(self, named: str) -> int:
        """Give the number under which a story's ending is counted, the same for each of its copies.

        Without the server's key it leads nowhere, and without the story's own name not back to it.
        """
        digest = hmac.digest(self._marking, named.encode(), "sha256")
        return int.from_bytes(digest[:8], "big") >> 1


def seal_case(key: bytes, account_id: int, case_id: int, case: SavedCase) -> bytes:
    """Encrypt what is kept of a case."""
    nonce = secrets.token_bytes(_NONCE)
    packed = zlib.compress(msgspec.msgpack.encode(case))
    return nonce + AESGCMSIV(key).encrypt(nonce, packed, _place("case", account_id, case_id))


def open_case(key: bytes, account_id: int, case_id: int, sealed: bytes) -> SavedCase:
    """Open what seal_case made; raises CaseUnreadable."""
    try:
        packed = AESGCMSIV(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], _place("case", account_id, case_id))
        case = msgspec.msgpack.decode(zlib.decompress(packed), type=SavedCase)
    except (InvalidTag, ValueError, zlib.error, msgspec.MsgspecError):
        raise CaseUnreadable from None
    state = msgspec.structs.replace(case.state, story=mended(case.state.story))
    return msgspec.structs.replace(case, state=state)


def sealed_pieces(key: bytes, file_id: int, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Encrypt a file; every piece but the last has PIECE bytes."""
    cipher = _file_cipher(key, file_id)
    held: bytes | None = None
    number = 0
    for piece in pieces:
        if held is not None:
            yield cipher.encrypt(_counted(number, is_last=False), held, None)
            number += 1
        held = piece
    yield cipher.encrypt(_counted(number, is_last=True), held or b"", None)


async def plain_pieces(key: bytes, file_id: int, stream: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """Decrypt a file piece by piece; raises CaseUnreadable for one that was changed or cut."""
    cipher, number, waiting = _file_cipher(key, file_id), 0, bytearray()
    try:
        async for part in stream:
            waiting += part
            while len(waiting) > PIECE + _TAG:
                yield cipher.decrypt(_counted(number, is_last=False), bytes(waiting[: PIECE + _TAG]), None)
                del waiting[: PIECE + _TAG]
                number += 1
        yield cipher.decrypt(_counted(number, is_last=True), bytes(waiting), None)
    except (InvalidTag, ValueError):
        raise CaseUnreadable from None


def _file_cipher(key: bytes, file_id: int) -> AESGCMSIV:
    return AESGCMSIV(HKDF(SHA256(), KEY_BYTES, None, f"kabao help file|{file_id}".encode()).derive(key))


def _counted(number: int, *, is_last: bool) -> bytes:
    return number.to_bytes(_NONCE - 1, "big") + bytes([is_last])


def _place(what: str, account_id: int, case_id: int) -> bytes:
    return f"kabao help {what}|{account_id}|{case_id}".encode()
