"""The rulebook decides a case from the records and from what people show, and support sees it only afterwards."""

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from dispute import BUYERS, FIRST_VIEW, WISH, Desk, code, seen
from kabao.adjudication.service import RulebookService
from kabao.cases import DecisionService, DecisionView, OpenCase, Outcome, Remedy, Rule, SayFact
from kabao.identity import Role
from kabao.kernel import IdSource, Refusal, Refused
from kabao.postgres import Database
from market import open_account, person


@pytest.fixture
async def desk(database: Database, owner_database: Database, tmp_path: Path) -> Desk:  # noqa: ARG001  migrates
    return await Desk.ready(database, tmp_path)


@pytest.fixture
async def decisions(desk: Desk) -> DecisionService:
    rulebook = RulebookService(database=desk.database, clock=desk.clock)
    await rulebook.begin()
    return DecisionService(
        database=desk.database,
        clock=desk.clock,
        ids=IdSource(),
        cases=desk.cases,
        evidence=desk.evidence,
        rulebook=rulebook,
    )


def decided(answer: DecisionView | Refused | None) -> DecisionView:
    assert isinstance(answer, DecisionView), answer
    return answer


async def test_a_bare_claim_says_what_is_missing_and_a_picture_turns_it(desk: Desk, decisions: DecisionService) -> None:
    case = await desk.case()
    bare = decided(await decisions.decision(desk.market.buyer, case.ref))
    assert bare.full["claim"] == "already_used"
    first = bare.missing[0]
    assert (first.burden, bare.outcome) == ("buyer", "DENY")
    # What would turn the result stands before what would not.
    assert (first.fact, first.turns_to) == ("key_failed", "全额退款")
    mine = [change.rank for change in bare.missing if change.burden == "buyer"]
    assert mine == sorted(mine)
    assert {0, 1, 2} == set(mine)
    turns = {change.fact: change.turns_to for change in bare.missing}
    assert turns["key_failed"] == "全额退款"
    # Nothing is said to become what it is already.
    assert bare.outcome_label not in turns.values()
    assert f"别的责任分法或付款人，结果仍是{bare.outcome_label}" in turns.values()

    # A file of which nobody said what it shows is no proof of anything; nor is one of another fact.
    await desk.shown(case, "deceit")
    assert decided(await decisions.decision(desk.market.buyer, case.ref)).outcome == "DENY"
    decided(await decisions.say_fact(desk.market.buyer, case.ref, SayFact(fact="key_failed", shows=True, item_no=1)))
    shown = decided(await decisions.decision(desk.market.buyer, case.ref))
    assert shown.outcome == "FULL_REFUND"
    assert (shown.refund_minor, shown.responsible) == (9650, {"buyer": 0, "merchant": 100, "platform": 0})
    assert shown.reasons
    assert shown.articles
    assert all(cite.get("mark") in ("V", "V2") for cite in shown.cites)
    assert decided(await decisions.decision(desk.market.owner, case.ref)).full == shown.full


async def test_support_sees_no_decision_before_its_own_first_view(desk: Desk, decisions: DecisionService) -> None:
    case = await desk.at_support()
    assert code(await decisions.decision(desk.market.staff, case.ref)) is Refusal.FIRST_VIEW_NEEDED
    ruling = Rule(shares=BUYERS, outcome=Outcome.NO_REFUND, facts="卡密有效。", reasons="发行方记录显示由买家兑换。")
    assert seen(await desk.ladder.first_view(desk.market.staff, case.ref, FIRST_VIEW)).has_first_view
    decided(await decisions.decision(desk.market.staff, case.ref))
    seen(await desk.ladder.rule(desk.market.staff, case.ref, ruling))
    decided(await decisions.decision(desk.market.staff, case.ref))


async def test_a_withdrawn_case_tells_staff_nothing_of_the_one_that_follows_it(
    desk: Desk, decisions: DecisionService
) -> None:
    buyer, staff = desk.market.buyer, desk.market.staff
    first = await desk.case()
    seen(await desk.cases.withdraw(buyer, first.ref))
    decided(await decisions.decision(staff, first.ref))
    again = seen(await desk.cases.open(buyer, first.order.ref, WISH))
    assert code(await decisions.decision(staff, first.ref)) is Refusal.FIRST_VIEW_NEEDED
    decided(await decisions.decision(buyer, first.ref))
    seen(await desk.cases.withdraw(buyer, again.ref))
    decided(await decisions.decision(staff, first.ref))


async def test_who_has_ruled_adds_no_fact_for_the_review(desk: Desk, decisions: DecisionService) -> None:
    ruling = Rule(shares=BUYERS, outcome=Outcome.NO_REFUND, facts="卡密有效。", reasons="发行方记录显示由买家兑换。")
    case = await desk.ruled(await desk.at_support(), ruling)
    record = SayFact(fact="redeemed_by_buyer", shows=True, kind="issuer_record", confidence=97)
    seen(await desk.ladder.ask_review(desk.market.buyer, case.ref, "记录不是这张卡的。"))
    assert code(await decisions.say_fact(desk.market.staff, case.ref, record)) is Refusal.RECUSED
    assert await decisions.say_fact(await desk.staff(Role.SUPPORT), case.ref, record) is None


async def test_what_is_said_of_facts_changes_the_decision_and_is_held_to_its_weight(
    desk: Desk, decisions: DecisionService
) -> None:
    case = await desk.at_support()
    buyer, merchant, staff = desk.market.buyer, desk.market.owner, desk.market.staff
    await decisions.say_fact(
        staff, case.ref, SayFact(fact="key_failed", shows=True, kind="issuer_record", confidence=97)
    )
    assert decided(await decisions.decision(buyer, case.ref)).outcome == "FULL_REFUND"
    said = await decisions.say_fact(merchant, case.ref, SayFact(fact="redeemed_by_buyer", shows=True, note="我方记录"))
    assert decided(said).outcome == "FULL_REFUND"
    record = SayFact(fact="redeemed_by_buyer", shows=True, kind="issuer_record", confidence=97)
    # Support is answered nothing: whoever rules sees no suggestion.
    assert await decisions.say_fact(staff, case.ref, record) is None
    assert decided(await decisions.decision(buyer, case.ref)).outcome == "DENY"


async def test_what_does_not_fit_is_refused_by_name(
    desk: Desk, decisions: DecisionService, owner_database: Database
) -> None:
    case = await desk.case()
    wrong = SayFact(fact="no_such_fact", shows=True, item_no=3, note="x" * 501)
    answer = await decisions.say_fact(desk.market.buyer, case.ref, wrong)
    assert isinstance(answer, Refused)
    assert set(answer.fields) == {"fact", "item_no", "note"}
    stranger = person(await open_account(owner_database))
    good = SayFact(fact="key_failed", shows=True)
    # What support alone finds no party may state, neither side.
    alone = SayFact(fact="buyer_fabricated", shows=True)
    for party in (desk.market.buyer, desk.market.owner):
        answer = await decisions.say_fact(party, case.ref, alone)
        assert isinstance(answer, Refused)
        assert "只能由客服" in answer.fields["fact"]
        offered = await decisions.facts(party, case.ref)
        assert not isinstance(offered, Refused)
        assert {one.fact for one in offered.choices} & {"buyer_fabricated", "key_failed"} == {"key_failed"}
    by_staff = SayFact(fact="buyer_fabricated", shows=True, kind="chat_record", confidence=60)
    assert await decisions.say_fact(desk.market.staff, case.ref, by_staff) is None
    assert code(await decisions.say_fact(stranger, case.ref, good)) is Refusal.NOT_FOUND
    assert code(await decisions.decision(stranger, case.ref)) is Refusal.NOT_FOUND
    assert code(await decisions.say_fact(desk.market.buyer, "nonsense", good)) is Refusal.NOT_FOUND
    unweighed = await decisions.say_fact(desk.market.staff, case.ref, SayFact(fact="key_failed", shows=True))
    assert isinstance(unweighed, Refused)
    assert set(unweighed.fields) == {"kind", "confidence"}
    for _ in range(40):
        decided(await decisions.say_fact(desk.market.buyer, case.ref, good))
    assert code(await decisions.say_fact(desk.market.buyer, case.ref, good)) is Refusal.TOO_MANY_TRIES
    await desk.cases.withdraw(desk.market.buyer, case.ref)
    assert code(await decisions.say_fact(desk.market.owner, case.ref, good)) is Refusal.CASE_CLOSED


async def test_an_order_older_than_any_book_is_decided_by_the_first(desk: Desk) -> None:
    case = await desk.case(OpenCase(claim="changed_mind", demand=Remedy.FULL_REFUND, statement="不想要了。"))
    desk.clock.advance(timedelta(days=1))
    rulebook = RulebookService(database=desk.database, clock=desk.clock)
    late = DecisionService(
        database=desk.database,
        clock=desk.clock,
        ids=IdSource(),
        cases=desk.cases,
        evidence=desk.evidence,
        rulebook=rulebook,
    )
    assert code(await late.decision(desk.market.buyer, case.ref)) is Refusal.NOT_FOUND
    await rulebook.begin()
    answer = decided(await late.decision(desk.market.buyer, case.ref))
    # Opened, and no confirmation of the exclusion on record: the law leaves that open, so a person decides.
    assert answer.outcome == "NEEDS_PERSON"


async def test_every_case_can_be_written_out_for_a_replay(desk: Desk, decisions: DecisionService) -> None:
    first, second = await desk.case(), await desk.case()
    written = [case async for case in decisions.case_files()]
    assert [case["id"] for case in written] == [first.ref, second.ref]
    assert written[0]["facts"]["delivered"] == "proved"


async def test_a_book_without_words_for_a_case_leaves_the_case_readable(desk: Desk, decisions: DecisionService) -> None:
    case = msgspec.structs.replace(await desk.case(), claim="no_such_claim")
    assert code(await decisions.decide(case)) is Refusal.NOT_FOUND
