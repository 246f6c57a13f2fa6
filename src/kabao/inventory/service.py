"""What merchants do with their stock of card keys, what orders need to open one, and the rotation of keys."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from kabao.inventory import importer, store
from kabao.inventory.datakeys import DataKeys, place_of, unseal
from kabao.inventory.keyring import Keyring, has_key_file, missing_key
from kabao.inventory.lines import HEAD_BYTES, refuse_head
from kabao.inventory.model import (
    MAX_FILE_NAME_CHARS,
    MAX_IMPORT_BYTES,
    ImportProgress,
    ImportReport,
    ImportState,
    KekRotation,
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

_KEPT: Final = "已经加入的卡密都在；把同一个文件再导入一次就行，已有的会算作重复。"
PROCESS_DIED: Final = f"导入中断：服务停了。{_KEPT}"
UPLOAD_STOPPED: Final = f"导入中断：文件没有传完。{_KEPT}"
UPLOAD_TOO_LARGE: Final = f"文件超过 {MAX_IMPORT_BYTES // 1024 // 1024} MB，超出的部分没有导入，请分成几个文件。{_KEPT}"
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
        keeps what was added. NOT_FOUND, FILE_EMPTY, FILE_TYPE_UNKNOWN (binary), INVALID_FIELDS (another encoding),
        FILE_TOO_LARGE, IMPORT_RUNNING; an error of the stream ends the import and is raised.
        """
        arriving = importer.paced(stream, seconds=self._stream_seconds, most_bytes=self._most_bytes)
        head = await self._checked_head(arriving, total_bytes)
        if isinstance(head, Refused):
            return head
        begun = await self._begin(shop_id, listing_id, file_name, total_bytes)
        if isinstance(begun, Refused):
            return begun
        import_id, dek_id, cipher = begun
        sealer = importer.Sealer(
            keyring=self._keyring,
            cipher=cipher,
            shop_id=shop_id,
            listing_id=listing_id,
            import_id=import_id,
            file_name=file_name,
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

    async def _checked_head(self, arriving: AsyncIterator[bytes], total_bytes: int) -> bytes | Refused:
        """Read until the beginning can be judged, and refuse what is no list of keys."""
        if total_bytes > self._most_bytes:
            return Refused(Refusal.FILE_TOO_LARGE)
        head = bytearray()
        is_whole = True
        try:
            async for chunk in arriving:
                head += chunk
                if len(head) > HEAD_BYTES:
                    is_whole = False
                    break
        except TimeoutError:
            return Refused(Refusal.FILE_UNREADABLE)
        except OverflowError:
            return Refused(Refusal.FILE_TOO_LARGE)
        return refuse_head(bytes(head[:HEAD_BYTES]), is_whole=is_whole) or bytes(head)

    async def _begin(
        self, shop_id: int, listing_id: int, file_name: str, total_bytes: int
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
            import_id = max(self._ids.next(), last + importer.KEYS_PER_IMPORT)
            dek_id, cipher = await self._data_keys.active(conn, shop_id, at)
            await store.insert_import(
                conn,
                shop_id=shop_id,
                import_id=import_id,
                listing_id=listing_id,
                file_name=file_name[-MAX_FILE_NAME_CHARS:],
                bytes_total=max(0, total_bytes),
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
