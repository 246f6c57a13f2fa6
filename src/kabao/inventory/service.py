"""What merchants do with their stock of card keys, what orders need to open one, and the rotation of keys."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from kabao.inventory import importer, store
from kabao.inventory.columns import Layout, spellings, tail_of
from kabao.inventory.datakeys import DataKeys, KeyUnreadable, place_of, unseal
from kabao.inventory.keyring import Keyring, has_key_file, missing_key
from kabao.inventory.lines import HEAD_BYTES, judge_head
from kabao.inventory.model import (
    MAX_FILE_NAME_CHARS,
    MAX_IMPORT_BYTES,
    MAX_KEY_CHARS,
    FoundKey,
    ImportProgress,
    ImportReport,
    ImportState,
    KekRotation,
    KeyTail,
    StockCounts,
)
from kabao.kernel import Clock, IdSource, Refusal, Refused
from kabao.postgres import Database, DatabaseUnavailable

QUIET_FOR: Final = timedelta(minutes=2)
"""An import without a sign of life for so long has died with its process."""
STREAM_SECONDS: Final = 60.0
IMPORTS_SHOWN: Final = 20
WITHDRAW_BATCH: Final = 10_000
REWRAP_BATCH: Final = 1_000
TAILS_SHOWN: Final = 200

_KEPT: Final = "已经加入的卡密都在；把同一个文件再导入一次就行，已有的会算作重复。"
PROCESS_DIED: Final = f"导入中断：服务停了。{_KEPT}"
UPLOAD_STOPPED: Final = f"导入中断：文件没有传完。{_KEPT}"
UPLOAD_TOO_LARGE: Final = f"文件超过 {MAX_IMPORT_BYTES // 1024 // 1024} MB，超出的部分没有导入，请分成几个文件。{_KEPT}"
TOO_LARGE: Final = f"文件超过 {MAX_IMPORT_BYTES // 1024 // 1024} MB，没有导入，请分成几个文件。"
NOT_WHOLE: Final = "文件没有传完，没有导入。再传一次。"
IMPORT_BROKE: Final = f"导入中断：服务出错了。{_KEPT}"

OnProgress = Callable[[ImportProgress], object]


class _Stopped(Exception):  # noqa: N818  ends an import that someone else has ended already
    """The import was marked failed meanwhile."""


async def open_keyring(folder: Path, database: Database) -> Keyring:
    """Open the keys of an installation whose database is at hand, making the first only where nothing was sealed yet.

    Raises KeyringRefused where a key file is missing that the database needs; nothing is made then.
    """
    async with database.connection() as conn:
        needed = await store.kek_ids(conn)
    if needed and not await asyncio.to_thread(has_key_file, folder):
        raise missing_key(needed, folder)
    keyring = await asyncio.to_thread(Keyring, folder)
    if unknown := needed - keyring.kek_ids:
        raise missing_key(unknown, folder)
    return keyring


class InventoryService:
    """Imports, counts, withdraws and opens card keys. Whose shop it is, the caller has decided.

    A key's text leaves only by `open_key`; it is in no log, error or representation.
    """

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        ids: IdSource,
        keyring: Keyring,
        stream_seconds: float = STREAM_SECONDS,
        most_bytes: int = MAX_IMPORT_BYTES,
    ) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._keyring = keyring
        self._data_keys = DataKeys(database, keyring)
        self._stream_seconds = stream_seconds
        self._most_bytes = most_bytes

    async def import_keys(
        self,
        shop_id: int,
        listing_id: int,
        stream: AsyncIterable[bytes],
        file_name: str,
        total_bytes: int = 0,
        on_progress: OnProgress | None = None,
    ) -> ImportReport | Refused:
        """Import the keys of a text or CSV file (UTF-8, up to 256 MB) and return what became of every line.

        `total_bytes` is for the progress alone, 0 where unknown. Stored batch by batch: a report whose state is FAILED
        keeps what was added. NOT_FOUND, FILE_EMPTY, FILE_NOT_TEXT (binary), INVALID_FIELDS (another encoding),
        COLUMNS_UNKNOWN (several columns and no known header), FILE_TOO_LARGE, IMPORT_RUNNING; an error of the stream
        ends the import and is raised.
        """
        arriving = importer.paced(stream, seconds=self._stream_seconds, most_bytes=self._most_bytes)
        checked = await self._checked_head(arriving, file_name, total_bytes)
        if isinstance(checked, Refused):
            return checked
        head, layout = checked
        begun = await self._begin(shop_id, listing_id, file_name, total_bytes, layout)
        if isinstance(begun, Refused):
            return begun
        import_id, dek_id, cipher = begun
        sealer = importer.Sealer(
            keyring=self._keyring,
            cipher=cipher,
            shop_id=shop_id,
            listing_id=listing_id,
            import_id=import_id,
            layout=layout,
        )

        async def keep(batch: store.SealedBatch) -> None:
            async with self._database.transaction() as conn:
                progress = await store.add_batch(
                    conn,
                    shop_id=shop_id,
                    listing_id=listing_id,
                    import_id=import_id,
                    dek_id=dek_id,
                    batch=batch,
                    at=self._clock.instant(),
                )
                if progress is None:
                    raise _Stopped
            if on_progress is not None:
                on_progress(progress)

        try:
            failure = await _outcome(importer.run(importer.pieces(head, arriving), sealer, keep))
        except BaseException as error:
            is_ours = isinstance(error, DatabaseUnavailable)
            await self._give_up(shop_id, import_id, IMPORT_BROKE if is_ours else UPLOAD_STOPPED)
            raise
        await self._end(shop_id, import_id, failure)
        return await self.import_status(shop_id, import_id)

    async def import_status(self, shop_id: int, import_id: int) -> ImportReport | Refused:
        """Return what an import has done so far; NOT_FOUND."""
        async with self._database.connection() as conn:
            return await store.import_status(conn, shop_id, import_id) or Refused(Refusal.NOT_FOUND)

    async def imports(self, shop_id: int, listing_id: int) -> list[ImportReport]:
        """Return the last 20 imports of a listing, newest first."""
        async with self._database.connection() as conn:
            return await store.imports(conn, shop_id, listing_id, IMPORTS_SHOWN)

    async def fail_dead_imports(self, quiet_for: timedelta = QUIET_FOR) -> int:
        """Mark imports failed that gave no sign of life for so long; returns how many.

        Call it at start, with timedelta(0) where no other process can be importing.
        """
        async with self._database.connection() as conn:
            return await store.fail_quiet_imports(
                conn,
                shop_id=None,
                listing_id=None,
                at=self._clock.instant(),
                quiet_for=quiet_for,
                failure=PROCESS_DIED,
            )

    async def stock(self, shop_id: int, listing_id: int) -> StockCounts:
        """Count a listing's keys by state, exactly; for the merchant's page."""
        async with self._database.connection() as conn:
            return await store.stock(conn, shop_id, listing_id)

    async def withdraw_available(self, shop_id: int, listing_id: int) -> int:
        """Take every available key out of stock for good; returns how many. Keys in orders stay where they are."""
        total = 0
        while True:
            async with self._database.transaction() as conn:
                gone = await store.withdraw(conn, shop_id, listing_id, WITHDRAW_BATCH)
            total += gone
            if gone < WITHDRAW_BATCH:
                return total

    async def left_of_import(self, shop_id: int, import_id: int) -> int:
        """Count what `withdraw_import` would take back; 0 for an import there is not."""
        async with self._database.connection() as conn:
            found = await store.import_status(conn, shop_id, import_id)
            return await store.left_of_import(conn, shop_id, found.listing_id, import_id) if found else 0

    async def withdraw_import(self, shop_id: int, import_id: int) -> int | Refused:
        """Take an import's still available keys out of stock; returns how many.

        Keys in orders stay where they are. The same texts may be imported anew. NOT_FOUND; IMPORT_RUNNING while it
        still adds keys.
        """
        total = 0
        while True:
            async with self._database.transaction() as conn:
                found = await store.lock_import(conn, shop_id, import_id)
                if found is None:
                    return Refused(Refusal.NOT_FOUND)
                listing_id, state = found
                if state is ImportState.RUNNING:
                    return Refused(Refusal.IMPORT_RUNNING)
                gone = await store.withdraw_import(conn, shop_id, listing_id, import_id, WITHDRAW_BATCH)
            total += gone
            if gone < WITHDRAW_BATCH:
                return total

    async def find_key(self, shop_id: int, text: str) -> FoundKey | Refused:
        """Tell where a key stands whose text its merchant holds; NOT_FOUND, also for what is longer than any key.

        A key in two parts is found by its parts too, as `AAA001 PW001` or `AAA001----PW001`. Whoever may ask must be
        slowed down by the caller, for an answer tells that the shop has the key.
        """
        if not text.strip() or len(text) > MAX_KEY_CHARS:
            return Refused(Refusal.NOT_FOUND)
        blinds = [self._keyring.blind(spelling) for spelling in spellings(text)]
        async with self._database.connection() as conn:
            return await store.find_key(conn, shop_id, blinds) or Refused(Refusal.NOT_FOUND)

    async def tails(self, shop_id: int, order_id: int) -> list[KeyTail]:
        """Return the ends of an order's keys, by which its merchant knows them: at most four characters and half a key.

        The first 200 by place; a key that cannot be opened is left out. Whose order it is, the caller has decided.
        """
        async with self._database.connection() as conn:
            rows = await store.keys_of_order(conn, shop_id, order_id, TAILS_SHOWN)
        tails = []
        for row in rows:
            try:
                text = await self.open_key(
                    shop_id, row["listing_id"], row["key_id"], row["dek_id"], bytes(row["sealed_text"])
                )
            except KeyUnreadable:
                continue
            tails.append(KeyTail(pos=row["pos"], generation=row["generation"], tail=tail_of(text)))
        return tails

    async def open_key(self, shop_id: int, listing_id: int, key_id: int, dek_id: int, sealed_text: bytes) -> str:
        """Return a key's text; the caller writes the receipt first. Raises KeyUnreadable for a changed or moved one."""
        cipher = await self._data_keys.cipher(shop_id, dek_id)
        return unseal(cipher, place_of(shop_id, listing_id, key_id), sealed_text)

    async def rotate_data_key(self, shop_id: int) -> int | Refused:
        """Make a new data key for a shop's next imports and return its number; the old ones still open. NOT_FOUND."""
        async with self._database.transaction() as conn:
            if not await store.lock_shop(conn, shop_id):
                return Refused(Refusal.NOT_FOUND)
            return await self._data_keys.renew(conn, shop_id, self._clock.instant())

    async def rotate_kek(self) -> KekRotation:
        """Make a new key file and wrap every data key by it, in one transaction; then remove the old files.

        Safe to be killed at any point: old files stay until every data key is under the new one, and the next rotation
        ends what was begun. A backup of the database made before needs the key file of its time.
        """
        kek_id = await asyncio.to_thread(self._keyring.add_kek)
        rewrapped = 0
        async with self._database.transaction() as conn:
            await store.stop_data_keys(conn)
            after = (0, 0)
            while rows := await store.data_keys_not_under(conn, kek_id, after, REWRAP_BATCH):
                for row in rows:
                    data_key = self._keyring.unwrap(row.shop_id, row.dek_id, row.wrapped)
                    wrapped = self._keyring.wrap(row.shop_id, row.dek_id, data_key)
                    await store.rewrap_data_key(conn, row.shop_id, row.dek_id, wrapped)
                rewrapped += len(rows)
                after = (rows[-1].shop_id, rows[-1].dek_id)
        removed = await asyncio.to_thread(self._keyring.remove_old)
        return KekRotation(kek_id=kek_id, rewrapped=rewrapped, removed=removed)

    async def _checked_head(
        self, arriving: AsyncIterator[bytes], file_name: str, total_bytes: int
    ) -> tuple[bytes, Layout] | Refused:
        """Read until the beginning can be judged; returns it with how the file is read, or refuses it."""
        if total_bytes > self._most_bytes:
            return Refused(Refusal.FILE_TOO_LARGE, {"file": TOO_LARGE})
        head = bytearray()
        is_whole = True
        try:
            async for chunk in arriving:
                head += chunk
                if len(head) > HEAD_BYTES:
                    is_whole = False
                    break
        except TimeoutError:
            return Refused(Refusal.FILE_UNREADABLE, {"file": NOT_WHOLE})
        except OverflowError:
            return Refused(Refusal.FILE_TOO_LARGE, {"file": TOO_LARGE})
        judged = judge_head(bytes(head[:HEAD_BYTES]), file_name, is_whole=is_whole)
        return judged if isinstance(judged, Refused) else (bytes(head), judged)

    async def _begin(
        self, shop_id: int, listing_id: int, file_name: str, total_bytes: int, layout: Layout
    ) -> tuple[int, int, AESGCMSIV] | Refused:
        at = self._clock.instant()
        async with self._database.transaction() as conn:
            known = await store.lock_shop(conn, shop_id) and await store.has_listing(conn, shop_id, listing_id)
            if not known:
                return Refused(Refusal.NOT_FOUND)
            await store.fail_quiet_imports(
                conn, shop_id=shop_id, listing_id=listing_id, at=at, quiet_for=QUIET_FOR, failure=PROCESS_DIED
            )
            if await store.has_running_import(conn, shop_id, listing_id):
                return Refused(Refusal.IMPORT_RUNNING)
            last = await store.last_import_id(conn, shop_id)
            import_id = max(self._ids.next(), last + store.KEYS_PER_IMPORT)
            dek_id, cipher = await self._data_keys.active(conn, shop_id, at)
            await store.insert_import(
                conn,
                shop_id=shop_id,
                import_id=import_id,
                listing_id=listing_id,
                file_name=file_name[-MAX_FILE_NAME_CHARS:],
                bytes_total=max(0, total_bytes),
                layout=layout,
                at=at,
            )
        return import_id, dek_id, cipher

    async def _end(self, shop_id: int, import_id: int, failure: str | None) -> None:
        state = ImportState.DONE if failure is None else ImportState.FAILED
        async with self._database.connection() as conn:
            await store.finish_import(conn, shop_id, import_id, state, failure, self._clock.instant())

    async def _give_up(self, shop_id: int, import_id: int, failure: str) -> None:
        try:
            await self._end(shop_id, import_id, failure)
        except DatabaseUnavailable:
            # Then it is marked once it has been quiet for QUIET_FOR.
            return


async def _outcome(running: Awaitable[None]) -> str | None:
    """Tell why an import failed, None where it did not."""
    try:
        await running
    except TimeoutError:
        return UPLOAD_STOPPED
    except OverflowError:
        return UPLOAD_TOO_LARGE
    except _Stopped:
        return PROCESS_DIED
    return None
