"""What a timestamp authority is, what it may do wrong, and what is known about the stamps of one piece of data."""

from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

SIMULATED: Final = "sandbox"
"""How the names of the demo's own authorities begin; no setting may name one so."""


class Authority(msgspec.Struct, frozen=True, kw_only=True):
    """A timestamp authority (RFC 3161): the name kabao knows it by, its address, and the certificates it is held to.

    `name` also names files in packs: lower-case letters, digits and dashes. `roots_pem` holds certificates alone.
    """

    name: str
    url: str
    roots_pem: bytes

    def __repr__(self) -> str:
        # An address may carry a key of the operator's.
        return f"Authority({self.name})"


class StampState(StrEnum):
    """Where one authority's stamp of one piece of data stands."""

    WAITING = "waiting"
    """Asked for, or to be asked for; a fault beside it says why it has not come yet."""
    STAMPED = "stamped"
    REFUSED = "refused"
    """Asked for 30 days without a good answer, and asked for no more."""


class Fault(StrEnum):
    """Why the last answer of an authority was not a stamp."""

    UNREACHABLE = "unreachable"
    MALFORMED = "malformed"
    REJECTED = "rejected"
    OTHER_NONCE = "other_nonce"
    OTHER_DIGEST = "other_digest"
    UNTRUSTED = "untrusted"
    CLOCK = "clock"

    @property
    def zh(self) -> str:
        """What pages say of it."""
        return _WORDS[self]


_WORDS: dict[Fault, str] = {
    Fault.UNREACHABLE: "连不上",
    Fault.MALFORMED: "回复不是时间戳",
    Fault.REJECTED: "拒绝出具时间戳",
    Fault.OTHER_NONCE: "回复对应的是另一次请求",
    Fault.OTHER_DIGEST: "时间戳盖在了别的内容上",
    Fault.UNTRUSTED: "签名或证书通不过核验",
    Fault.CLOCK: "时间与本站相差超过 10 分钟",
}


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What is stored of one request, for the audit; `authority` is empty for data that nobody was asked about."""

    digest: bytes
    data: bytes
    subject: str
    authority: str
    round: int
    response: bytes | None
    roots_pem: bytes | None
    stamped_at: datetime | None
    expires_at: datetime | None
    serial: str | None


class MissingRound(msgspec.Struct, frozen=True):
    """A round of stamps that no request tells of, though a later one does."""

    digest: bytes
    round: int


class Stamp(msgspec.Struct, frozen=True, kw_only=True):
    """One authority's stamp of one piece of data; times in UTC.

    `response` is the whole TimeStampResp (DER) as it came, and `roots_pem` what it was checked against; both are None
    until it is stamped. `round` is 1, and one more each time the data was stamped anew. `next_at` is None where nobody
    asks any more. `expires_at` is when the stamping certificate ends.
    """

    authority: str
    round: int
    state: StampState
    attempts: int
    response: bytes | None
    roots_pem: bytes | None
    stamped_at: datetime | None
    expires_at: datetime | None
    serial: str | None
    next_at: datetime | None
    fault: Fault | None
    detail: str | None


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """How one authority stands: how many stamps it owes, since when, and what went wrong last.

    `fault` and `detail` (English, for the operator) are of the last failure since its last good answer; until
    `resting_until` it is left in peace. An authority that is no longer named in the settings is not asked; what it owes
    stays written down.
    """

    authority: str
    is_named: bool
    count: int
    oldest_at: datetime | None
    fault: Fault | None
    detail: str | None
    failures: int
    resting_until: datetime | None
    answered_at: datetime | None

    @property
    def is_simulated(self) -> bool:
        """Whether it is one of the demo's own, whose stamps prove nothing."""
        return self.authority.startswith(SIMULATED)


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """A stamp that is being asked for now; `attempt` fences what is written of it."""

    digest: bytes
    round: int
    attempt: int
    body: bytes
    wanted_at: datetime


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """A response that holds: the time and serial number in it (hexadecimal), and when its certificate ends."""

    stamped_at: datetime
    serial: str
    expires_at: datetime


class Faulty(msgspec.Struct, frozen=True):
    """An answer that is not a stamp; `detail` holds no address and nothing of the stranger's own words."""

    fault: Fault
    detail: str = ""
