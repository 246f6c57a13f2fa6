"""Who someone is to kabao: roles, a person, the visitor behind a request, a session. Values only."""

from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from kabao.kernel import AccountId


class Role(StrEnum):
    """What an account may act as; all but buyer and merchant are staff."""

    BUYER = "buyer"
    MERCHANT = "merchant"
    SUPPORT = "support"
    PANEL = "panel"
    DUTY = "duty"
    OPERATOR = "operator"


CASE_ROLES: Final = frozenset({Role.SUPPORT, Role.PANEL, Role.DUTY})
"""Those who decide cases: support, the panel, the duty officer for what is overdue."""
STAFF_ROLES: Final = CASE_ROLES | {Role.OPERATOR}


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """An account as others in the program see it; `staff_checked` holds while password and one-time code are fresh."""

    account_id: AccountId
    display_name: str
    phone_masked: str
    roles: frozenset[Role]
    staff_checked: bool = False

    @property
    def is_staff(self) -> bool:
        """Whether one of the roles is a staff role, checked or not."""
        return not STAFF_ROLES.isdisjoint(self.roles)


class Visitor(msgspec.Struct, frozen=True):
    """Where a request came from: the browser's own words, at most 200 characters, and a /24 or /48 network."""

    device: str
    network: str


class NewSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session just begun; the token is told once and stored nowhere. `role` is what a sign-in link was made for."""

    token: str
    csrf: str
    expires_at: datetime
    person: Person
    role: Role | None = None

    def __repr__(self) -> str:
        """Leave out the secrets: a repr ends up in logs."""
        return f"NewSession(person={self.person!r}, expires_at={self.expires_at!r})"


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    """A request's session: who, the token its forms must carry, and the hash the session is stored under."""

    person: Person
    csrf: str
    session_hash: bytes

    def __repr__(self) -> str:
        """Leave out the secrets: a repr ends up in logs."""
        return f"SignedIn(person={self.person!r})"


class EmailState(msgspec.Struct, frozen=True, kw_only=True):
    """A person's own view of their address, masked: the one in force, and one that waits for its code."""

    email_masked: str | None
    is_working: bool
    """Whether mail goes there: an address is in force and no mail server has refused it for good."""
    pending_masked: str | None
