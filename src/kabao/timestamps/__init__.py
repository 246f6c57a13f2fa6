"""Timestamps (RFC 3161) of digests from outside authorities, asked for until they come and verified when they do.

Invariants: a stamp is stored only after its signature, certificates, nonce, digest and time held, and is never changed
afterwards; a stamp that is wanted is asked for until it comes, for 30 days at least; a dead, slow or lying authority
holds up no other, and why it owes a stamp is written down; only digests leave the house; the simulated authorities say
in their certificates that they prove nothing.
"""

from kabao.timestamps.audit import stamp_findings
from kabao.timestamps.authorities import AuthoritiesRefused, read_authorities
from kabao.timestamps.check import check_response, new_request
from kabao.timestamps.model import Accepted, Authority, Fault, Faulty, Stamp, StampState, Waiting
from kabao.timestamps.network import HttpPost
from kabao.timestamps.ports import Opinion, Post, Unreachable
from kabao.timestamps.sandbox import SandboxAuthorities, SandboxRefused
from kabao.timestamps.service import TimestampService

__all__ = [
    "Accepted",
    "AuthoritiesRefused",
    "Authority",
    "Fault",
    "Faulty",
    "HttpPost",
    "Opinion",
    "Post",
    "SandboxAuthorities",
    "SandboxRefused",
    "Stamp",
    "StampState",
    "TimestampService",
    "Unreachable",
    "Waiting",
    "check_response",
    "new_request",
    "read_authorities",
    "stamp_findings",
]
