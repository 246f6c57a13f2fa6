"""What the audit reads, from the database: one snapshot of the log's tables and of the sources' rows."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from kabao.postgres import Connection
from kabao.tlog import store
from kabao.tlog.model import Census, Checkpoint, Draft, StoredCosignature, StoredHead, StoredRecord, StoredTile
from kabao.tlog.ports import Beside, Source

WAITS_AT_MOST: Final = timedelta(minutes=1)
"""A row that has waited longer was forgotten, or nobody sequences."""


class DatabaseRows:
    """The stored log seen through one connection; `now` is the instant of the snapshot."""

    def __init__(
        self, conn: Connection, sources: Sequence[Source], now: datetime, beside: Sequence[Beside] = ()
    ) -> None:
        self._conn = conn
        self._sources = {source.name: source for source in sources}
        self._now = now
        self._beside = beside

    async def head(self) -> StoredHead | None:
        """Return the head; None for a log that was never used."""
        return await store.head(self._conn)

    async def leaves(self) -> int:
        """Return how many leaves the tiles of the lowest level reach."""
        return await store.leaves(self._conn)

    async def records(self, first: int, end: int | None) -> Sequence[StoredRecord]:
        """Return the records of some positions."""
        return await store.records_between(self._conn, first, end)

    async def tiles(self, level: int, first: int, limit: int) -> Sequence[StoredTile]:
        """Return a level's tiles from a number on."""
        return await store.tiles_from(self._conn, level, first, limit)

    async def checkpoints(self, first: int, limit: int) -> Sequence[Checkpoint]:
        """Return the checkpoints from a size on."""
        return await store.checkpoints_from(self._conn, first, limit)

    async def cosignatures(self, sizes: Sequence[int]) -> Sequence[StoredCosignature]:
        """Return every cosignature of some checkpoints."""
        return await store.cosignatures_of(self._conn, sizes)

    async def again(self, source: str, records: Sequence[StoredRecord]) -> Sequence[Draft | None] | None:
        """Ask the source of that name; None where wiring knows none."""
        found = self._sources.get(source)
        return None if found is None else await found.again(self._conn, records)

    async def beside(self) -> Sequence[tuple[str, str]]:
        """Ask everyone who keeps something about the log."""
        return [found for ask in self._beside for found in await ask(self._conn)]

    async def census(self) -> Mapping[str, Census]:
        """Ask every source how its rows stand."""
        before = self._now - WAITS_AT_MOST
        return {name: await source.census(self._conn, before) for name, source in self._sources.items()}
