"""Makes evidence packs: everything of an order at one instant, with proofs and timestamps, in one signed file."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from kabao.dossier import store
from kabao.dossier.access import Cases, Orders, reach
from kabao.dossier.contents import Reader, carried, packed_records, papers_of, told_records
from kabao.dossier.pages import index_page, listing_page
from kabao.dossier.papers import pack_paper, ruled_case
from kabao.dossier.ports import Files, Log, Stamps
from kabao.dossier.reading import CaseRead, OrderRead, case_ref, read_order
from kabao.dossier.ruling import RulingService
from kabao.identity import Person
from kabao.kernel import Clock, Refusal, Refused, parse_ref
from kabao.packs.model import Absent, PackCheckpoint, PackContent, PackLog, PackTimestamp
from kabao.packs.signer import PackSigner
from kabao.packs.writer import write_pack
from kabao.paper import Press
from kabao.postgres import Database
from kabao.tlog import Checkpoint

AT_ONCE: Final = 2
"""Packs made at the same time in this process; whoever comes then waits for the turn."""
LOG_SECONDS: Final = 5.0
STAMP_SECONDS: Final = 12.0
PAUSE_SECONDS: Final = 0.2
PIECE: Final = 256 * 1024
LEFT_SECONDS: Final = 3600
"""After so long nobody comes for a pack that was made, or makes it any more."""


class Waits(NamedTuple):
    """How long a pack may wait for what is still on its way, in seconds."""

    log: float = LOG_SECONDS
    stamps: float = STAMP_SECONDS


class MadePack(msgspec.Struct, frozen=True, kw_only=True):
    """A pack on the disk, in a folder of its own; whoever asked for it moves it or reads it away."""

    path: Path
    name: str
    size: int
    absent: dict[str, str]

    async def pieces(self) -> AsyncIterator[bytes]:
        """Read the pack piece by piece; its name is gone from the disk from the first piece on."""
        file = await asyncio.to_thread(self.path.open, "rb")
        try:
            await asyncio.to_thread(_forget, self.path.parent)
            while piece := await asyncio.to_thread(file.read, PIECE):
                yield piece
        finally:
            file.close()


class ExportService:
    """Makes packs of orders and cases: for a party its own originals and everybody's previews, for staff everything."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        orders: Orders,
        cases: Cases,
        files: Files,
        log: Log,
        stamps: Stamps,
        press: Press,
        rulings: RulingService,
        signer: PackSigner,
        site: str,
        folder: Path,
        waits: Waits = Waits(),  # noqa: B008  frozen
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._clock = clock
        self._orders = orders
        self._cases = cases
        self._files = files
        self._log = log
        self._stamps = stamps
        self._press = press
        self._rulings = rulings
        self._signer = signer
        self._site = site
        self._folder = folder
        self._waits = waits
        self._seconds = seconds
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._busy: set[int] = set()

    async def export(self, person: Person, ref: str) -> MadePack | Refused:
        """Make a pack of an order or a case for somebody who may see it.

        Refuses NOT_FOUND for a stranger, TOO_MANY_TRIES while one is made for the same person, FIRST_VIEW_NEEDED to
        staff who may not read yet what the rules suggest in a case that was ruled: the log's records tell it.
        """
        reached = await reach(self._orders, self._cases, person, ref)
        if isinstance(reached, Refused):
            return reached
        if person.account_id in self._busy:
            return Refused(Refusal.TOO_MANY_TRIES)
        self._busy.add(person.account_id)
        try:
            order = reached.order
            reader = Reader(person.account_id, is_staff=order.role == "support")
            return await self._made(order.shop_id, order.order_id, reached.case_id, reader, person)
        finally:
            self._busy.discard(person.account_id)

    async def export_for_operator(self, ref: str, *, redacted: bool) -> MadePack | Refused:
        """Make a pack for whoever runs the machine: with every original, or redacted, with none; NOT_FOUND."""
        at = parse_ref(ref)
        if at is None:
            return Refused(Refusal.NOT_FOUND)
        async with self._database.connection() as conn:
            order_id = await store.order_of_case(conn, at.shop_id, at.object_id)
        case_id = None if order_id is None else at.object_id
        return await self._made(at.shop_id, order_id or at.object_id, case_id, Reader(None, is_staff=not redacted))

    async def sweep(self) -> int:
        """Remove what nobody came for and what a crash left; returns how many folders."""
        return await asyncio.to_thread(_sweep, self._folder, time.time() - LEFT_SECONDS)

    async def _made(
        self, shop_id: int, order_id: int, case_id: int | None, reader: Reader, person: Person | None = None
    ) -> MadePack | Refused:
        async with self._turns:
            read, head = await self._settled(shop_id, order_id)
            if read is None:
                return Refused(Refusal.NOT_FOUND)
            if person is not None and not await self._may_read_rulings(person, read):
                return Refused(Refusal.FIRST_VIEW_NEEDED)
            case = _case_of(read, case_id)
            async with self._working_folder() as folder:
                content = await self._content(read, case, head, reader, folder)
                name = f"kabao-{(read.ref if case is None else case_ref(case)).lower()}-{reader.variant}.zip"
                target = await asyncio.to_thread(_free_name, self._folder, name)
                await asyncio.to_thread(write_pack, target, content, self._signer)
                size = (await asyncio.to_thread(target.stat)).st_size
            return MadePack(path=target, name=name, size=size, absent={one.part: one.why for one in content.absent})

    async def _may_read_rulings(self, person: Person, read: OrderRead) -> bool:
        """Tell whether somebody may read every ruling of an order's cases, with what the rulebook said."""
        for case in read.cases:
            view = await self._cases.case(person, case_ref(case)) if case.rulings else None
            if isinstance(view, Refused) or (view is not None and not view.reads_rules):
                return False
        return True

    async def _settled(self, shop_id: int, order_id: int) -> tuple[OrderRead | None, Checkpoint]:
        """Read the order when the log has taken all of it and signed that, or when waiting has been long enough."""
        until = self._seconds() + self._waits.log
        while True:
            await self._log.sequence()
            async with self._database.transaction(isolation="repeatable_read", readonly=True) as conn:
                # Always as the buyer: masks are put on once, the same for every reader.
                read = await read_order(conn, shop_id, order_id, "buyer", self._clock.instant())
            head = await self._log.head()
            is_whole = read is None or (
                read.waiting == 0 and all(record.position < head.size for record in read.records)
            )
            if is_whole or self._seconds() >= until:
                if read is not None:
                    signed = [record for record in read.records if record.position < head.size]
                    read = read._replace(records=signed, waiting=read.waiting + len(read.records) - len(signed))
                return read, head
            await asyncio.sleep(PAUSE_SECONDS)

    async def _content(
        self, read: OrderRead, case: CaseRead | None, head: Checkpoint, reader: Reader, folder: Path
    ) -> PackContent:
        items = await carried(self._files, read, reader, folder)
        proofs = {record.position: await self._log.proof(record.position, head.size) for record in read.records}
        records = packed_records(read.records, proofs)
        timestamps, waiting_for = await self._timestamps(head) if records else ([], "")
        absent = _absent(read, has_stamps=bool(timestamps), waiting_for=waiting_for)
        if items.lost:
            numbers = "、".join(map(str, items.lost))
            absent["items"] = f"证据 {numbers} 的原件在存储里缺失或损坏，没有附上。"
        paper = pack_paper(read, case, items.shown, absent, head.size if records else None)
        pdf = await asyncio.to_thread(self._press.pack, paper, at=read.now, pictures=items.pictures)
        found = ruled_case(read.cases)
        ruled = None
        if found is not None:
            pdf_of_it = await self._rulings.paper(read, found[0])
            ruled = None if pdf_of_it is None else (found[1], pdf_of_it)
        pages = {
            "index.html": index_page(paper, read, items.shown, told_records(read.records, records)),
            "listing.html": listing_page(read),
        }
        checkpoint = PackCheckpoint(
            size=head.size,
            note=head.note,
            witnesses=await self._log.cosignatures(head.size) or None,
            timestamps=tuple(timestamps),
        )
        return PackContent(
            variant=reader.variant,
            order=read.ref,
            case=None if case is None else case_ref(case),
            title=read.order.title,
            made_at=read.now.astimezone(UTC),
            log=PackLog(origin=self._log.origin, key=self._log.verifier_key) if records else None,
            items=tuple(items.items),
            records=tuple(records),
            checkpoints=(checkpoint,) if records else (),
            files=tuple(papers_of(read, pages, pdf, ruled)),
            absent=tuple(Absent(part=part, why=why) for part, why in absent.items()),
            site=self._site,
        )

    async def _timestamps(self, head: Checkpoint) -> tuple[list[PackTimestamp], str]:
        """Want the checkpoint stamped and wait a little; returns the stamps and who has not answered."""
        await self._stamps.want(head.note, f"checkpoint {head.size}")
        until = self._seconds() + self._waits.stamps
        while True:
            stamps = await self._stamps.of(sha256(head.note).digest())
            newest = {one.authority: one for one in stamps if one.response is not None}
            owing = sorted({one.authority for one in stamps} - newest.keys())
            if not owing or self._seconds() >= until:
                break
            if not await self._stamps.run():
                await asyncio.sleep(PAUSE_SECONDS)
        return [
            PackTimestamp(authority=one.authority, response=one.response, roots_pem=one.roots_pem)
            for _, one in sorted(newest.items())
            if one.response is not None and one.roots_pem is not None
        ], "、".join(owing)

    @asynccontextmanager
    async def _working_folder(self) -> AsyncIterator[Path]:
        await asyncio.to_thread(self._folder.mkdir, parents=True, exist_ok=True)
        folder = await asyncio.to_thread(tempfile.TemporaryDirectory, prefix=".pack-", dir=self._folder)
        try:
            yield Path(folder.name)
        finally:
            await asyncio.to_thread(folder.cleanup)


def _case_of(read: OrderRead, case_id: int | None) -> CaseRead | None:
    """Find the case a pack is about: the one asked for, or the order's newest."""
    if case_id is None:
        return read.cases[-1] if read.cases else None
    return next((case for case in read.cases if case.row.case_id == case_id), None)


def _absent(read: OrderRead, *, has_stamps: bool, waiting_for: str) -> dict[str, str]:
    absent: dict[str, str] = {}
    if not read.records:
        absent |= dict.fromkeys(("records", "proofs", "checkpoints"), "记录还没有写进公开日志。")
    elif read.waiting:
        absent["records"] = f"有 {read.waiting} 条新的记录还没有写进公开日志，不在本包里。"
    if waiting_for:
        absent["timestamps"] = f"时间戳机构还没有答复：{waiting_for}。"
    elif not has_stamps:
        absent["timestamps"] = "没有接入时间戳机构。" if read.records else "记录还没有写进公开日志。"
    if not any(case.ruled for case in read.cases):
        absent["ruling"] = "没有作出裁决。"
    return absent


def _free_name(folder: Path, name: str) -> Path:
    """Name a file that does not exist yet, for this pack alone."""
    return Path(tempfile.mkdtemp(prefix=".made-", dir=folder)) / name


def _forget(folder: Path) -> None:
    """Remove a pack's folder; what is open stays readable."""
    shutil.rmtree(folder, ignore_errors=True)


def _sweep(folder: Path, before: float) -> int:
    if not folder.is_dir():
        return 0
    left = [
        one for one in folder.iterdir() if one.name.startswith((".made-", ".pack-")) and one.stat().st_mtime < before
    ]
    for one in left:
        _forget(one)
    return len(left)
