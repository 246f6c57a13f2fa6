"""A lean HTTP/1.1 load: a fixed number of connections, each asking its next question when the last is answered."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, cast

HEAD_END: Final = b"\r\n\r\n"
LENGTH: Final = b"content-length:"


class Wire(asyncio.Protocol):
    """One keep-alive connection that carries one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own kind is no subclass

    def data_received(self, data: bytes) -> None:
        """Hand over the answer once it is whole."""
        self._buffer += data
        head = self._buffer.find(HEAD_END)
        if head < 0 or self._answer is None:
            return
        lower = bytes(self._buffer[:head]).lower()
        at = lower.find(LENGTH)
        length = int(lower[at + len(LENGTH) :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        end = head + len(HEAD_END) + length
        if len(self._buffer) < end:
            return
        status, body = int(self._buffer[9:12]), bytes(self._buffer[end - length : end])
        del self._buffer[:end]
        answer, self._answer = self._answer, None
        answer.set_result((status, body))

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail the question that was open."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionError("the server closed the connection"))

    def ask(self, request: bytes) -> Awaitable[tuple[int, bytes]]:
        """Send a request; answers status and body."""
        assert self._transport is not None  # noqa: S101  asked only after connection_made
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._answer

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()


def post(path: str, body: bytes, headers: str) -> bytes:
    """Write a JSON POST; ``headers`` are whole lines, each ended by CRLF."""
    return (
        f"POST {path} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\n{headers}\r\n"
    ).encode() + body


async def run_load(
    port: int, connections: int, seconds: float, talk: Callable[[Wire, int], Awaitable[int]]
) -> tuple[int, float]:
    """Let every connection repeat ``talk`` until the time is over; returns what the talks counted, and the seconds."""
    loop = asyncio.get_running_loop()
    wires = [(await loop.create_connection(Wire, "127.0.0.1", port))[1] for _ in range(connections)]
    began = loop.time()

    async def converse(wire: Wire, number: int) -> int:
        count = 0
        while loop.time() - began < seconds:
            count += await talk(wire, number)
        return count

    try:
        counts = await asyncio.gather(*(converse(wire, number) for number, wire in enumerate(wires)))
        return sum(counts), loop.time() - began
    finally:
        for wire in wires:
            wire.close()
