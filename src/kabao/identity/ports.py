"""What identity needs from outside: a way to get a code to a phone, and one to a mailbox."""

from typing import Protocol


class CodeSender(Protocol):
    """Takes a sign-in code to the holder of a phone."""

    async def send(self, phone: str, code: str) -> None:
        """Send `code` to `phone` (E.164); raises where it cannot be handed over."""


class MailUnavailable(Exception):  # noqa: N818  named for what happened
    """The mail server cannot be reached or is busy; a later try may succeed."""


class MailCodeSender(Protocol):
    """Takes a code to a mailbox, to show that whoever typed the address reads it."""

    async def send(self, email: str, code: str, seconds: int) -> bool:
        """Send `code`, good for `seconds`; False where the server never takes this address. Raises MailUnavailable."""
        ...
