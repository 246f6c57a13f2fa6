"""What identity needs from outside: a way to get a code to a phone."""

from typing import Protocol


class CodeSender(Protocol):
    """Takes a sign-in code to the holder of a phone."""

    async def send(self, phone: str, code: str) -> None:
        """Send `code` to `phone` (E.164); raises where it cannot be handed over."""
