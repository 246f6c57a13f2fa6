"""Proposals to change the rules: filed by people and by cases, public only once put up, answered once."""

from pathlib import Path

import pytest
import pytest_asyncio

from dispute import HOUR, MERCHANTS, Desk, code, seen
from kabao.adjudication.service import packaged_book
from kabao.cases import CaseView, OpenCase, Outcome, Remedy, Rule
from kabao.figures import ProposalService, Propose, Shown
from kabao.kernel import IdSource, Refusal, Refused
from kabao.postgres import Database
from market import open_account, person

VERSION = packaged_book().edition.version
WISH = Propose(article="key_refund", clause="卡密无效才退。", suggestion="卡密不能用就退。", reason="说法更清楚。")
UNFAIR = OpenCase(claim="clause_unfair", demand=Remedy.FULL_REFUND, statement="商品页写着：一经售出概不退换。")
FULL = Rule(
    outcome=Outcome.FULL_REFUND, shares=MERCHANTS, facts="有这一条。", reasons="不公平。", differs_reason="条款无效。"
)
NONE = Rule(
    outcome=Outcome.NO_REFUND, shares=MERCHANTS, facts="没这一条。", reasons="公平。", differs_reason="条款有效。"
)


@pytest_asyncio.fixture
async def desk(database: Database, tmp_path: Path) -> Desk:
    made = await Desk.ready(database, tmp_path)
    await made.rulebook.begin()
    return made


def office(desk: Desk) -> ProposalService:
    return ProposalService(
        database=desk.database, clock=desk.clock, ids=IdSource(), notices=desk.notices, rulebook=desk.rulebook
    )


async def filed(desk: Desk, wish: Propose = WISH) -> int:
    number = await office(desk).propose(desk.market.buyer, wish)
    assert isinstance(number, int), number
    return number


async def ruled_about_a_clause(desk: Desk, rule: Rule) -> CaseView:
    case = await desk.case(UNFAIR)
    seen(await desk.cases.answer(desk.market.owner, case.ref, "不同意。"))
    desk.pass_time(24 * HOUR)
    seen(await desk.cases.escalate(desk.market.buyer, case.ref))
    return await desk.executed(case, rule)


async def test_a_proposal_is_its_authors_alone_until_it_is_put_up(desk: Desk) -> None:
    proposals, number = office(desk), await filed(desk)
    assert await proposals.shown() == []
    [own] = await proposals.own(desk.market.buyer)
    assert (own.proposal_id, own.clause, own.shown_at, own.state) == (number, WISH.clause, None, "open")
    assert await proposals.own(desk.market.owner) == []
    assert await proposals.show(number, Shown(clause="只在卡密无效时退。")) is None
    [shown] = await proposals.shown()
    assert (shown.clause, shown.suggestion, shown.reason) == ("只在卡密无效时退。", WISH.suggestion, WISH.reason)
    [own] = await proposals.own(desk.market.buyer)
    assert own.clause == WISH.clause
    assert own.shown_at == desk.clock.at
    assert "你提的规则修改建议已公开" in await desk.subjects(desk.market.buyer)


async def test_what_became_of_it_is_said_once(desk: Desk) -> None:
    proposals = office(desk)
    first, second = await filed(desk), await filed(desk)
    assert code(await proposals.take_up(first, "no-such-version")) is Refusal.INVALID_FIELDS
    assert await proposals.take_up(first, VERSION) is None
    assert code(await proposals.decline(second, " ")) is Refusal.INVALID_FIELDS
    assert await proposals.decline(second, "法律已有规定。") is None
    for again in (
        proposals.take_up(first, VERSION),
        proposals.decline(first, "不行。"),
        proposals.decline(second, "不"),
    ):
        refused = await again
        assert isinstance(refused, Refused)
        assert set(refused.fields) == {"state"}
    answers = {one.proposal_id: (one.state, one.version, one.answer) for one in await proposals.every()}
    assert answers == {first: ("taken_up", VERSION, None), second: ("declined", None, "法律已有规定。")}
    subjects = await desk.subjects(desk.market.buyer)
    assert f"你提的规则修改建议已采纳，写进 {VERSION} 版" in subjects
    assert "你提的规则修改建议没有采纳，理由已写明" in subjects
    for step in (proposals.show(1, Shown()), proposals.take_up(1, VERSION), proposals.decline(1, "不行。")):
        assert code(await step) is Refusal.NOT_FOUND


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"article": "no_such_article"}, "article"),
        ({"clause": " "}, "clause"),
        ({"suggestion": "长" * 1001}, "suggestion"),
        ({"reason": "\x00"}, "reason"),
    ],
)
async def test_what_is_wrong_is_named(desk: Desk, change: dict[str, str], field: str) -> None:
    plain = {"article": "", "clause": "甲", "suggestion": "乙", "reason": "丙"}
    refused = await office(desk).propose(desk.market.buyer, Propose(**plain | change))
    assert isinstance(refused, Refused)
    assert set(refused.fields) == {field}


async def test_ten_of_a_person_may_wait_for_an_answer(desk: Desk) -> None:
    proposals = office(desk)
    numbers = [await filed(desk) for _ in range(10)]
    assert code(await proposals.propose(desk.market.buyer, WISH)) is Refusal.TOO_MANY_TRIES
    other = person(await open_account(desk.database, "路人"))
    assert isinstance(await proposals.propose(other, WISH), int)
    await proposals.decline(numbers[0], "不行。")
    await filed(desk)


async def test_a_case_decided_against_a_clause_files_it_with_a_rewrite(desk: Desk) -> None:
    proposals = office(desk)
    await ruled_about_a_clause(desk, NONE)
    assert await proposals.file_from_cases() == 0
    await ruled_about_a_clause(desk, FULL)
    assert await proposals.file_from_cases() == 1
    assert await proposals.file_from_cases() == 0
    [one] = await proposals.every()
    assert one.is_from_case
    assert one.clause == UNFAIR.statement
    assert one.suggestion.startswith("删去这一条")
    assert "条款不公平" in one.reason
    assert await proposals.shown() == []


async def test_a_cases_proposal_is_put_up_only_where_it_names_nobody(desk: Desk) -> None:
    proposals = office(desk)
    case = await ruled_about_a_clause(desk, FULL)
    await proposals.file_from_cases()
    [one] = await proposals.every()
    for words, field in (
        (Shown(clause="测试店铺写着概不退换。"), "clause"),
        (Shown(reason=f"见 {case.ref}。"), "reason"),
        (Shown(suggestion="长" * 1001), "suggestion"),
    ):
        refused = await proposals.show(one.proposal_id, words)
        assert isinstance(refused, Refused)
        assert set(refused.fields) == {field}
    assert await proposals.shown() == []
    assert await proposals.show(one.proposal_id, Shown(clause="一经售出概不退换。")) is None
    [shown] = await proposals.shown()
    assert (shown.clause, shown.is_from_case) == ("一经售出概不退换。", True)
