"""The rows of the business as the log's sources: locked, written out as records, marked, and read again for audits."""

from collections.abc import Sequence
from datetime import datetime

from kabao.dossier import store
from kabao.dossier.rules import body_of, kind_of
from kabao.dossier.store import Found, Key
from kabao.postgres import Connection
from kabao.tlog import Census, Draft, StoredRecord


class RowSource:
    """One kind of business row; implements `kabao.tlog.Source`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._queries = store.SOURCES[name]

    @property
    def name(self) -> str:
        """The word that stands in `Draft.source`."""
        return self._name

    async def take(self, conn: Connection, limit: int) -> Sequence[Draft]:
        """Lock rows that wait, oldest first, and write their bodies."""
        keys = await store.due(conn, self._queries, limit)
        rows = await store.found(conn, self._queries, keys) if keys else []
        return [self._draft(row) for row in rows if row is not None]

    async def mark(self, conn: Connection, positions: Sequence[tuple[Draft, int]]) -> None:
        """Write each row's position."""
        await store.mark(
            conn,
            self._queries,
            [(Key(draft.shop_id, draft.order_id, draft.source_id), position) for draft, position in positions],
        )

    async def again(self, conn: Connection, records: Sequence[StoredRecord]) -> Sequence[Draft | None]:
        """Write the bodies anew from the rows as they are now; None where a row is gone, or no row tells of an erasure.

        What a record said cannot be compared once it is erased: nothing is erased without a row, and a record, of it.
        """
        keys = [Key(record.shop_id, record.order_id, record.source_id) for record in records]
        rows = await store.found(conn, self._queries, keys)
        silent = [record for record in records if record.body is None]
        told = await store.erased(conn, silent) if silent else set()
        return [
            None if row is None or (record.body is None and record.record_id not in told) else self._draft(row)
            for record, row in zip(records, rows, strict=True)
        ]

    async def census(self, conn: Connection, before: datetime) -> Census:
        """Count the marked rows and those that wait since before an instant."""
        return await store.census(conn, self._queries, before)

    def _draft(self, found: Found) -> Draft:
        return Draft(
            shop_id=found.key.shop_id,
            order_id=found.key.order_id,
            source=self._name,
            source_id=found.key.source_id,
            kind=kind_of(found.row),
            body=body_of(found.row),
            at=found.row.at,
            position=found.position,
            odds=found.odds,
        )


def record_sources() -> list[RowSource]:
    """Return every source of records there is, in the order they are asked."""
    return [RowSource(name) for name in store.SOURCES]
