"""What a party brings forward while somebody rules: it holds no ruling up, and the ruling says it was not read."""

import io
import json
from pathlib import Path

import pytest
from msgspec.structs import replace
from pypdf import PdfReader

from archive import Archive
from dispute import FIRST_VIEW, HANDED_IN, HOUR, MERCHANTS, seen
from kabao.cases import CastVote, MakeOffer, Outcome, Remedy, Rule, SayFact, Side
from kabao.cases.ladder.grounds import CAME_MEANWHILE
from kabao.cases.ladder.model import Answer, Grounds, Take
from kabao.dossier import RulingFile, RulingSheet, RulingShown
from kabao.identity import Role
from kabao.kernel import Refused
from kabao.postgres import Database

ADMITTED = SayFact(fact="key_failed", shows=True, note="是我们的错。")
GIFT = MakeOffer(kind=Remedy.PARTIAL_REFUND, refund_minor=1000, note="送个人情。")


@pytest.fixture
async def archive(database: Database, owner_database: Database, tmp_path: Path) -> Archive:  # noqa: ARG001  migrates
    archive = await Archive.ready(database, tmp_path)
    await archive.desk.rulebook.begin()
    return archive


def keys_of(answer: object) -> list[str]:
    assert isinstance(answer, list), answer
    return [one.key for one in answer]


def taken(keys: list[str]) -> Grounds:
    return Grounds(answers=[Answer(point=key, take=Take.NOT_DECISIVE, why="看过。") for key in keys])


async def test_a_point_made_while_the_ruling_is_written_does_not_refuse_it_and_is_named_in_it(archive: Archive) -> None:
    desk, market, ladder = archive.desk, archive.desk.market, archive.desk.ladder.plain
    case, staff = await desk.case(), archive.desk.market.staff
    seen(await desk.cases.answer(market.owner, case.ref, "我们进的是新货。"))
    seen(await desk.cases.escalate(market.buyer, case.ref))
    seen(await ladder.first_view(staff, case.ref, FIRST_VIEW))
    seen(await ladder.ask(staff, case.ref, Side.BUYER, "什么时候试的？"))
    question = seen(await desk.cases.case(staff, case.ref)).questions[0]
    seen(await ladder.reply(market.buyer, case.ref, question.question_id, "当天就试了。"))
    read = keys_of(await ladder.points(staff, case.ref))
    assert [one.kind for one in await ladder.points(staff, case.ref)] == ["claim", "answered", "replied"]
    decided = await archive.decisions.decision(staff, case.ref)
    assert not isinstance(decided, Refused)
    suggested = decided.suggests(case.demand, case.held_minor)
    assert suggested is not None
    assert suggested.refund_minor == 0
    # He follows what the rules suggest of what he read; what the merchant admits next turns it.
    wish = Rule(
        outcome=Outcome.NO_REFUND, shares=MERCHANTS, facts="查明。", reasons="理由。", grounds=taken(read), read=read
    )
    assert await ladder.wanting(staff, case.ref, wish) == {}
    for number in range(3):
        seen(await desk.cases.offer(market.owner, case.ref, replace(GIFT, note=f"第 {number} 个方案。")))
    assert not isinstance(await archive.decisions.say_fact(market.owner, case.ref, ADMITTED), Refused)
    turned = await archive.decisions.decision(staff, case.ref)
    assert not isinstance(turned, Refused)
    assert turned.suggests(case.demand, case.held_minor) != suggested
    assert await ladder.wanting(staff, case.ref, wish) == {}
    preview = await archive.rulings.preview(staff, case.ref, wish)
    assert isinstance(preview, RulingSheet)
    # An hour later the look is too old, whatever it names; a key of nothing is told as well.
    desk.pass_time(HOUR + HANDED_IN)
    late = await ladder.rule(staff, case.ref, replace(wish, read=[*read, "f0"]))
    assert isinstance(late, Refused)
    assert {text for name, text in late.fields.items() if name != "read"} == {CAME_MEANWHILE}
    assert len(late.fields) == 3
    desk.clock.at -= HOUR + HANDED_IN
    seen(await ladder.rule(staff, case.ref, wish))
    seen(await desk.cases.offer(market.owner, case.ref, replace(GIFT, note="最后一个方案。")))
    desk.pass_time(HANDED_IN)
    assert await desk.cases.tick() == 1
    found = await archive.rulings.ruling(market.owner, case.ref)
    assert isinstance(found, RulingShown)
    told = [(one.by, one.said or one.text, bool(one.take), bool(one.unread)) for one in found.sheet.points]
    assert told == [
        ("buyer", case.statement, True, False),
        ("merchant", "我们进的是新货。", True, False),
        ("buyer", "当天就试了。", True, False),
        ("merchant", "最后一个方案。", False, True),
        ("merchant", "先前还提过 3 个方案，已被后来的取代，案件页上都在。", False, False),
        ("merchant", ADMITTED.note, False, True),
    ]
    assert all("申请复核" in one.unread for one in found.sheet.points if one.unread)
    assert [one.unread for one in preview.points if one.said == ADMITTED.note] == [found.sheet.points[-1].unread]
    await named_in_its_files(archive, case.ref)
    # In the review they are points like any other.
    reviewer = await desk.staff(Role.PANEL)
    seen(await ladder.ask_review(market.buyer, case.ref, "没有看我最后说的。"))
    kinds = {one.kind for one in await ladder.points(reviewer, case.ref)}
    assert kinds == {"claim", "answered", "replied", "offered", "fact", "review_asked"}


async def named_in_its_files(archive: Archive, ref: str) -> None:
    files = await archive.rulings.files(archive.desk.market.buyer, ref)
    assert isinstance(files, RulingFile)
    document = json.loads(files.document.content)
    assert len(document["record"]["grounds"]["unread"]) == 2
    assert [one["said"] for one in document["points"] if one.get("unread")] == ["最后一个方案。", ADMITTED.note]
    text = "".join("".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(files.pdf.content)).pages)
    assert text.count("裁决时尚未读到") == 2
    await archive.sequence()
    assert (await archive.log.audit()).findings == []


async def test_a_panel_names_what_came_after_its_majority_had_voted(archive: Archive) -> None:
    desk, market, ladder = archive.desk, archive.desk.market, archive.desk.ladder.plain
    member = await desk.staff(Role.PANEL)
    case = seen(await desk.cases.escalate(market.buyer, (await answered(archive)).ref))
    seen(await ladder.pass_on(market.staff, case.ref))
    seen(await ladder.first_view(member, case.ref, FIRST_VIEW))
    read = keys_of(await ladder.points(member, case.ref))
    assert not isinstance(await archive.decisions.say_fact(market.buyer, case.ref, ADMITTED), Refused)
    vote = CastVote(
        upholds=False,
        refund_minor=1,
        shares=MERCHANTS,
        facts="查明。",
        reasons="理由。",
        grounds=taken(read),
        read=read,
    )
    seen(await ladder.vote(member, case.ref, vote))
    desk.pass_time(HANDED_IN)
    assert await desk.cases.tick() == 1
    found = await archive.rulings.ruling(market.buyer, case.ref)
    assert isinstance(found, RulingShown)
    assert [one.said for one in found.sheet.points if one.unread] == [ADMITTED.note]


async def answered(archive: Archive) -> object:
    case = await archive.desk.case()
    return seen(await archive.desk.cases.answer(archive.desk.market.owner, case.ref, "我们进的是新货。"))
