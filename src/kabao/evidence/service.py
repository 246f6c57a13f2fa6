"""Keeping what is said and handed in about an order. Whether somebody may see the order is the caller's question."""

import asyncio
from collections.abc import AsyncIterable
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import UTC, datetime
from typing import Final

from obstore.store import ObjectStore

from kabao.evidence import rules, store
from kabao.evidence.blobs import Blobs, StorageFull, Write, write_whole
from kabao.evidence.model import (
    MAX_FILE_BYTES,
    MAX_FILES_PER_SIDE,
    MAX_MESSAGE_CHARS,
    AuthorRole,
    FileBody,
    Item,
    MediaType,
    Message,
)
from kabao.evidence.previews import PREVIEW_TYPE, UnreadableImage, preview_of
from kabao.kernel import Clock, IdSource, Refusal, Refused, digest_of
from kabao.postgres import Connection, Database

_NOT_YET_NUMBERED: Final = 0
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class EvidenceService:
    """Messages and files of an order."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        ids: IdSource,
        blobs: ObjectStore,
        write: Write = write_whole,
    ) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._blobs = Blobs(blobs, write=write)
        # One image is decoded at a time: that bounds the memory, and two cores have other work.
        self._one_image = asyncio.Semaphore(1)

    async def say(
        self,
        conn: "Connection | None",
        shop_id: int,
        order_id: int,
        author_id: int,
        author_role: str,
        body: str,
    ) -> Message | Refused:
        """Keep one message, in the caller's transaction where one is given.

        Refuses INVALID_FIELDS for an empty text or one above 2000 characters, NOT_FOUND for no such order.
        """
        text = rules.clean_text(body, MAX_MESSAGE_CHARS)
        if text is None:
            return Refused(Refusal.INVALID_FIELDS, {"body": "写 1 到 2000 个字。"})
        async with self._joined(conn) as joined:
            at = await store.instant(joined, self._clock.instant())
            role = AuthorRole(author_role)
            message_id = self._ids.next()
            message = Message(
                message_id=message_id,
                author_id=author_id,
                author_role=role,
                body=text,
                digest=digest_of(["message", shop_id, order_id, message_id, role.value, text, at.isoformat()]),
                at=at,
            )
            kept = await store.add_message(joined, shop_id, order_id, message)
            return message if kept else Refused(Refusal.NOT_FOUND)

    async def messages(self, shop_id: int, order_id: int) -> list[Message]:
        """Return the conversation of an order, oldest first."""
        async with self._database.connection() as conn:
            return await store.messages(conn, shop_id, order_id)

    async def add_file(
        self,
        shop_id: int,
        order_id: int,
        case_id: int | None,
        author_id: int,
        author_role: str,
        file_name: str,
        stream: AsyncIterable[bytes],
    ) -> Item | Refused:
        """Take one file of at most 10 MiB: PNG, JPEG, WebP or plain UTF-8 text, told from its content.

        Refuses FILE_TOO_LARGE, FILE_EMPTY, FILE_TYPE_UNKNOWN, FILE_UNREADABLE, FILE_ALREADY_THERE (by the same
        person), TOO_MANY_FILES (20 a side), STORAGE_FULL, NOT_FOUND. The bytes are durable before the row is.
        """
        content = await _at_most(stream, MAX_FILE_BYTES)
        if isinstance(content, Refused):
            return content
        kind = await asyncio.to_thread(rules.media_type_of, content)
        if isinstance(kind, Refused):
            return kind
        refused = await self._why_not(shop_id, order_id, digest_of(content), author_id, author_role)
        if refused is not None:
            return refused
        try:
            preview = await self._preview(content, kind)
            preview_digest = None if preview is None else await self._blobs.put(preview)
            digest = await self._blobs.put(content)
        except UnreadableImage:
            return Refused(Refusal.FILE_UNREADABLE)
        except StorageFull:
            return Refused(Refusal.STORAGE_FULL)
        item = Item(
            item_id=self._ids.next(),
            item_no=_NOT_YET_NUMBERED,
            case_id=case_id,
            file_name=rules.clean_file_name(file_name),
            media_type=kind,
            byte_size=len(content),
            digest=digest,
            preview_digest=preview_digest,
            given_by=author_id,
            given_role=AuthorRole(author_role),
            at=_EPOCH,
        )
        return await self._number(shop_id, order_id, item)

    async def items(self, shop_id: int, order_id: int, conn: "Connection | None" = None) -> list[Item]:
        """Return the files of an order by their number, read in the caller's transaction where one is given."""
        async with self._database.connection() if conn is None else nullcontext(conn) as joined:
            return await store.items(joined, shop_id, order_id)

    async def original(
        self, shop_id: int, order_id: int, item_id: int, viewer_id: int, viewer_role: str
    ) -> FileBody | Refused:
        """Return a file byte for byte, to who gave it and to support; NOT_FOUND for everybody else."""
        item = await self._item(shop_id, order_id, item_id)
        if item is None or (item.given_by != viewer_id and viewer_role != AuthorRole.SUPPORT):
            return Refused(Refusal.NOT_FOUND)
        content = await self._blobs.get(item.digest)
        media_type = "text/plain; charset=utf-8" if item.media_type is MediaType.TEXT else item.media_type.value
        return FileBody(file_name=item.file_name, media_type=media_type, content=content, digest=item.digest)

    async def preview(self, shop_id: int, order_id: int, item_id: int) -> FileBody | Refused:
        """Return what everybody in the case sees: the re-encoded picture, or the first 20 KB of a text."""
        item = await self._item(shop_id, order_id, item_id)
        if item is None:
            return Refused(Refusal.NOT_FOUND)
        if item.preview_digest is None:
            content = rules.text_preview(await self._blobs.get(item.digest))
            media_type = "text/plain; charset=utf-8"
        else:
            content = await self._blobs.get(item.preview_digest)
            media_type = PREVIEW_TYPE.value
        return FileBody(file_name=item.file_name, media_type=media_type, content=content, digest=digest_of(content))

    def _joined(self, conn: "Connection | None") -> AbstractAsyncContextManager[Connection]:
        return self._database.transaction() if conn is None else nullcontext(conn)

    async def _item(self, shop_id: int, order_id: int, item_id: int) -> Item | None:
        async with self._database.connection() as conn:
            return await store.item(conn, shop_id, order_id, item_id)

    async def _preview(self, content: bytes, kind: MediaType) -> bytes | None:
        if kind is MediaType.TEXT:
            return None
        async with self._one_image:
            return await asyncio.to_thread(preview_of, content, kind)

    async def _why_not(
        self, shop_id: int, order_id: int, digest: bytes, author_id: int, author_role: str
    ) -> Refused | None:
        async with self._database.connection() as conn:
            why = await store.why_not_added(conn, shop_id, order_id, digest, author_id, author_role)
        if not why.order_exists:
            return Refused(Refusal.NOT_FOUND)
        if why.is_there:
            return Refused(Refusal.FILE_ALREADY_THERE)
        return Refused(Refusal.TOO_MANY_FILES) if why.files >= MAX_FILES_PER_SIDE else None

    async def _number(self, shop_id: int, order_id: int, item: Item) -> Item | Refused:
        """Write the row; where another file took the number meanwhile, take the next one."""
        while True:
            async with self._database.connection() as conn:
                kept = await store.add_item(conn, shop_id, order_id, item, self._clock.instant())
            if kept is not None:
                return kept
            refused = await self._why_not(shop_id, order_id, item.digest, item.given_by, item.given_role)
            if refused is not None:
                return refused


async def _at_most(stream: AsyncIterable[bytes], limit: int) -> bytes | Refused:
    content = bytearray()
    async for part in stream:
        content += part
        if len(content) > limit:
            return Refused(Refusal.FILE_TOO_LARGE)
    return bytes(content)
