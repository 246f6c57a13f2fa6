"""Secrets that people and browsers carry: how they are made, and the keyed hashes that are all we store of them."""

import base64
import hashlib
import hmac
import secrets
from typing import Final

from kabao.identity.rules import CODE_DIGITS

TOKEN_LENGTH: Final = 43
"""32 random bytes in unpadded URL-safe base 64."""
API_TOKEN_PREFIX: Final = "kb_"  # noqa: S105  what a token starts with is public
MIN_SECRET_BYTES: Final = 32

_LETTERS: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


class TokenHasher:
    """HMAC-SHA-256 under the server's secret; a purpose keeps a hash of one kind from passing as another."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) < MIN_SECRET_BYTES:
            raise ValueError("the server secret has at least 32 bytes")
        self._secret = secret

    def hash(self, purpose: str, *parts: str) -> bytes:
        """Return 32 bytes; the parts hold no NUL, which separates them."""
        return hmac.digest(self._secret, "\0".join((purpose, *parts)).encode(), hashlib.sha256)

    def csrf(self, token: str) -> str:
        """Derive the token that a session's forms carry; it tells nothing of the session's token."""
        return base64.urlsafe_b64encode(self.hash("csrf", token)).decode().rstrip("=")


def same(left: bytes, right: bytes) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(left, right)


def new_token() -> str:
    """Make a session or link token."""
    return secrets.token_urlsafe(32)


def new_api_token() -> str:
    """Make an API token: ``kb_`` and 43 URL-safe characters, so that secret scanners recognise it."""
    return API_TOKEN_PREFIX + new_token()


def new_code() -> str:
    """Make a sign-in code of six digits."""
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"


def is_token(text: str) -> bool:
    """Tell whether a text has the form of a session or link token; anything else is not worth a query."""
    return len(text) == TOKEN_LENGTH and _LETTERS.issuperset(text)


def is_api_token(text: str) -> bool:
    """Tell whether a text has the form of an API token."""
    return text.startswith(API_TOKEN_PREFIX) and is_token(text.removeprefix(API_TOKEN_PREFIX))
