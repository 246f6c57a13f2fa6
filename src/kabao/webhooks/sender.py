"""The way to an endpoint: one signed exchange in a thread, to the public network alone."""

import asyncio
import ssl
from time import monotonic
from typing import Final

from kabao import outgoing

SECONDS: Final = 10.0
HEADERS: Final = {"Content-Type": "application/json", "User-Agent": "kabao-webhook"}


class Sender:
    """Posts messages; `seconds` bounds a whole exchange, `tls` and `connect` say whom to trust and where to go."""

    def __init__(
        self,
        *,
        seconds: float = SECONDS,
        tls: ssl.SSLContext | None = None,
        connect: outgoing.Connect = outgoing.connect_public,
    ) -> None:
        self._seconds = seconds
        self._tls = tls or outgoing.public_tls()
        self._connect = connect

    async def __call__(self, url: str, body: bytes, signature: str) -> int | str:
        """Return the status that was answered, or in a few words why there was no answer, without an address."""
        return await asyncio.to_thread(self._post, url, body, signature)

    def _post(self, url: str, body: bytes, signature: str) -> int | str:
        headers = {**HEADERS, "Kabao-Signature": signature}
        ends = monotonic() + self._seconds
        try:
            return outgoing.post(url, body, headers, ends=ends, tls=self._tls, connect=self._connect).status
        except outgoing.NoAnswer as none:
            return str(none)
