"""Timestamps (RFC 3161) of digests from outside authorities, asked for until they come and verified when they do."""

from kabao.timestamps.model import Authority

__all__ = ["Authority"]
