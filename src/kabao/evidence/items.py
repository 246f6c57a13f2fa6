"""Keeping what is said and handed in about an order. Whether somebody may see the order is the caller's question."""

import asyncio
import tempfile
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import UTC, datetime
from io import BytesIO
from typing import BinaryIO, Final, cast

from obstore.store import ObjectStore

from kabao.evidence import rules, store
from kabao.evidence.abuse import mask_abuse
from kabao.evidence.blobs import Blobs, FileSource, Source, StorageFull, Write, hash_of, write_whole
from kabao.evidence.kinds import Known, know
from kabao.evidence.model import (
    MAX_FILE_BYTES,
    MAX_MASKS,
    MAX_MESSAGE_CHARS,
    MIB,
    SAID_A_DAY,
    AuthorRole,
    Chunk,
    FileBody,
    Giver,
    Hints,
    Item,
    ItemKind,
    Mark,
    Mask,
    MediaFacts,
    MediaType,
    Message,
    Original,
    RecordingEnd,
    SealedFile,
    UploadState,
)
from kabao.evidence.previews import PREVIEW_TYPE, UnreadableImage, preview_of
from kabao.kernel import Clock, IdSource, Refusal, Refused, digest_of
from kabao.postgres import Connection, Database

SPOOLED: Final = MIB // 4
"""Bytes of what comes in that stay in memory before they go to a temporary file."""
SMALL: Final = 50 * MIB
"""Bytes of the largest file that is ever read whole."""
_NOT_YET_NUMBERED: Final = 0
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NOT_FOUND: Final = Refused(Refusal.NOT_FOUND)
_OTHER_DIGEST: Final = Refused(Refusal.INVALID_FIELDS, {"sha256": "和收到的内容不一致，请重新上传。"})
_PLAIN: Final = "text/plain; charset=utf-8"
_MAX_WORDS: Final = 20
_MAX_WORD_CHARS: Final = 200
_LINK_NAME: Final = "网页链接"


class Items:
    """What is said and handed in: messages, files, links and recordings of an order."""

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
        self.blobs = Blobs(blobs, write=write)
        # One file is looked into at a time: that bounds the memory, and two cores have other work. A long film takes
        # seconds to put together and would keep every picture waiting, so films have a turn of their own.
        self._one_file = asyncio.Semaphore(1)
        self._one_film = asyncio.Semaphore(1)

    # ---------------------------------------------------------------- what is said

    async def say(
        self,
        conn: "Connection | None",
        shop_id: int,
        order_id: int,
        author_id: int,
        author_role: str,
        body: str,
    ) -> Message | Refused:
        """Keep one message, in the caller's transaction where one is given; a party's with abusive words masked.

        Refuses INVALID_FIELDS for an empty text or one above 2000 characters, SAID_ENOUGH for a party that has said 60
        things in this order within 24 hours, NOT_FOUND for no such order.
        """
        text = rules.clean_text(body, MAX_MESSAGE_CHARS)
        if text is None:
            return Refused(Refusal.INVALID_FIELDS, {"body": "写 1 到 2000 个字。"})
        async with self._joined(conn) as joined:
            at = await store.instant(joined, self._clock.instant())
            role, said = AuthorRole(author_role), text
            if role is not AuthorRole.SUPPORT:
                if await store.said_in_a_day(joined, shop_id, order_id, role, at) >= SAID_A_DAY:
                    return Refused(Refusal.SAID_ENOUGH)
                text = mask_abuse(text)
            message_id = self._ids.next()
            message = Message(
                message_id=message_id,
                author_id=author_id,
                author_role=role,
                body=text,
                digest=digest_of(["message", shop_id, order_id, message_id, role.value, text, at.isoformat()]),
                at=at,
            )
            if not await store.add_message(joined, shop_id, order_id, message):
                return _NOT_FOUND
            if text != said:
                original_id = self._ids.next()
                await store.add_original(joined, shop_id, order_id, original_id, author_id, role, said, text, at)
            return message

    async def masked(
        self, conn: Connection, shop_id: int, order_id: int, author_id: int, author_role: str, text: str, at: datetime
    ) -> str:
        """Mask abusive words in what a party writes elsewhere in an order, and keep the original for staff."""
        text, said = mask_abuse(text), text
        if text != said:
            original_id = self._ids.next()
            await store.add_original(conn, shop_id, order_id, original_id, author_id, author_role, said, text, at)
        return text

    async def originals(self, shop_id: int, order_id: int) -> list[Original]:
        """Return what was written in an order and is masked for both sides; the caller lets staff alone see it."""
        async with self._database.connection() as conn:
            return await store.originals(conn, shop_id, order_id)

    async def messages(self, shop_id: int, order_id: int) -> list[Message]:
        """Return the conversation of an order, oldest first."""
        async with self._database.connection() as conn:
            return await store.messages(conn, shop_id, order_id)

    # ---------------------------------------------------------------- what is handed in

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
        """Take one file that comes in one piece; what it is, is told from its content, its room from `LIMITS`.

        Refuses FILE_TOO_LARGE, FILE_EMPTY, FILE_TYPE_UNKNOWN, FILE_NAME_MISLEADS, FILE_UNREADABLE, FILE_ALREADY_THERE
        (by the same person), STORAGE_FULL, NOT_FOUND, and for want of room TOO_MANY_FILES (40 and 2 GiB a side),
        FILES_BEFORE_PAYMENT, FILES_TODAY_FULL. The bytes are durable before the row is.
        """
        giver = Giver(
            shop_id=shop_id, order_id=order_id, case_id=case_id, account_id=author_id, role=AuthorRole(author_role)
        )
        with spool_file() as spool:
            refused = await spooled(stream, spool, MAX_FILE_BYTES)
            return refused or await self.take(giver, FileSource(spool), file_name)

    async def add_link(self, giver: Giver, address: str) -> Item | Refused:
        """Keep a web address as the words it is; it is never fetched.

        Refuses INVALID_FIELDS for what is no http or https address, and what `add_file` does of room and repeats.
        """
        link = rules.clean_link(address)
        if link is None:
            return Refused(Refusal.INVALID_FIELDS, {"link": "填一个 http:// 或 https:// 开头的网址，2000 字以内。"})
        known = Known(MediaType.LINK, MediaFacts(), Hints(), link.encode())
        return await self._keep(giver, FileSource(BytesIO(link.encode())), known, _LINK_NAME, link=link)

    async def take(
        self,
        giver: Giver,
        source: Source,
        file_name: str,
        *,
        upload_id: int | None = None,
        recording: RecordingEnd | None = None,
        digest: bytes | None = None,
    ) -> Item | Refused:
        """Keep what a source holds as an item, and close its upload with it in the same transaction.

        `digest` is the SHA-256 its sender expects of the whole. Refuses as `add_file`, INVALID_FIELDS for a digest
        that is another, UPLOAD_ENDED; raises `BlobDamaged` and FileNotFoundError where chunks in the store are.
        """
        async with self._one_film if source.size > SMALL else self._one_file:
            known = await asyncio.to_thread(know, source, file_name, may_be_cut=recording is not None)
            if isinstance(known, Refused):
                return known
            if recording is not None and known.media_type not in {MediaType.WEBM, MediaType.MP4, MediaType.M4A}:
                return Refused(Refusal.FILE_TYPE_UNKNOWN)
            return await self._keep(
                giver, source, known, file_name, upload_id=upload_id, recording=recording, digest=digest
            )

    async def items(self, shop_id: int, order_id: int, conn: "Connection | None" = None) -> list[Item]:
        """Return the items of an order by their number, read in the caller's transaction where one is given."""
        async with self._database.connection() if conn is None else nullcontext(conn) as joined:
            return await store.items(joined, shop_id, order_id)

    async def item(self, shop_id: int, order_id: int, item_id: int) -> Item | Refused:
        """Return one item of an order; NOT_FOUND."""
        async with self._database.connection() as conn:
            return await store.find_item(conn, shop_id, order_id, item_id) or _NOT_FOUND

    async def recording(self, shop_id: int, order_id: int, item_id: int) -> list[Chunk]:
        """Return a recording's chunks with the chain over them, in order; empty for any other item."""
        async with self._database.connection() as conn:
            return await store.chunks_of_item(conn, shop_id, order_id, item_id)

    # ---------------------------------------------------------------- what is shown

    async def original(
        self, shop_id: int, order_id: int, item_id: int, viewer_id: int, viewer_role: str
    ) -> SealedFile | Refused:
        """Let who gave an item, and support, have its original; NOT_FOUND for everybody else, FILE_ERASED."""
        item = await self.item(shop_id, order_id, item_id)
        if isinstance(item, Refused) or (item.given_by != viewer_id and viewer_role != AuthorRole.SUPPORT):
            return _NOT_FOUND
        if item.erased_at is not None:
            return Refused(Refusal.FILE_ERASED)
        return SealedFile(
            file_name=item.file_name, media_type=item.media_type, byte_size=item.byte_size, digest=item.digest
        )

    def read(self, sealed: SealedFile, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Read an original, or the bytes from `start` up to `end`, piece by piece; a damaged one never ends whole."""
        return self.blobs.pieces(sealed.digest, sealed.byte_size, start, end)

    async def preview(self, shop_id: int, order_id: int, item_id: int) -> FileBody | Refused:
        """Return what everybody concerned sees: the re-encoded picture, the first 20 KB of a text, a link's words.

        NOT_FOUND also for what has no preview (PDF, video, sound); FILE_ERASED.
        """
        item = await self.item(shop_id, order_id, item_id)
        if isinstance(item, Refused):
            return item
        if item.erased_at is not None:
            return Refused(Refusal.FILE_ERASED)
        if item.preview_digest is not None:
            media_type = PREVIEW_TYPE.value if item.is_image else _PLAIN
            content = await self.blobs.get(item.preview_digest)
        elif item.media_type.family == "text":
            media_type, content = _PLAIN, rules.text_preview(await self.blobs.get(item.digest))
        else:
            return _NOT_FOUND
        return FileBody(file_name=item.file_name, media_type=media_type, content=content, digest=digest_of(content))

    async def black_out_picture(
        self, shop_id: int, order_id: int, item_id: int, by_id: int, marks: Sequence[Mark]
    ) -> Mask | Refused:
        """Make a new preview of a picture with more rectangles black; for whoever gave it, and for good.

        Refuses NOT_FOUND, FILE_ERASED, INVALID_FIELDS. The original stays as it is.
        """
        while True:
            item = await self._own_to_mask(shop_id, order_id, item_id, by_id)
            if isinstance(item, Refused):
                return item
            earlier = await self.masks(shop_id, order_id, item_id)
            together = [*(earlier[-1].marks if earlier else []), *marks]
            if not item.is_image or not marks or not rules.are_marks(together):
                return Refused(Refusal.INVALID_FIELDS, {"marks": "在图片里选要遮住的地方，一共最多 100 处。"})
            content = await self.blobs.get(item.digest)
            async with self._one_file:
                preview = await asyncio.to_thread(preview_of, content, item.media_type, together)
            mask = await self._mask(shop_id, order_id, item, by_id, preview, together)
            if mask is not None:
                return mask

    async def black_out_text(
        self, shop_id: int, order_id: int, item_id: int, by_id: int, words: Sequence[str]
    ) -> Mask | Refused:
        """Make a new preview of a text in which every place where one of the words stands is black.

        The words are not kept. Refuses NOT_FOUND, FILE_ERASED, INVALID_FIELDS for words that stand nowhere.
        """
        wanted = [word for word in words if word.strip()]
        if not 0 < len(wanted) <= _MAX_WORDS or any(len(word) > _MAX_WORD_CHARS for word in wanted):
            return Refused(Refusal.INVALID_FIELDS, {"words": "一行一处，最多 20 行，每行 200 字以内。"})
        while True:
            item = await self._own_to_mask(shop_id, order_id, item_id, by_id)
            if isinstance(item, Refused):
                return item
            shown = await self.preview(shop_id, order_id, item_id)
            text = "" if isinstance(shown, Refused) or item.is_image else shown.content.decode()
            blacked = rules.black_out(text, wanted)
            if blacked == text:
                return Refused(Refusal.INVALID_FIELDS, {"words": "预览里没有找到这些字，什么也没有改。"})
            mask = await self._mask(shop_id, order_id, item, by_id, blacked.encode(), [])
            if mask is not None:
                return mask

    async def masks(self, shop_id: int, order_id: int, item_id: int) -> list[Mask]:
        """Return the times an item's preview was blacked out, oldest first."""
        async with self._database.connection() as conn:
            return await store.masks(conn, shop_id, order_id, item_id)

    # ---------------------------------------------------------------- within

    def _joined(self, conn: "Connection | None") -> AbstractAsyncContextManager[Connection]:
        return self._database.transaction() if conn is None else nullcontext(conn)

    async def _own_to_mask(self, shop_id: int, order_id: int, item_id: int, account_id: int) -> Item | Refused:
        item = await self.item(shop_id, order_id, item_id)
        if isinstance(item, Refused) or item.given_by != account_id:
            return _NOT_FOUND
        if item.masks >= MAX_MASKS:
            return Refused(Refusal.INVALID_FIELDS, {"": f"这份证据已经遮过 {MAX_MASKS} 次，不能再遮。"})
        return item if item.erased_at is None else Refused(Refusal.FILE_ERASED)

    async def _mask(
        self, shop_id: int, order_id: int, item: Item, by_id: int, preview: bytes, marks: list[Mark]
    ) -> Mask | None:
        digest = await self.blobs.put(preview)
        async with self._database.connection() as conn:
            return await store.add_mask(
                conn, shop_id, order_id, item.item_id, item.masks + 1, digest, marks, by_id, self._clock.instant()
            )

    async def _keep(
        self,
        giver: Giver,
        source: Source,
        known: Known,
        file_name: str,
        *,
        upload_id: int | None = None,
        recording: RecordingEnd | None = None,
        link: str = "",
        digest: bytes | None = None,
    ) -> Item | Refused:
        # A small one is known by its digest before anything is stored; a large one is read once less.
        found = await asyncio.to_thread(hash_of, source) if source.size <= SMALL else digest
        refused = await self._why_not(giver, found or b"", source.size, is_announced=upload_id is not None)
        if digest is not None and found != digest:
            return _OTHER_DIGEST
        if refused is not None:
            return refused
        try:
            is_image = known.media_type.family == "image"
            preview = await asyncio.to_thread(preview_of, known.content, known.media_type) if is_image else None
            preview_digest = None if preview is None else await self.blobs.put(preview)
            kept = await asyncio.to_thread(self.blobs.keep, source, found)
        except UnreadableImage:
            return Refused(Refusal.FILE_UNREADABLE)
        except StorageFull:
            return Refused(Refusal.STORAGE_FULL)
        if kept is None:
            return _OTHER_DIGEST
        kind = ItemKind.LINK if link else ItemKind.FILE if recording is None else ItemKind.RECORDING
        item = Item(
            item_id=self._ids.next(),
            item_no=_NOT_YET_NUMBERED,
            case_id=giver.case_id,
            kind=kind,
            file_name=rules.clean_file_name(file_name),
            media_type=known.media_type,
            byte_size=source.size,
            digest=kept,
            preview_digest=preview_digest,
            given_by=giver.account_id,
            given_role=giver.role,
            at=_EPOCH,
            link=link,
            hints=known.hints,
            facts=known.facts,
            recording=recording,
        )
        return await self._number(giver, item, upload_id)

    async def _why_not(self, giver: Giver, digest: bytes, size: int, *, is_announced: bool) -> Refused | None:
        """Tell what stands in the way of an item; one that was announced has its room already."""
        async with self._database.connection() as conn:
            return await self._why_not_now(conn, giver, digest, size, is_announced=is_announced)

    async def _why_not_now(
        self, conn: Connection, giver: Giver, digest: bytes, size: int, *, is_announced: bool
    ) -> Refused | None:
        place, who, at = (giver.shop_id, giver.order_id), (giver.account_id, giver.role), self._clock.instant()
        why = await store.why_not_added(conn, *place, digest, *who, at)
        if not why.order_exists:
            return _NOT_FOUND
        if why.there_already is not None:
            return Refused(Refusal.FILE_ALREADY_THERE)
        used = why.used(is_announced=is_announced)
        return rules.why_no_room(is_paid=why.is_paid, wanted=size, **used._asdict())

    async def _number(self, giver: Giver, item: Item, upload_id: int | None) -> Item | Refused:
        """Write the row; where another item took the number meanwhile, take the next one."""
        while True:
            async with self._database.transaction() as conn:
                if upload_id is not None:
                    state = await store.lock_upload(conn, giver.shop_id, giver.order_id, upload_id)
                    if state is not UploadState.OPEN:
                        return Refused(Refusal.UPLOAD_ENDED)
                    arrived = await store.arrived_bytes(conn, giver.shop_id, giver.order_id, upload_id)
                    if arrived != item.byte_size:
                        # A recording went on while it was put together, and its sender was told that it was kept.
                        return Refused(Refusal.CHUNKS_MISSING, {"chunks": "收尾时又来了一段，请再收尾一次。"})
                else:
                    await store.lock_giver(conn, giver.account_id)
                    size = item.byte_size
                    refused = await self._why_not_now(conn, giver, item.digest, size, is_announced=False)
                    if refused is not None:
                        return refused
                at = self._clock.instant()
                kept = await store.add_item(conn, giver.shop_id, giver.order_id, item, upload_id, at)
                if kept is not None:
                    if upload_id is not None:
                        await store.finish_upload(conn, giver.shop_id, giver.order_id, upload_id, kept.item_id, at)
                    return kept
            refused = await self._why_not(giver, item.digest, item.byte_size, is_announced=upload_id is not None)
            if refused is not None:
                return refused


def spool_file() -> BinaryIO:
    """Open a temporary file whose beginning stays in memory."""
    return cast("BinaryIO", tempfile.SpooledTemporaryFile(max_size=SPOOLED))


async def spooled(stream: AsyncIterable[bytes], spool: BinaryIO, limit: int) -> Refused | None:
    """Write what comes to a temporary file; refuses FILE_TOO_LARGE beyond `limit` bytes and STORAGE_FULL."""
    size = 0
    async for part in stream:
        size += len(part)
        if size > limit:
            return Refused(Refusal.FILE_TOO_LARGE)
        try:
            await asyncio.to_thread(spool.write, part)
        except OSError:
            return Refused(Refusal.STORAGE_FULL)
    return None
