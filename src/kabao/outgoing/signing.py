"""Signing what is posted, so that whoever takes it knows from whom it comes and when; without I/O."""

import hmac
from collections.abc import Sequence
from datetime import datetime


def signature(secrets: Sequence[str], body: bytes, at: datetime) -> str:
    """Sign a body with the time: ``t=1764000000,v1=…``, one v1 for each live secret (HMAC-SHA-256, hexadecimal)."""
    seconds = int(at.timestamp())
    signed = str(seconds).encode() + b"." + body
    macs = (hmac.digest(secret.encode(), signed, "sha256").hex() for secret in secrets)
    return ",".join([f"t={seconds}", *(f"v1={mac}" for mac in macs)])
