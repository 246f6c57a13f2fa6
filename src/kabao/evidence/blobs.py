"""Content-addressed blobs over an object store: a blob's name is its SHA-256, so it is written whole or not at all.

Beside them lie the chunks of uploads that are not finished, under names of their own. Everything is durable when a
call that writes returns. Calls run in threads, because the store's own asynchronous calls can abort the process when
it ends right after one.
"""

import asyncio
import hashlib
import os
import secrets
import time
from bisect import bisect_right
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import accumulate
from pathlib import Path
from typing import BinaryIO, Final, Protocol, TypeAlias

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore

from kabao.evidence.model import MIB, Chunk
from kabao.evidence.rules import blob_path, chunk_folder, chunk_path
from kabao.kernel import digest_of

PIECE: Final = MIB
"""Bytes that are read at a time."""
_PART: Final = 8 * MIB
"""Bytes of a part of a large object; S3 takes none below 5 MiB and at most 10,000 of them."""
_INCOMING: Final = "incoming"
_FULL: Final = ("No space left on device", "Disk quota exceeded", "StorageFull", "QuotaExceeded")


class StorageFull(Exception):  # noqa: N818  named for what happened
    """The blob store has no room left; nothing was stored and no row points at it."""


class BlobDamaged(Exception):  # noqa: N818  named for what happened
    """A stored blob no longer has the digest it is named by."""


class Condition(StrEnum):
    """What a blob was found to be; unreadable where the store answered with an error, as a disk does that is going."""

    WHOLE = "whole"
    CHANGED = "changed"
    MISSING = "missing"
    UNREADABLE = "unreadable"


Write: TypeAlias = Callable[[ObjectStore, str, Iterable[bytes]], None]
"""Writes an object from its pieces, whole or not at all."""


def write_whole(store: ObjectStore, path: str, pieces: Iterable[bytes]) -> None:
    """Write beside and rename, then flush a local file and its folders."""
    writer = obstore.open_writer(store, path, buffer_size=_PART, max_concurrency=2)
    # A writer that is never closed leaves no object: what goes wrong between here and close() leaves nothing.
    for piece in pieces:
        writer.write(piece)
    writer.close()
    _make_durable(store, path)


class Source(Protocol):
    """Bytes that can be read from any place, on disk or in the store."""

    @property
    def size(self) -> int:
        """How many there are."""

    def read(self, start: int, length: int) -> bytes:
        """Return `length` bytes from `start` on, fewer at the end; raises `BlobDamaged`."""


class FileSource:
    """A file that is open for reading; used by one thread at a time."""

    def __init__(self, handle: BinaryIO) -> None:
        self._handle = handle
        self.size: int = handle.seek(0, os.SEEK_END)

    def read(self, start: int, length: int) -> bytes:
        """Read from the file."""
        self._handle.seek(start)
        return self._handle.read(length)


class ChunkSource:
    """The chunks of an upload, one behind the other; the last one read is kept, each is checked when it is read."""

    def __init__(self, store: ObjectStore, place: tuple[int, int, int], chunks: Sequence[Chunk]) -> None:
        self._store, self._place, self._chunks = store, place, chunks
        self._starts = [0, *accumulate(chunk.byte_size for chunk in chunks)]
        self.size = self._starts[-1]
        self._kept = (-1, b"")

    def read(self, start: int, length: int) -> bytes:
        """Read across as many chunks as it takes."""
        end, found = min(start + length, self.size), bytearray()
        while start < end:
            at = bisect_right(self._starts, start) - 1
            content, offset = self._chunk(at), start - self._starts[at]
            piece = content[offset : offset + end - start]
            found += piece
            start += len(piece)
        return bytes(found)

    def _chunk(self, at: int) -> bytes:
        if self._kept[0] != at:
            chunk = self._chunks[at]
            content = bytes(obstore.get(self._store, chunk_path(self._place, chunk.seq, chunk.digest)).bytes())
            if digest_of(content) != chunk.digest:
                raise BlobDamaged(chunk.digest.hex())
            self._kept = (at, content)
        return self._kept[1]


def pieces_of(source: Source) -> Iterator[bytes]:
    """Read a source from its beginning to its end."""
    for start in range(0, source.size, PIECE):
        yield source.read(start, PIECE)


def hash_of(source: Source) -> bytes:
    """Return the SHA-256 of all a source holds."""
    hashed = hashlib.sha256()
    for piece in pieces_of(source):
        hashed.update(piece)
    return hashed.digest()


class Blobs:
    """Puts and gets blobs; every put is durable when it returns, and putting the same bytes again is harmless."""

    def __init__(self, store: ObjectStore, *, write: Write = write_whole) -> None:
        self._store = store
        self._write = write

    async def put(self, content: bytes) -> bytes:
        """Store the bytes and return their SHA-256; raises `StorageFull`."""
        return await asyncio.to_thread(self._put, content)

    async def get(self, digest: bytes) -> bytes:
        """Return the bytes of a blob; raises FileNotFoundError or `BlobDamaged`."""
        return await asyncio.to_thread(self._get, digest)

    def keep(self, source: Source, expected: bytes | None = None) -> bytes | None:
        """Store what a source holds, never whole in memory, and return its SHA-256; runs in the caller's thread.

        None where that is not the one expected; then nothing is stored. Raises `StorageFull`, and `BlobDamaged`
        where the source is.
        """
        hashed = hashlib.sha256()

        def hashing() -> Iterator[bytes]:
            for piece in pieces_of(source):
                hashed.update(piece)
                yield piece

        # The name is known only at the end, so the object is written under another and renamed.
        coming = f"{_INCOMING}/{secrets.token_hex(16)}"
        with _room():
            self._write(self._store, coming, hashing())
            if expected not in {None, hashed.digest()}:
                obstore.delete(self._store, coming)
                return None
            path = blob_path(hashed.digest())
            obstore.rename(self._store, coming, path)
            _make_durable(self._store, path)
        return hashed.digest()

    async def pieces(self, digest: bytes, size: int, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Read a blob of `size` bytes piece by piece, or the part of it from `start` up to `end`.

        A whole blob is checked on the way: the last piece of a damaged one is held back and `BlobDamaged` raised.
        """
        end = size if end is None else end
        hashed = hashlib.sha256()
        for at in range(start, end, PIECE):
            piece = await asyncio.to_thread(self._range, blob_path(digest), at, min(at + PIECE, end))
            hashed.update(piece)
            if len(piece) < min(at + PIECE, end) - at:
                raise BlobDamaged(digest.hex())
            if at + PIECE >= end == size and start == 0 and hashed.digest() != digest:
                raise BlobDamaged(digest.hex())
            yield piece

    async def condition(self, digest: bytes) -> Condition:
        """Read a blob to its end, never whole in memory, and tell whether it is what its name says."""
        return await asyncio.to_thread(self._condition, digest)

    async def put_chunk(self, place: tuple[int, int, int], seq: int, digest: bytes, content: BinaryIO) -> None:
        """Store one chunk of an upload under its digest, which the caller has checked; raises `StorageFull`."""
        await asyncio.to_thread(self._put_at, chunk_path(place, seq, digest), content)

    def chunks(self, place: tuple[int, int, int], chunks: Sequence[Chunk]) -> ChunkSource:
        """Return an upload's chunks as something to read."""
        return ChunkSource(self._store, place, chunks)

    async def drop_chunks(self, place: tuple[int, int, int]) -> None:
        """Remove every chunk of an upload that lies in the store."""
        await asyncio.to_thread(self._drop_under, chunk_folder(place))

    async def drop(self, digest: bytes) -> None:
        """Remove a blob; one that is not there is gone already."""
        await asyncio.to_thread(self._drop, blob_path(digest))

    async def drop_incoming(self, age: timedelta) -> None:
        """Remove what a crash left behind while a large blob was being written, where it is older than `age`.

        In a folder alone; for S3 an ordinary rule of the bucket ends uploads that were never completed.
        """
        if isinstance(self._store, LocalStore):
            folder = Path(self._store.prefix or "/") / _INCOMING
            await asyncio.to_thread(_drop_older, folder, time.time() - age.total_seconds())

    async def written_at(self, digest: bytes) -> datetime | None:
        """Return when a blob was last written, by the store's clock; None where it is not there."""
        return await asyncio.to_thread(self._written_at, blob_path(digest))

    def _condition(self, digest: bytes) -> Condition:
        hashed = hashlib.sha256()
        try:
            for piece in obstore.get(self._store, blob_path(digest)).stream(min_chunk_size=PIECE):
                hashed.update(piece)
        except FileNotFoundError:
            return Condition.MISSING
        except (BaseError, OSError):
            return Condition.UNREADABLE
        return Condition.WHOLE if hashed.digest() == digest else Condition.CHANGED

    def _put(self, content: bytes) -> bytes:
        digest = digest_of(content)
        with _room():
            # Always written, also where the name exists: what a crash once left half done is put right.
            self._write(self._store, blob_path(digest), [content])
        return digest

    def _put_at(self, path: str, content: BinaryIO) -> None:
        with _room():
            self._write(self._store, path, pieces_of(FileSource(content)))

    def _get(self, digest: bytes) -> bytes:
        content = bytes(obstore.get(self._store, blob_path(digest)).bytes())
        if digest_of(content) != digest:
            raise BlobDamaged(digest.hex())
        return content

    def _range(self, path: str, start: int, end: int) -> bytes:
        return bytes(obstore.get_range(self._store, path, start=start, end=end))

    def _drop_under(self, prefix: str) -> None:
        for page in obstore.list(self._store, prefix):
            obstore.delete(self._store, [found["path"] for found in page])

    def _drop(self, path: str) -> None:
        with_it = obstore.list(self._store, path.rpartition("/")[0])
        if any(found["path"] == path for page in with_it for found in page):
            obstore.delete(self._store, path)

    def _written_at(self, path: str) -> datetime | None:
        try:
            return obstore.head(self._store, path)["last_modified"]
        except FileNotFoundError:
            return None


@contextmanager
def _room() -> Iterator[None]:
    try:
        yield
    except (BaseError, OSError) as error:
        if any(word in str(error) for word in _FULL):
            raise StorageFull from None
        raise


def _drop_older(folder: Path, before: float) -> None:
    for left in folder.glob("*"):
        if left.stat().st_mtime < before:
            left.unlink(missing_ok=True)


def _make_durable(store: ObjectStore, path: str) -> None:
    """Flush a local file and every folder down to it; the store itself leaves that to the operating system."""
    if not isinstance(store, LocalStore):
        return
    folder = Path(store.prefix or "/")
    target = folder / path
    for place in (target, *(parent for parent in target.parents if parent.is_relative_to(folder))):
        handle = os.open(place, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
