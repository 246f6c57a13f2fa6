"""One import of card keys from a file that arrives in pieces: read, sealed in a thread, stored batch by batch.

While a batch is stored, the next is read and sealed; no more than two pieces and two batches are ever held.
"""

import asyncio
import os
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from kabao.inventory.columns import Layout
from kabao.inventory.datakeys import place_of, seal
from kabao.inventory.keyring import NONCE_BYTES, Keyring
from kabao.inventory.lines import LineReader, Piece
from kabao.inventory.model import MAX_BAD_LINES_KEPT
from kabao.inventory.store import SealedBatch

PIECE_BYTES: Final = 128 * 1024


class Sealer:
    """Turns the pieces of one file into sealed batches; made for one import and used by one thread at a time."""

    def __init__(
        self, *, keyring: Keyring, cipher: AESGCMSIV, shop_id: int, listing_id: int, import_id: int, layout: Layout
    ) -> None:
        self._keyring = keyring
        self._cipher = cipher
        self._shop_id = shop_id
        self._listing_id = listing_id
        self._next_key_id = import_id + 1
        self._reader = LineReader(layout)
        self._bytes_done = 0
        self._bad_kept = 0

    def take(self, piece: bytes) -> SealedBatch:
        """Read and seal what ends in a piece."""
        self._bytes_done += len(piece)
        return self._batch(self._reader.feed(piece))

    def finish(self) -> SealedBatch:
        """Read and seal a last line without a line break."""
        return self._batch(self._reader.finish())

    def _batch(self, piece: Piece) -> SealedBatch:
        first = self._next_key_id
        self._next_key_id += len(piece.keys)
        nonces = os.urandom(NONCE_BYTES * len(piece.keys))
        rows = [
            (
                self._keyring.blind(key),
                first + place,
                seal(
                    self._cipher,
                    place_of(self._shop_id, self._listing_id, first + place),
                    nonces[place * NONCE_BYTES : (place + 1) * NONCE_BYTES],
                    key,
                ),
            )
            for place, key in enumerate(piece.keys)
        ]
        # Every import inserts in the same order, so two that hold the same keys wait for each other in turn and never
        # in a circle; the first of two equal keys stays the first.
        rows.sort()
        kept = piece.bad[: MAX_BAD_LINES_KEPT - self._bad_kept]
        self._bad_kept += len(kept)
        return SealedBatch(
            key_ids=[key_id for _, key_id, _ in rows],
            blinds=[blind for blind, _, _ in rows],
            sealed=[sealed for _, _, sealed in rows],
            lines=piece.lines,
            bytes_done=self._bytes_done,
            bad=len(piece.bad),
            bad_lines=kept,
        )


async def pieces(head: bytes, stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Cut what arrives into pieces of one size, whatever size it arrives in; `head` came before the rest."""
    waiting = bytearray()
    async for chunk in _after(head, stream):
        view = memoryview(chunk)
        for start in range(0, len(view), PIECE_BYTES):
            waiting += view[start : start + PIECE_BYTES]
            if len(waiting) >= PIECE_BYTES:
                yield bytes(waiting)
                waiting.clear()
    if waiting:
        yield bytes(waiting)


async def _after(head: bytes, stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield head
    async for chunk in stream:
        yield chunk


async def paced(stream: AsyncIterable[bytes], *, seconds: float, most_bytes: int) -> AsyncIterator[bytes]:
    """Pass a stream on, raising TimeoutError where it stops for so long and OverflowError where it is too large."""
    arriving = aiter(stream)
    total = 0
    while True:
        try:
            async with asyncio.timeout(seconds):
                chunk = await anext(arriving)
        except StopAsyncIteration:
            return
        total += len(chunk)
        if total > most_bytes:
            raise OverflowError("the file is larger than an import may be")
        yield chunk


async def run(parts: AsyncIterator[bytes], sealer: Sealer, keep: Callable[[SealedBatch], Awaitable[object]]) -> None:
    """Read, seal and store everything, storing one batch while the next is sealed."""
    storing: asyncio.Future[object] | None = None
    try:
        async for piece in parts:
            batch = await asyncio.to_thread(sealer.take, piece)
            if storing is not None:
                await storing
            storing = asyncio.ensure_future(keep(batch))
        if storing is not None:
            await storing
            storing = None
        await keep(await asyncio.to_thread(sealer.finish))
    finally:
        if storing is not None:
            # What is already on its way is stored or fails by itself; its error must not hide the first one.
            await asyncio.gather(storing, return_exceptions=True)
