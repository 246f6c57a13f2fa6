"""Runs the SQL of messages, items, uploads and their keeping, and turns rows into values."""

from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import msgspec
from asyncpg import Record

from kabao.evidence.model import (
    MAX_BYTES_PER_SIDE,
    MAX_FILES_PER_SIDE,
    UNPAID_BYTES_PER_SIDE,
    Chunk,
    Item,
    Mark,
    Mask,
    Message,
    Original,
    Upload,
    UploadState,
)
from kabao.postgres import Connection, load_queries

_SQL: Final = load_queries("kabao.evidence")


class Used(NamedTuple):
    """The room that is taken: of a side's files and bytes, and of its giver's bytes of a day."""

    files: int
    side_bytes: int
    day_bytes: int


class WhyNot(msgspec.Struct, frozen=True):
    """What stood in the way of an item, and how much room a side and its giver have used or announced."""

    there_already: int | None
    files: int
    bytes: int
    coming_files: int
    coming_bytes: int
    day_bytes: int
    day_coming_bytes: int
    order_exists: bool
    is_paid: bool

    def used(self, *, is_announced: bool) -> Used:
        """Count what is taken; what was announced has its room already, so that nothing under way counts."""
        if is_announced:
            # Its day was asked when it was announced, and a recording may outlast that day.
            return Used(self.files, self.bytes, 0)
        return Used(
            self.files + self.coming_files, self.bytes + self.coming_bytes, self.day_bytes + self.day_coming_bytes
        )


class Place(msgspec.Struct, frozen=True):
    """Names an upload or an item of any shop, for background work."""

    shop_id: int
    order_id: int
    object_id: int


class StaleUpload(msgspec.Struct, frozen=True):
    """An open upload that nothing has come for in a long time."""

    shop_id: int
    order_id: int
    upload_id: int
    given_by: int
    given_role: str
    kind: str


class Erased(msgspec.Struct, frozen=True):
    """A tombstone whose bytes may still lie in the store."""

    shop_id: int
    order_id: int
    item_id: int
    digests: list[bytes]


async def instant(conn: Connection, at: datetime | None) -> datetime:
    """Return the instant handed in, or the database's."""
    found: datetime = await conn.fetchval(_SQL.instant, at)
    return found


async def add_message(conn: Connection, shop_id: int, order_id: int, message: Message) -> bool:
    """Keep a message; false where there is no such order."""
    found = await conn.fetchval(
        _SQL.add_message,
        shop_id,
        order_id,
        message.message_id,
        message.author_id,
        message.author_role,
        message.body,
        message.digest,
        message.at,
    )
    return found is not None


async def said_in_a_day(conn: Connection, shop_id: int, order_id: int, role: str, at: datetime) -> int:
    """Count what a side has said in an order within 24 hours."""
    count: int = await conn.fetchval(_SQL.said_in_a_day, shop_id, order_id, role, at)
    return count


async def add_original(
    conn: Connection,
    shop_id: int,
    order_id: int,
    original_id: int,
    author_id: int,
    author_role: str,
    body: str,
    masked: str,
    at: datetime | None,
) -> None:
    """Keep what was written where both sides read it masked."""
    await conn.execute(_SQL.add_original, shop_id, order_id, original_id, author_id, author_role, body, masked, at)


async def originals(conn: Connection, shop_id: int, order_id: int) -> list[Original]:
    """Return what was written in an order and is masked for both sides, oldest first."""
    return [msgspec.convert(dict(row), Original) for row in await conn.fetch(_SQL.originals, shop_id, order_id)]


async def messages(conn: Connection, shop_id: int, order_id: int) -> list[Message]:
    """Return the conversation of an order."""
    return [msgspec.convert(dict(row), Message) for row in await conn.fetch(_SQL.messages, shop_id, order_id)]


# ---------------------------------------------------------------- items


async def add_item(
    conn: Connection, shop_id: int, order_id: int, item: Item, upload_id: int | None, at: datetime | None
) -> Item | None:
    """Keep an item under the next number (the one in `item` is ignored); None where something stood in the way."""
    kept = await conn.fetchval(
        _SQL.add_item,
        shop_id,
        order_id,
        item.item_id,
        item.case_id,
        item.file_name,
        item.media_type,
        item.byte_size,
        item.digest,
        item.preview_digest,
        item.given_by,
        item.given_role,
        at,
        MAX_FILES_PER_SIDE,
        MAX_BYTES_PER_SIDE,
        item.kind,
        item.link,
        msgspec.to_builtins(item.hints),
        msgspec.to_builtins(item.facts),
        None if item.recording is None else msgspec.to_builtins(item.recording),
        upload_id,
        UNPAID_BYTES_PER_SIDE,
    )
    return None if kept is None else await find_item(conn, shop_id, order_id, item.item_id)


async def why_not_added(
    conn: Connection, shop_id: int, order_id: int, digest: bytes, given_by: int, given_role: str, at: datetime | None
) -> WhyNot:
    """Tell what stood in the way of an item."""
    row = await conn.fetchrow(_SQL.why_not_added, shop_id, order_id, digest, given_by, given_role, at)
    return msgspec.convert(dict(row or {}), WhyNot)


async def lock_giver(conn: Connection, given_by: int) -> None:
    """Let the steps of one account that take room follow each other, to the end of the transaction."""
    await conn.execute(_SQL.lock_giver, given_by)


async def items(conn: Connection, shop_id: int, order_id: int) -> list[Item]:
    """Return the items of an order."""
    return [_item(row) for row in await conn.fetch(_SQL["items"], shop_id, order_id)]


async def find_item(conn: Connection, shop_id: int, order_id: int, item_id: int) -> Item | None:
    """Return one item of an order."""
    row = await conn.fetchrow(_SQL.item, shop_id, order_id, item_id)
    return None if row is None else _item(row)


async def masks(conn: Connection, shop_id: int, order_id: int, item_id: int) -> list[Mask]:
    """Return the times an item's preview was blacked out."""
    return [msgspec.convert(dict(row), Mask) for row in await conn.fetch(_SQL.masks, shop_id, order_id, item_id)]


async def add_mask(
    conn: Connection,
    shop_id: int,
    order_id: int,
    item_id: int,
    mask_no: int,
    preview_digest: bytes,
    marks: list[Mark],
    by_id: int,
    at: datetime | None,
) -> Mask | None:
    """Keep the next blacked-out preview; None where another took the number or the item is erased."""
    row = await conn.fetchrow(
        _SQL.add_mask,
        shop_id,
        order_id,
        item_id,
        mask_no,
        preview_digest,
        msgspec.to_builtins(marks),
        by_id,
        at,
    )
    return None if row is None else msgspec.convert(dict(row), Mask)


# ---------------------------------------------------------------- uploads


async def open_upload(
    conn: Connection, shop_id: int, order_id: int, upload: Upload, at: datetime | None
) -> Upload | None:
    """Begin an upload; None where there is no such order."""
    row = await conn.fetchrow(
        _SQL.open_upload,
        shop_id,
        order_id,
        upload.upload_id,
        upload.case_id,
        upload.kind,
        upload.file_name,
        upload.byte_size,
        upload.chunk_bytes,
        upload.not_before,
        upload.given_by,
        upload.given_role,
        at,
    )
    return None if row is None else msgspec.convert(dict(row), Upload)


async def find_upload(conn: Connection, shop_id: int, order_id: int, upload_id: int, given_by: int) -> Upload | None:
    """Return an upload of the person who began it."""
    row = await conn.fetchrow(_SQL.upload, shop_id, order_id, upload_id, given_by)
    return None if row is None else msgspec.convert(dict(row), Upload)


async def open_uploads(conn: Connection, shop_id: int, order_id: int, given_by: int) -> list[Upload]:
    """Return a person's unfinished uploads of an order."""
    rows = await conn.fetch(_SQL.open_uploads, shop_id, order_id, given_by)
    return [msgspec.convert(dict(row), Upload) for row in rows]


async def chunks(conn: Connection, shop_id: int, order_id: int, upload_id: int) -> list[Chunk]:
    """Return what has arrived of an upload, in order."""
    return [_chunk(row) for row in await conn.fetch(_SQL.chunks, shop_id, order_id, upload_id)]


async def find_chunk(conn: Connection, shop_id: int, order_id: int, upload_id: int, seq: int) -> Chunk | None:
    """Return one chunk."""
    row = await conn.fetchrow(_SQL.chunk, shop_id, order_id, upload_id, seq)
    return None if row is None else _chunk(row)


async def arrived_bytes(conn: Connection, shop_id: int, order_id: int, upload_id: int) -> int:
    """Return how many bytes of an upload have arrived."""
    found: int = await conn.fetchval(_SQL.arrived_bytes, shop_id, order_id, upload_id)
    return found


async def add_chunk(
    conn: Connection,
    shop_id: int,
    order_id: int,
    upload_id: int,
    seq: int,
    digest: bytes,
    byte_size: int,
    head: bytes | None,
    at: datetime | None,
) -> Chunk | None:
    """Keep a chunk of an open upload; None where its number is taken or the upload has ended."""
    row = await conn.fetchrow(_SQL.add_chunk, shop_id, order_id, upload_id, seq, digest, byte_size, head, at)
    return None if row is None else _chunk(row)


async def lock_upload(conn: Connection, shop_id: int, order_id: int, upload_id: int) -> UploadState:
    """Hold an upload to the end of the transaction and return its state."""
    return UploadState(await conn.fetchval(_SQL.lock_upload, shop_id, order_id, upload_id))


async def finish_upload(
    conn: Connection, shop_id: int, order_id: int, upload_id: int, item_id: int, at: datetime | None
) -> None:
    """Close an upload with its item."""
    await conn.execute(_SQL.finish_upload, shop_id, order_id, upload_id, item_id, at)


async def abandon_upload(
    conn: Connection, shop_id: int, order_id: int, upload_id: int, at: datetime | None, idle: timedelta | None
) -> bool:
    """Give an open upload up; false where it was closed before, or something came for it within `idle`."""
    return await conn.fetchval(_SQL.abandon_upload, shop_id, order_id, upload_id, at, idle) is not None


async def stale_uploads(conn: Connection, at: datetime | None, age: timedelta, limit: int) -> list[StaleUpload]:
    """Return open uploads that nothing has come for in `age`."""
    return [msgspec.convert(dict(row), StaleUpload) for row in await conn.fetch(_SQL.stale_uploads, at, age, limit)]


async def uncleared_uploads(conn: Connection, limit: int) -> list[Place]:
    """Return ended uploads whose chunks may still lie in the store."""
    return [Place(*row.values()) for row in await conn.fetch(_SQL.uncleared_uploads, limit)]


async def clear_upload(conn: Connection, place: Place) -> None:
    """Note that an ended upload's chunks are gone from the store."""
    await conn.execute(_SQL.clear_upload, place.shop_id, place.order_id, place.object_id)


async def chunks_of_item(conn: Connection, shop_id: int, order_id: int, item_id: int) -> list[Chunk]:
    """Return the chunks a recording was put together from."""
    return [_chunk(row) for row in await conn.fetch(_SQL.chunks_of_item, shop_id, order_id, item_id)]


# ---------------------------------------------------------------- keeping


async def set_hold(
    conn: Connection, shop_id: int, order_id: int, hold_id: int, reason: str, by_id: int, at: datetime | None
) -> bool:
    """Put an order's evidence under hold; false where there is no such order."""
    return await conn.fetchval(_SQL.set_hold, shop_id, order_id, hold_id, reason, by_id, at) is not None


async def lift_holds(conn: Connection, shop_id: int, order_id: int, by_id: int, at: datetime | None) -> int:
    """Lift the holds that stand on an order and return how many did."""
    return len(await conn.fetch(_SQL.lift_holds, shop_id, order_id, by_id, at))


async def is_held(conn: Connection, shop_id: int, order_id: int) -> bool:
    """Tell whether a hold stands on an order."""
    return bool(await conn.fetchval(_SQL.is_held, shop_id, order_id))


class Standing(NamedTuple):
    """An item that is not erased, and the digests of what the store must hold of it: the original first."""

    place: Place
    item_no: int
    digests: list[bytes]


async def standing_items(conn: Connection, after: Place, limit: int) -> list[Standing]:
    """Return items that are not erased, after a place."""
    rows = await conn.fetch(_SQL.standing_items, after.shop_id, after.order_id, after.object_id, limit)
    return [
        Standing(Place(row["shop_id"], row["order_id"], row["item_id"]), row["item_no"], row["digests"]) for row in rows
    ]


async def due_items(conn: Connection, at: datetime | None, age: timedelta, after: Place, limit: int) -> list[Place]:
    """Return items whose order ended longer ago than `age` and that no hold stands on, behind `after`."""
    rows = await conn.fetch(_SQL.due_items, at, age, after.shop_id, after.order_id, after.object_id, limit)
    return [Place(*row.values()) for row in rows]


async def lock_order(conn: Connection, shop_id: int, order_id: int) -> bool:
    """Hold an order's row to the end of the transaction; false where there is none."""
    return await conn.fetchval(_SQL.lock_order, shop_id, order_id) is not None


async def erase_item(
    conn: Connection, shop_id: int, order_id: int, item_id: int, why: str, by_id: int | None, at: datetime | None
) -> bool:
    """Leave a tombstone for an item; false where it has one or there is no such item."""
    return bool(await conn.fetchval(_SQL.erase_item, shop_id, order_id, item_id, why, by_id, at))


async def uncleared_erasures(conn: Connection, limit: int) -> list[Erased]:
    """Return tombstones whose bytes may still lie in the store."""
    return [msgspec.convert(dict(row), Erased) for row in await conn.fetch(_SQL.uncleared_erasures, limit)]


async def clear_erasure(conn: Connection, erased: Erased) -> None:
    """Note that an erased item's bytes are gone from the store."""
    await conn.execute(_SQL.clear_erasure, erased.shop_id, erased.order_id, erased.item_id)


async def is_used(conn: Connection, digest: bytes) -> bool:
    """Tell whether an item that is not erased still has these bytes."""
    return bool(await conn.fetchval(_SQL.is_used, digest))


def _item(row: Record) -> Item:
    return msgspec.convert(dict(row), Item)


def _chunk(row: Record) -> Chunk:
    found: dict[str, Any] = dict(row)
    return msgspec.convert(found, Chunk)
