"""The public case library: filled from rulings that were carried out, searched by facts, naming nobody."""

import asyncio
from pathlib import Path

import pytest_asyncio

from dispute import BUYERS, HOUR, MERCHANTS, Desk, code, seen
from kabao.cases import CaseView, DecisionService, OpenCase, Outcome, Remedy, Rule
from kabao.figures import PrecedentService, Search
from kabao.kernel import IdSource, Refusal, Refused
from kabao.postgres import Database
from market import open_account, person

FULL = Rule(
    outcome=Outcome.FULL_REFUND,
    shares=MERCHANTS,
    facts="小买家的卡早用过。",
    reasons="发行方记录。",
    differs_reason="记录清楚。",
)
NONE = Rule(
    outcome=Outcome.NO_REFUND, shares=BUYERS, facts="没用过。", reasons="没有证据。", differs_reason="看了记录。"
)
LATE = OpenCase(claim="late", demand=Remedy.FULL_REFUND, statement="来晚了。")


@pytest_asyncio.fixture
async def desk(database: Database, tmp_path: Path) -> Desk:
    made = await Desk.ready(database, tmp_path, keys=10)
    await made.rulebook.begin()
    return made


def library(desk: Desk) -> PrecedentService:
    decisions = DecisionService(
        database=desk.database,
        clock=desk.clock,
        ids=IdSource(),
        cases=desk.cases,
        evidence=desk.evidence,
        rulebook=desk.rulebook,
    )
    return PrecedentService(
        database=desk.database, clock=desk.clock, cases=desk.cases, decisions=decisions, rulebook=desk.rulebook
    )


async def escalated(desk: Desk, wish: OpenCase | None = None) -> CaseView:
    """Open a case that the buyer lifts to support."""
    case = await (desk.case() if wish is None else desk.case(wish))
    seen(await desk.cases.answer(desk.market.owner, case.ref, "不同意。"))
    desk.pass_time(24 * HOUR)
    return seen(await desk.cases.escalate(desk.market.buyer, case.ref))


async def test_a_ruling_that_was_carried_out_is_published_once_and_without_names(desk: Desk) -> None:
    precedents = library(desk)
    open_case = await escalated(desk)
    assert await precedents.publish() == 0
    ruled = await desk.executed(open_case, FULL)
    await asyncio.gather(precedents.publish(), precedents.publish())
    assert await precedents.publish() == 0
    found = await precedents.search(Search())
    [one] = found.precedents
    assert not found.has_more
    assert (one.claim, one.outcome, one.price_label, one.refund_label) == (
        "already_used",
        "full_refund",
        "50 到 100 元",
        "全退",
    )
    assert one.share_merchant == 100
    assert one.articles
    assert one.differs
    assert {fact.literal for fact in one.facts} >= {"delivered", "opened", "no late"}
    for secret in (ruled.ref, ruled.order.ref, "小买家", "测试店铺", "9650", "96.50", "发行方记录"):
        assert secret not in repr(one)
    assert await precedents.precedent(one.public_id) == one
    assert code(await precedents.precedent("0" * 12)) is Refusal.NOT_FOUND
    assert code(await precedents.precedent("x\x00")) is Refusal.NOT_FOUND
    assert await precedents.of_case(desk.market.buyer, ruled.ref) == one.public_id
    stranger = person(await open_account(desk.database, "路人"))
    assert code(await precedents.of_case(stranger, ruled.ref)) is Refusal.NOT_FOUND


async def test_the_most_alike_stand_first(desk: Desk) -> None:
    precedents = library(desk)
    await desk.executed(await escalated(desk), FULL)
    await desk.executed(await escalated(desk, LATE), NONE)
    assert await precedents.publish() == 2
    assert {one.claim for one in (await precedents.search(Search())).precedents} == {"already_used", "late"}
    assert [one.outcome for one in (await precedents.search(Search(claim="late"))).precedents] == ["no_refund"]
    assert (await precedents.search(Search(outcome="partial_refund"))).precedents == []
    assert (await precedents.search(Search(claim="'; --"))).precedents == []
    assert (await precedents.search(Search(page=1))).precedents == []
    [late] = (await precedents.search(Search(claim="late"))).precedents
    facts = [fact.literal for fact in late.facts]
    alike = await precedents.search(Search(facts=facts))
    assert alike.precedents[0].likeness == 100
    assert all(one.likeness is not None and one.likeness <= 100 for one in alike.precedents)
    assert {fact.literal for fact in alike.offered} >= set(facts)
    assert (await precedents.search(Search(facts=["no_such_fact"]))).precedents == []


async def test_a_case_leads_to_those_like_it_for_whoever_may_see_its_decision(desk: Desk) -> None:
    precedents = library(desk)
    case = await escalated(desk)
    wish = await precedents.like_case(desk.market.buyer, case.ref)
    assert isinstance(wish, Search)
    assert wish.claim == "already_used"
    assert {"delivered", "opened"} <= set(wish.facts)
    # Outcomes of similar cases are a forecast too.
    assert isinstance(await precedents.like_case(desk.market.staff, case.ref), Refused)
    stranger = person(await open_account(desk.database, "路人"))
    assert code(await precedents.like_case(stranger, case.ref)) is Refusal.NOT_FOUND


async def test_a_summary_is_written_by_staff_of_the_case_and_names_nobody(desk: Desk) -> None:
    precedents, staff = library(desk), desk.market.staff
    ruled = await desk.executed(await escalated(desk), FULL)
    await precedents.publish()
    public_id = await precedents.of_case(desk.market.buyer, ruled.ref)
    assert isinstance(public_id, str)
    assert await precedents.case_behind(staff, public_id) == ruled.ref
    assert await precedents.case_behind(staff, "0" * 12) is None
    for other in (desk.market.buyer, desk.market.owner):
        assert await precedents.case_behind(other, public_id) is None
        assert code(await precedents.release_summary(other, public_id, "摘要。")) is Refusal.NOT_FOUND
    for wrong in ("", "字" * 1001, "测试店铺不认账。", f"案号 {ruled.ref}。", "小买家没有用过。"):
        refused = await precedents.release_summary(staff, public_id, wrong)
        assert isinstance(refused, Refused)
        assert set(refused.fields) == {"summary"}
    assert await precedents.release_summary(staff, public_id, "卡密交付前已被用过，退全款。") is None
    shown = await precedents.precedent(public_id)
    assert not isinstance(shown, Refused)
    assert shown.summary == "卡密交付前已被用过，退全款。"
