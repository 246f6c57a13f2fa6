"""A market with everything that keeps evidence: the public log, simulated timestamps, receipts, packs, erasure."""

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from PIL import Image, PngImagePlugin

from dispute import MERCHANTS, Desk, seen
from kabao.cases import CaseView, DecisionService, MakeOffer, Outcome, Remedy, Rule
from kabao.dossier import EraseService, ExportService, MadePack, ReceiptService, RulingService, Waits, record_sources
from kabao.kernel import IdSource, Refused
from kabao.notices.model import Attachment
from kabao.packs import PackSigner
from kabao.paper import Press
from kabao.postgres import Connection, Database
from kabao.timestamps import SandboxAuthorities, TimestampService, stamp_findings
from kabao.tlog import TransparencyLog

SEED = bytes(range(32))
ORIGIN = "log.kabao.example"
SITE = "https://kabao.example"
PRESS = Press()


class Letters:
    """Keeps what would be mailed; as the real one, it says whether the account gets it."""

    def __init__(self) -> None:
        self.sent: list[tuple[int, str, str, str, list[Attachment]]] = []

    async def queue(
        self,
        conn: Connection,  # noqa: ARG002
        account_id: int,
        kind: str,
        subject: str,
        text: str,
        attachments: Sequence[Attachment] = (),
    ) -> bool:
        self.sent.append((account_id, kind, subject, text, list(attachments)))
        return True


class Archive:
    """A desk and the services that keep, show and export its evidence."""

    def __init__(self, desk: Desk, folder: Path, *, waits: Waits | None = None, authorities: bool = True) -> None:
        self.desk = desk
        self.letters = Letters()
        database, clock = desk.database, desk.clock
        self.log = TransparencyLog(
            database=database,
            clock=clock,
            seed=SEED,
            origin=ORIGIN,
            sources=record_sources(),
            beside=[stamp_findings],
        )
        sandbox = SandboxAuthorities(folder / "secrets", now=lambda: clock.at)
        self.stamps = TimestampService(
            database=database,
            clock=clock,
            authorities=sandbox.authorities if authorities else (),
            post=sandbox,
        )
        self.signer = PackSigner(name="kabao.example/pack", seed=SEED[::-1])
        self.receipts = ReceiptService(
            database=database, orders=desk.orders, cases=desk.cases, log=self.log, post=self.letters, origin=SITE
        )
        self.decisions = DecisionService(
            database=database,
            clock=clock,
            ids=IdSource(),
            cases=desk.cases,
            evidence=desk.evidence,
            rulebook=desk.rulebook,
        )
        self.rulings = RulingService(
            database=database,
            clock=clock,
            cases=desk.cases,
            decisions=self.decisions,
            log=self.log,
            press=PRESS,
            signer=self.signer,
            site=SITE,
        )
        self.packs = ExportService(
            database=database,
            clock=clock,
            orders=desk.orders,
            cases=desk.cases,
            files=desk.evidence,
            log=self.log,
            stamps=self.stamps,
            press=PRESS,
            rulings=self.rulings,
            signer=self.signer,
            site=SITE,
            folder=folder / "packs",
            waits=waits or Waits(),
        )
        self.erasing = EraseService(database=database, clock=clock, ids=IdSource(), log=self.log)

    @classmethod
    async def ready(cls, database: Database, folder: Path, **more: Any) -> "Archive":
        return cls(await Desk.ready(database, folder, is_newcomer=True), folder, **more)

    async def sequence(self) -> None:
        while await self.log.sequence():
            pass

    async def story(self) -> CaseView:
        """Buy, open, claim, talk, show pictures and words, offer, refuse, rise, rule."""
        desk, market = self.desk, self.desk.market
        case = await desk.case()
        for who, name, content in (
            (market.buyer, "报错.png", BUYERS_PICTURE),
            (market.owner, "进货单.txt", MERCHANTS_TEXT.encode()),
        ):
            given = await desk.cases.add_file(who, case.ref, name, stream(content))
            assert not isinstance(given, Refused), given
        seen(await desk.cases.say(market.owner, case.ref, MERCHANTS_WORDS))
        seen(await desk.cases.offer(market.owner, case.ref, MakeOffer(kind=Remedy.REPLACEMENT, note="先补发一枚")))
        case = seen(await desk.cases.case(market.buyer, case.ref))
        assert case.open_offer is not None
        seen(await desk.cases.refuse_offer(market.buyer, case.ref, case.open_offer.offer_id))
        seen(await desk.cases.escalate(market.buyer, case.ref))
        facts, reasons = "拆封三分钟后提示已被使用。", "商家没有举证。"
        ruling = Rule(shares=MERCHANTS, outcome=Outcome.FULL_REFUND, facts=facts, reasons=reasons)
        return await desk.ruled(case, ruling)


def picture() -> bytes:
    """Make a PNG whose metadata has a mark that no preview may carry."""
    note = PngImagePlugin.PngInfo()
    note.add_text("Comment", SECRET_MARK)
    written = io.BytesIO()
    Image.effect_mandelbrot((320, 200), (-2.0, -1.2, 1.0, 1.2), 60).save(written, "PNG", pnginfo=note)
    return written.getvalue()


SECRET_MARK = "only-in-the-original-7f3a"
BUYERS_PICTURE = picture()
MERCHANTS_WORDS = "我们核对过进货记录，这枚是新的。"
MERCHANTS_TEXT = "进货单：2026-11-20 批次 K7\n" + "明细一行\n" * 3000 + "only-at-the-end-of-the-text\n"


async def stream(content: bytes) -> AsyncIterator[bytes]:
    yield content


def made(answer: MadePack | Refused) -> MadePack:
    assert isinstance(answer, MadePack), answer
    return answer


def contents(pack: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(pack) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def manifest(pack: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(contents(pack)["manifest.json"])
    return found


def verified_by_its_own_script(pack: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Take verify.py out of the pack and run it as a stranger would."""
    script = pack.with_name("verify.py")
    script.write_bytes(contents(pack)["verify.py"])
    return subprocess.run(
        [sys.executable, "-I", str(script), str(pack), *options], capture_output=True, text=True, check=False, env={}
    )
