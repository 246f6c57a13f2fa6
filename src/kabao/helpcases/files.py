"""Files of a saved case: taken, fingerprinted, kept encrypted, given back, removed; and the case as a folder."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Final, TypeVar, cast

import msgspec

from kabao.evidence import BlobDamaged, MediaType, StorageFull
from kabao.evidence.blobs import FileSource, hash_of, pieces_of
from kabao.evidence.items import spool_file, spooled
from kabao.evidence.kinds import know
from kabao.evidence.previews import PREVIEW_TYPE, UnreadableImage, preview_of
from kabao.evidence.rules import text_preview
from kabao.helpcases import folders, rules, store
from kabao.helpcases.folders import Brought
from kabao.helpcases.model import LARGEST_FILE, CaseView, SavedCase
from kabao.helpcases.sealing import plain_pieces, sealed_pieces
from kabao.helpcases.service import HelpCases
from kabao.kernel import Refusal, Refused
from kabao.selfhelp import CHINA, EvidenceItem, Kind
from kabao.selfhelp.storyfile import UnreadableCaseError, Wrong

_NOT_FOUND: Final = Refused(Refusal.NOT_FOUND)
_T = TypeVar("_T")
ABANDONED: Final = timedelta(hours=1)
"""No case is laid out for so long by a process that lives."""


class HelpFiles:
    """The files of saved cases. One is looked into at a time, and one folder made: that bounds memory and disk.

    Folders are laid out below `workshop` and removed at the end of what they are for.
    """

    def __init__(self, cases: HelpCases, workshop: Path) -> None:
        self.cases = cases
        self._workshop = workshop
        self._one_file = asyncio.Semaphore(1)
        self._one_folder = asyncio.Semaphore(1)

    async def add(
        self,
        account_id: int,
        case_id: int,
        name: str,
        stream: AsyncIterable[bytes],
        *,
        kind: Kind,
        shows: tuple[str, ...],
    ) -> CaseView | Refused:
        """Keep a file as evidence, with its fingerprint and the time it was taken.

        Refuses NOT_FOUND, FILE_EMPTY, FILE_TOO_LARGE, FILE_TYPE_UNKNOWN, FILE_NAME_MISLEADS, FILE_UNREADABLE,
        FILE_ALREADY_THERE, HELP_FILES_FULL, STORAGE_FULL.
        """
        found = await self.cases.find(account_id, case_id)
        if isinstance(found, Refused):
            return found
        with spool_file() as spool:
            refused = await spooled(stream, spool, LARGEST_FILE)
            if refused is not None:
                return Refused(Refusal.HELP_FILES_FULL) if refused.code is Refusal.FILE_TOO_LARGE else refused
            item = await self._known(spool, name, kind, shows)
            return item if isinstance(item, Refused) else await self._keep(account_id, case_id, item, spool)

    async def remove(self, account_id: int, case_id: int, file_id: int) -> CaseView | Refused:
        """Take an item out and remove its bytes; NOT_FOUND."""
        async with self.cases.database.transaction() as conn:
            changed = await self.cases.change_in(
                conn, account_id, case_id, lambda held: rules.without_item(held, file_id)
            )
            if isinstance(changed, Refused):
                return changed
            blob = await store.delete_file(conn, account_id, case_id, file_id)
        if blob is not None:
            await self.cases.blobs.drop(blob)
        return changed

    async def read(
        self, account_id: int, case_id: int, file_id: int
    ) -> tuple[EvidenceItem, AsyncIterator[bytes]] | Refused:
        """Give a file back, piece by piece; NOT_FOUND."""
        found = await self.cases.find(account_id, case_id)
        if isinstance(found, Refused):
            return found
        named = next((file for file, number in found.case.files.items() if number == file_id), None)
        item = next((one for one in found.story.evidence if one.file == named), None)
        async with self.cases.database.connection() as conn:
            row = await store.find_case(conn, account_id, case_id)
            stored = next((one for one in await store.files(conn, account_id, case_id) if one.file_id == file_id), None)
        if item is None or row is None or stored is None:
            return _NOT_FOUND
        return item, plain_pieces(
            self.cases.key_of(row), file_id, self.cases.blobs.pieces(stored.blob, stored.blob_size)
        )

    async def look(self, account_id: int, case_id: int, file_id: int) -> tuple[str, bytes] | Refused:
        """Return a picture written anew without metadata, or the beginning of a text, with its media type.

        NOT_FOUND also for what has no preview (PDF, video, sound); FILE_UNREADABLE.
        """
        read = await self.read(account_id, case_id, file_id)
        if isinstance(read, Refused):
            return read
        item, pieces = read
        family = item.media_type.partition("/")[0]
        if family not in {"image", "text"}:
            return _NOT_FOUND
        async with self._one_file:
            content = b"".join([piece async for piece in pieces])
            if family == "text":
                return "text/plain; charset=utf-8", text_preview(content)
            try:
                return PREVIEW_TYPE, await asyncio.to_thread(preview_of, content, MediaType(item.media_type))
            except UnreadableImage:
                return Refused(Refusal.FILE_UNREADABLE)

    @asynccontextmanager
    async def laid_out(self, account_id: int, case_id: int) -> AsyncIterator[tuple[CaseView, Path] | Refused]:
        """Lay a case out as the folder of `kabao selfhelp`, for as long as the block runs; NOT_FOUND.

        The folder is readable by this process's account alone and removed at the end.
        """
        found = await self.cases.find(account_id, case_id)
        if isinstance(found, Refused):
            yield found
            return
        async with self._one_folder:
            place = await asyncio.to_thread(self._bench)
            try:
                await asyncio.to_thread(folders.write_folder, place, found.case, self.cases.now())
                for file, file_id in found.case.files.items():
                    read = await self.read(account_id, case_id, file_id)
                    if isinstance(read, Refused):
                        raise BlobDamaged(file)
                    with await asyncio.to_thread((place / file).open, "xb") as target:
                        async for piece in read[1]:
                            await asyncio.to_thread(target.write, piece)
                yield found, place
            finally:
                await asyncio.to_thread(shutil.rmtree, place)

    async def made_of(
        self, account_id: int, case_id: int, make: Callable[[CaseView, Path, Path, datetime], _T]
    ) -> tuple[_T, BinaryIO] | Refused:
        """Make a file of a laid out case and return it open, with what `make` said; it is nowhere on disk any more."""
        async with self.laid_out(account_id, case_id) as laid:
            if isinstance(laid, Refused):
                return laid
            view, place = laid
            target = place / ".made"
            said = await asyncio.to_thread(make, view, place, target, self.cases.now())
            return said, cast("BinaryIO", await asyncio.to_thread(target.open, "rb"))

    async def bring(
        self, account_id: int, archive: BinaryIO, fits: Callable[[Brought], tuple[Wrong, ...]]
    ) -> CaseView | Refused:
        """Save the case of a zipped folder, whole or not at all; `fits` says what the caller has no room for.

        Refuses as `HelpCases.save` and `add`; raises UnreadableCaseError for what is wrong with the folder.
        """
        async with self._one_folder:
            place = await asyncio.to_thread(self._bench)
            try:
                brought = await asyncio.to_thread(folders.read_folder, archive, place, self.cases.now())
                if wrongs := fits(brought):
                    raise UnreadableCaseError(wrongs)
                return await self._save_brought(account_id, brought, place)
            finally:
                await asyncio.to_thread(shutil.rmtree, place)

    async def sweep(self, age: timedelta = ABANDONED) -> int:
        """Remove what a crash left laid out, where it is older than `age`; returns how many folders."""
        return await asyncio.to_thread(_sweep, self._workshop, time.time() - age.total_seconds())

    def _bench(self) -> Path:
        """Make an empty folder that nobody else reads."""
        self._workshop.mkdir(mode=0o700, exist_ok=True)
        return Path(tempfile.mkdtemp(dir=self._workshop))

    async def _save_brought(self, account_id: int, brought: Brought, place: Path) -> CaseView | Refused:
        saved = await self.cases.save(account_id, brought.case)
        if isinstance(saved, Refused):
            return saved
        for item in brought.items:
            with await asyncio.to_thread((place / item.file).open, "rb") as opened:
                kept = await self._keep(account_id, saved.case_id, item, cast("BinaryIO", opened))
            if isinstance(kept, Refused):
                await self.cases.delete(account_id, saved.case_id)
                return kept
            saved = kept
        return saved

    async def _known(self, spool: BinaryIO, name: str, kind: Kind, shows: tuple[str, ...]) -> EvidenceItem | Refused:
        source = FileSource(spool)
        async with self._one_file:
            known = await asyncio.to_thread(know, source, name)
            if isinstance(known, Refused):
                return known
            digest = await asyncio.to_thread(hash_of, source)
        return EvidenceItem(
            file=folders.bare_name(name),
            kind=kind,
            sha256=digest.hex(),
            size=source.size,
            media_type=known.media_type.partition(";")[0],
            added_at=self.cases.now().astimezone(CHINA).replace(microsecond=0),
            shows=shows,
        )

    async def _keep(self, account_id: int, case_id: int, item: EvidenceItem, spool: BinaryIO) -> CaseView | Refused:
        """Encrypt a file into the store, then note it; where it is not noted, its bytes go again."""
        file_id = self.cases.ids.next()
        async with self.cases.database.connection() as conn:
            row = await store.find_case(conn, account_id, case_id)
        if row is None:
            return _NOT_FOUND
        key, size = self.cases.key_of(row), FileSource(spool).size

        def encrypt() -> tuple[bytes | None, int]:
            with spool_file() as sealed:
                for piece in sealed_pieces(key, file_id, pieces_of(FileSource(spool))):
                    sealed.write(piece)
                source = FileSource(sealed)
                return self.cases.blobs.keep(source), source.size

        try:
            blob, blob_size = await asyncio.to_thread(encrypt)
        except StorageFull:
            return Refused(Refusal.STORAGE_FULL)
        if blob is None:
            return Refused(Refusal.STORAGE_FULL)
        noted = await self._note(account_id, case_id, item, file_id, size, (blob, blob_size))
        if isinstance(noted, Refused):
            await self.cases.blobs.drop(blob)
        return noted

    async def _note(
        self, account_id: int, case_id: int, item: EvidenceItem, file_id: int, size: int, stored: tuple[bytes, int]
    ) -> CaseView | Refused:
        is_twice = False

        def added(held: SavedCase) -> SavedCase | None:
            nonlocal is_twice
            is_twice = any(one.sha256 == item.sha256 for one in held.state.story.evidence)
            named = msgspec.structs.replace(item, file=rules.file_name(folders.bare_name(item.file), held.files))
            return None if is_twice else rules.with_item(held, named, file_id)

        async with self.cases.database.transaction() as conn:
            await store.lock_account(conn, account_id)
            used = await store.used(conn, account_id, case_id)
            refused = rules.why_no_room(size=size, **used._asdict())
            if refused is not None:
                return refused
            changed = await self.cases.change_in(conn, account_id, case_id, added)
            if isinstance(changed, Refused):
                return Refused(Refusal.FILE_ALREADY_THERE) if is_twice else changed
            await store.add_file(conn, account_id, case_id, file_id, *stored, self.cases.clock.instant())
        return changed


def _sweep(workshop: Path, before: float) -> int:
    left = [place for place in workshop.glob("*") if place.stat().st_mtime < before] if workshop.exists() else []
    for place in left:
        shutil.rmtree(place, ignore_errors=True)
    return len(left)
