"""What identity needs from outside: a way to get a code to a phone, and one to a mailbox."""

from typing import Protocol


class CodeSender(Protocol):
    """Takes a sign-in code to the holder of a phone."""

    @property
    def delivers(self) -> bool:
        """Whether codes reach phones, and are not only shown on the server's terminal."""
        ...

    async def send(self, phone: str, code: str) -> None:
        """Send `code` to `phone` (E.164); raises CodeUnreachable, or CodeWrongAddress for a number it never takes."""


class CodeUnreachable(Exception):  # noqa: N818  named for what happened
    """The gateway cannot be reached or is busy; a later try may succeed."""


class CodeWrongAddress(Exception):  # noqa: N818  named for what happened
    """The gateway never takes messages to this number."""


class MailUnavailable(Exception):  # noqa: N818  named for what happened
    """The mail server cannot be reached or is busy; a later try may succeed."""


class MailCodeSender(Protocol):
    """Takes a code to a mailbox, to show that whoever typed the address reads it."""

    async def send(self, email: str, code: str, seconds: int) -> bool:
        """Send `code`, good for `seconds`; False where the server never takes this address. Raises MailUnavailable."""
        ...
