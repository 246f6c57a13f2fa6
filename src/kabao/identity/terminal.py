"""The sender of codes for a kabao without a message gateway: the operator's own terminal."""

import sys
from typing import TextIO

from kabao.identity.rules import CODE_SECONDS, mask_phone


class TerminalCodeSender:
    """Writes each code to the terminal, the only place where a code appears; ASCII, so that any terminal shows it."""

    delivers = False

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    async def send(self, phone: str, code: str) -> None:
        """Write one line and flush it."""
        stream = self._stream or sys.stdout
        stream.write(f"kabao: sign-in code {code} for {mask_phone(phone)}, good for {CODE_SECONDS // 60} minutes\n")
        stream.flush()
