"""Content-addressed blobs over an object store: a blob's name is its SHA-256, so it is written whole or not at all."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore

from kabao.evidence.rules import blob_path
from kabao.kernel import digest_of

_FULL: Final = ("No space left on device", "Disk quota exceeded", "StorageFull", "QuotaExceeded")


class StorageFull(Exception):  # noqa: N818  named for what happened
    """The blob store has no room left; nothing was stored and no row points at it."""


class BlobDamaged(Exception):  # noqa: N818  named for what happened
    """A stored blob no longer has the digest it is named by."""


Write: TypeAlias = Callable[[ObjectStore, str, bytes], None]


def write_whole(store: ObjectStore, path: str, content: bytes) -> None:
    """Write beside and rename, then flush a local file and its folders."""
    obstore.put(store, path, content, use_multipart=False)
    if isinstance(store, LocalStore):
        _make_durable(Path(store.prefix or "/"), path)


class Blobs:
    """Puts and gets blobs; every put is durable when it returns, and putting the same bytes again is harmless."""

    def __init__(self, store: ObjectStore, *, write: Write = write_whole) -> None:
        self._store = store
        self._write = write

    async def put(self, content: bytes) -> bytes:
        """Store the bytes and return their SHA-256; raises `StorageFull`."""
        # Threads, because the library's own asynchronous calls can abort the process when it ends right after one.
        return await asyncio.to_thread(self._put, content)

    async def get(self, digest: bytes) -> bytes:
        """Return the bytes of a blob; raises FileNotFoundError or `BlobDamaged`."""
        return await asyncio.to_thread(self._get, digest)

    def _put(self, content: bytes) -> bytes:
        digest = digest_of(content)
        path = blob_path(digest)
        try:
            # Always written, also where the name exists: what a crash once left half done is put right.
            self._write(self._store, path, content)
        except (BaseError, OSError) as error:
            if any(word in str(error) for word in _FULL):
                raise StorageFull from None
            raise
        return digest

    def _get(self, digest: bytes) -> bytes:
        content = bytes(obstore.get(self._store, blob_path(digest)).bytes())
        if digest_of(content) != digest:
            raise BlobDamaged(digest.hex())
        return content


def _make_durable(folder: Path, path: str) -> None:
    """Flush a file and every folder down to it; the store itself leaves that to the operating system."""
    target = folder / path
    for place in (target, *(parent for parent in target.parents if parent.is_relative_to(folder))):
        handle = os.open(place, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
