"""What notices need from elsewhere: the addresses of accounts, and a way to hand a letter over."""

from email.message import EmailMessage
from typing import Protocol

from kabao.notices.model import ShortMessage
from kabao.notices.rules import Failure
from kabao.postgres import Connection


class Addresses(Protocol):
    """Knows where an account's mail goes; identity's EmailService is the adapter."""

    async def working_address(self, conn: Connection, account_id: int, /) -> str | None:
        """Answer the confirmed address that works, or None."""
        ...

    async def mark_failed(self, conn: Connection, account_id: int, email: str, /) -> bool:
        """Mark an address as not working; answers whether it was this account's until now."""
        ...


class Phones(Protocol):
    """Knows an account's phone; identity's service is the adapter."""

    async def reachable_phone(self, conn: Connection, account_id: int, /) -> str | None:
        """Answer the phone as E.164; None for an account that is frozen."""
        ...


class NotTaken(Exception):  # noqa: N818  named for what happened
    """A letter was not taken; `why` is for the operator, and holds neither an address nor a secret."""

    def __init__(self, failure: Failure, why: str) -> None:
        super().__init__(f"{failure}: {why}")
        self.failure = failure
        self.why = why


class MailTransport(Protocol):
    """Hands letters to a mail server; tests/contracts runs one suite against each."""

    @property
    def delivers(self) -> bool:
        """Whether letters leave this machine; where not, pages say where they are shown."""
        ...

    async def send(self, message: EmailMessage) -> None:
        """Return once the server has taken the message, for its one `To`; raises NotTaken."""
        ...


class ShortMessages(Protocol):
    """Hands a line to a phone (SMS) or a chat account (WeChat); tests/contracts runs one suite against each adapter.

    `Gateway` hands it to the operator's own gateway, which has a contract with the provider (docs/mail.md).
    """

    @property
    def delivers(self) -> bool:
        """Whether messages leave this machine."""
        ...

    async def send(self, message: ShortMessage) -> None:
        """Return once the provider has taken the message; raises NotTaken, ADDRESS for who can never be reached."""
        ...
