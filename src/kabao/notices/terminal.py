"""The transports of a kabao that only shows what it would send: the operator's own terminal."""

import sys
from email.message import EmailMessage
from typing import TextIO

from kabao.notices.model import ShortMessage
from kabao.notices.rules import fit_subject


class TerminalTransport:
    """Writes each letter to the terminal: whom to, what about, the text, and the names of what is attached."""

    delivers = False

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    async def send(self, message: EmailMessage) -> None:
        """Write the letter and flush it."""
        stream = self._stream or sys.stdout
        body = message.get_body(("plain",))
        text = "" if body is None else body.get_content()
        lines = [f"kabao: mail to {message['To']}: {message['Subject']}", *text.rstrip().splitlines()]
        lines += [f"[{part.get_filename()}]" for part in message.iter_attachments()]
        _show(stream, "\n  | ".join(lines))


class TerminalShortMessages:
    """Writes each short message to the terminal, on one line."""

    delivers = False

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    async def send(self, message: ShortMessage) -> None:
        """Write the message and flush it."""
        line = fit_subject(message.line)
        _show(self._stream or sys.stdout, f"kabao: message to {message.to}: {line} {message.url}")


def _show(stream: TextIO, text: str) -> None:
    encoding = getattr(stream, "encoding", None) or "utf-8"
    stream.write(text.encode(encoding, "replace").decode(encoding) + "\n")
    stream.flush()
