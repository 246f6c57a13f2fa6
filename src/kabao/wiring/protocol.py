"""uvicorn's HTTP protocol with a time limit for a request's first lines.

Without it, connections that say nothing would fill the places that the limit of connections leaves to everyone.
"""

import asyncio
from typing import cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class Waiting(HttpToolsProtocol):
    """Hangs up where a request's headers are not whole after `seconds`."""

    seconds: float = 20.0
    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request."""
        super().connection_made(transport)
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._met()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take data; what is half a request, or the rest of one that was answered, has its time."""
        super().data_received(data)
        # Any data puts uvicorn's keep-alive timer off, so that this one has to stand in.
        if self.cycle is None or self.cycle.response_complete:
            self._expect()

    def on_headers_complete(self) -> None:
        """Begin the request; how long its body may take, the application decides."""
        self._met()
        super().on_headers_complete()

    def _expect(self) -> None:
        if self._late is None and not self.transport.is_closing():
            self._late = self.loop.call_later(self.seconds, self._hang_up)

    def _met(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _hang_up(self) -> None:
        self._late = None
        self.transport.close()


def waiting(seconds: float) -> type[asyncio.Protocol]:
    """Make the protocol with its own time."""
    return cast("type[asyncio.Protocol]", type("Waiting", (Waiting,), {"seconds": seconds}))
