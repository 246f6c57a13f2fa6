"""Staff passwords (argon2id) and one-time codes (RFC 6238): hashing, sealing, checking. No storage."""

import asyncio
import hmac
import secrets
from datetime import datetime
from functools import cache
from typing import Final, NamedTuple

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from kabao.identity.rules import totp_step

ISSUER: Final = "kabao"
HASHER: Final = PasswordHasher()
"""At the library's cost, which follows RFC 9106."""
_NONCE_BYTES: Final = 12
_TOTP_LABEL: Final = b"kabao identity totp"


class NewCredential(NamedTuple):
    """What is stored of a staff member's password and authenticator, and the address that sets up the latter."""

    password_hash: str
    totp_sealed: bytes
    totp_uri: str

    def __repr__(self) -> str:
        """Leave out the secrets: a repr ends up in logs."""
        return "NewCredential()"


@cache
def _hash_of_nobody(hasher: PasswordHasher) -> str:
    return hasher.hash(secrets.token_bytes(32))


class StaffSecrets:
    """Makes and checks staff credentials; the TOTP secret rests sealed under a key from the server's secret."""

    def __init__(self, secret: bytes, hasher: PasswordHasher) -> None:
        key = HKDF(algorithm=SHA256(), length=32, salt=None, info=_TOTP_LABEL).derive(secret)
        self._cipher = AESGCMSIV(key)
        self._hasher = hasher
        # Checked in place of a missing credential, so that the time taken tells nothing.
        self._nobody_hash = _hash_of_nobody(hasher)
        self._nobody_totp = pyotp.random_base32()
        # One hash takes 64 MiB; more at once than cores gains nothing and costs memory.
        self._turns = asyncio.Semaphore(2)

    async def make(self, account_id: int, label: str, password: str) -> NewCredential:
        """Hash the password off the event loop and make a new authenticator secret."""
        totp_secret = pyotp.random_base32()
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(nonce, totp_secret.encode(), _context(account_id))
        async with self._turns:
            password_hash = await asyncio.to_thread(self._hasher.hash, _bytes(password))
        uri = pyotp.TOTP(totp_secret).provisioning_uri(name=label, issuer_name=ISSUER)
        return NewCredential(password_hash, sealed, uri)

    async def password_matches(self, password_hash: str | None, password: str) -> bool:
        """Check a password off the event loop; without a stored hash it takes as long and fails."""
        async with self._turns:
            matches = await asyncio.to_thread(self._verify, password_hash or self._nobody_hash, _bytes(password))
        return matches and password_hash is not None

    def matching_step(self, account_id: int, totp_sealed: bytes | None, code: str, at: datetime) -> int | None:
        """Find the time step, now or one beside it, whose code was given; None where there is none.

        Every step is compared, in constant time.
        """
        totp = pyotp.TOTP(self._open(account_id, totp_sealed) if totp_sealed else self._nobody_totp)
        now_step, found = totp_step(at), None
        for step in (now_step - 1, now_step, now_step + 1):
            if hmac.compare_digest(totp.generate_otp(step).encode(), code.encode()):
                found = step
        return found if totp_sealed else None

    def code_at(self, account_id: int, totp_sealed: bytes, at: datetime) -> str:
        """Return the authenticator's code at a moment."""
        return pyotp.TOTP(self._open(account_id, totp_sealed)).generate_otp(totp_step(at))

    def _open(self, account_id: int, sealed: bytes) -> str:
        plain = self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _context(account_id))
        return plain.decode()

    def _verify(self, password_hash: str, password: bytes) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False


def _context(account_id: int) -> bytes:
    return f"staff_credential:{account_id}".encode()


def _bytes(password: str) -> bytes:
    # A form can carry half a surrogate pair; it is a wrong password, not a crash.
    return password.encode("utf-8", "surrogatepass")
