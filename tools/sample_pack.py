"""Makes the sample packs of tests/vectors/ from a demo market of its own, stamped by the simulated authorities.

Usage: sample_pack.py [FOLDER]. The market trades, quarrels, hands in a picture and a text, and is ruled on;
everything in it is made up. Run it anew when the format or the verifier changes.
"""

import asyncio
import io
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TypeVar

from PIL import Image, ImageDraw

from kabao.cases import GiveFirstView, MakeOffer, Outcome, Remedy, Rule, Shares, Stage
from kabao.cases.ladder.model import UNDO
from kabao.identity import Person, Role, mask_phone
from kabao.kernel import Refused
from kabao.wiring import App, Settings, market, migrate, seed_demo, start

FOLDER = Path(__file__).parents[1] / "tests" / "vectors"
T = TypeVar("T")


def granted(answer: T | Refused) -> T:
    """Return what a service answered; a refusal here is a fault of the story below."""
    if isinstance(answer, Refused):
        raise SystemExit(f"refused: {answer.code} {answer.fields}")
    return answer


async def stream(content: bytes) -> AsyncIterator[bytes]:
    """Give bytes as an upload does."""
    yield content


def screenshot() -> bytes:
    """Draw what an activation page says when a key was used before."""
    picture = Image.new("RGB", (640, 360), "#f4f6f8")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((40, 40, 600, 320), fill="white", outline="#dfe4e9", width=2)
    draw.text((70, 70), "activation", fill="#5b6672", font_size=22)
    draw.text((70, 130), "This key has already been redeemed.", fill="#b3261e", font_size=26)
    draw.text((70, 190), "2026-11-24 14:05:31   error K-409", fill="#1d2733", font_size=20)
    written = io.BytesIO()
    picture.save(written, "PNG")
    return written.getvalue()


async def person(app: App, phone: str, name: str, role: Role) -> Person:
    """Return one of the demo's people, support as after its second check."""
    roles = frozenset({Role.BUYER, role})
    account_id = await app.identity.find_or_create(phone, name, roles)
    return Person(
        account_id=account_id,
        display_name=name,
        phone_masked=mask_phone(phone),
        roles=roles,
        staff_checked=role is Role.SUPPORT,
    )


async def quarrel(app: App) -> str:
    """Lead the demo's case in negotiation to a ruling, with evidence from both sides; returns its reference."""
    buyer = await person(app, *market.BUYER, Role.BUYER)
    merchant = await person(app, market.SHOPS[0].phone, market.SHOPS[0].owner, Role.MERCHANT)
    support = await person(app, *market.SUPPORT, Role.SUPPORT)
    first = next(one for one in await app.cases.my_cases(buyer) if one.stage is Stage.NEGOTIATION)
    case = granted(await app.cases.case(buyer, first.ref))
    await app.cases.add_file(buyer, case.ref, "激活页面.png", stream(screenshot()))
    words = "进货单（演示）\n批次 DEMO-7，数量 60，2026-11-20 入库。\n".encode()
    await app.cases.add_file(merchant, case.ref, "进货单.txt", stream(words))
    granted(await app.cases.say(merchant, case.ref, "这批卡是新进的，我们再查一下。"))
    granted(await app.cases.say(buyer, case.ref, "报错截图在证据 1，时间是拆封后三分钟。"))
    if case.open_offer is not None:
        granted(await app.cases.refuse_offer(buyer, case.ref, case.open_offer.offer_id))
    granted(await app.cases.offer(merchant, case.ref, MakeOffer(kind=Remedy.PARTIAL_REFUND, refund_minor=60_00)))
    granted(await app.cases.escalate(buyer, case.ref))
    view = GiveFirstView(
        outcome=Outcome.FULL_REFUND, shares=Shares(merchant=100), sentence="商家没有说明这一枚拆封前没有用过。"
    )
    granted(await app.cases.ladder.first_view(support, case.ref, view))
    ruling = Rule(
        shares=Shares(merchant=100),
        outcome=Outcome.FULL_REFUND,
        facts="卡密拆封三分钟后，激活页面提示已被使用（证据 1）。商家的进货单（证据 2）不能说明这一枚没有用过。",
        reasons="卡密拆封时有效且未使用，由商家证明；商家没有证明，所以全额退款。",
    )
    granted(await app.cases.ladder.rule(support, case.ref, ruling))
    # Until then its author may take it back.
    await asyncio.sleep(UNDO.total_seconds() + 1)
    await app.cases.tick()
    return case.ref


async def make(folder: Path) -> None:
    """Make the market, lead its case to the end, and move its packs to their place."""
    with tempfile.TemporaryDirectory(prefix="kabao-sample-") as made_in:
        settings = Settings(
            data=Path(made_in) / "data", public_origin="https://kabao.example", has_simulated_authorities=True
        )
        await migrate(settings)
        app = await start(settings, purpose="command")
        try:
            await app.rulebook.begin()
            await seed_demo(app)
            case = await quarrel(app)
            for name, redacted in (("sample.zip", False), ("sample-redacted.zip", True)):
                made = granted(await app.archive.packs.export_for_operator(case, redacted=redacted))
                shutil.move(made.path, folder / name)
                sys.stdout.write(f"{folder / name}: {made.size} bytes, absent: {made.absent or 'nothing'}\n")
        finally:
            await app.close()


if __name__ == "__main__":
    wanted = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    wanted.mkdir(parents=True, exist_ok=True)
    asyncio.run(make(wanted))
