"""The instant green channel: what the records prove is refunded as the case is opened, and a person may look again."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dispute import BUYERS, HANDED_IN, HOUR, MERCHANTS, WISH, Desk, code, seen
from kabao.cases import (
    CLAIMS,
    MERCHANT_CLAIMS,
    Action,
    AtOnce,
    CaseView,
    DecisionService,
    OpenCase,
    Outcome,
    Remedy,
    Rule,
    RulingStage,
    Side,
    Stage,
    Turn,
)
from kabao.cases.model import LimitBy
from kabao.deposits import store as deposit_store
from kabao.figures import store as figure_store
from kabao.identity import Role
from kabao.kernel import IdSource, Refusal, Refused, format_ref
from kabao.orders import audit
from kabao.postgres import Database
from market import PHONE, open_account, paid_order, person, seed_market, stock

PRICE = 9650
FEE = 193
ALL = Rule(outcome=Outcome.FULL_REFUND, shares=MERCHANTS, facts="事实。", reasons="理由。")
WHY = {"facts": "事实。", "reasons": "理由。", "differs_reason": "卡密当时是好的。"}
PART = Rule(outcome=Outcome.PARTIAL_REFUND, refund_minor=4000, shares=MERCHANTS, **WHY)
NOTHING = Rule(outcome=Outcome.NO_REFUND, shares=BUYERS, **WHY)
AGAIN = "SELECT * FROM pay_reversal_v1($1, $2, $3, 1, 'panel', NULL, '{}', NULL)"
UNWANTED = OpenCase(claim="changed_mind", demand=Remedy.FULL_REFUND, statement="不想要了，还没拆封。")


@pytest.fixture
async def desk(database: Database, tmp_path: Path) -> Desk:
    desk = await Desk.ready(database, tmp_path, keys=14)
    await desk.rulebook.begin()
    return desk


async def at_once(desk: Desk, wish: OpenCase = UNWANTED, *, opened: bool = False) -> CaseView:
    return await desk.case(wish, opened=opened)


async def after(desk: Desk, case: CaseView) -> CaseView:
    return seen(await desk.cases.case(desk.market.buyer, case.ref))


def decisions_of(desk: Desk) -> DecisionService:
    return DecisionService(
        database=desk.database,
        clock=desk.clock,
        ids=IdSource(),
        cases=desk.cases,
        evidence=desk.evidence,
        rulebook=desk.rulebook,
    )


async def fill_reserve(desk: Desk, amount: int = PRICE) -> None:
    await desk.database.execute("SELECT take_fund_payment_v1(0, 'sandbox', 'P1', 'reserve', $1, 'CNY', NULL)", amount)


async def reserve(desk: Desk) -> Any:
    async with desk.database.connection() as conn:
        return await deposit_store.reserve(conn)


async def books_agree(desk: Desk) -> None:
    async with desk.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        findings = (await audit(conn)).findings
    # No custodian is asked here, and the reserve was filled without one.
    assert [one for one in findings if "custod" not in one.check] == []


async def test_a_sealed_key_is_refunded_as_the_case_is_opened(desk: Desk) -> None:
    case = await at_once(desk)
    assert (case.stage, case.turn, case.due_at) == (Stage.GREEN, Turn.PARTIES, desk.clock.at + 168 * HOUR)
    assert (case.green_minor, await desk.escrow(case)) == (PRICE, ("refunded", PRICE, 0, 0))
    assert [line.kind for line in case.timeline if line.kind in {"opened", "green", "ruled_refund"}][-3:] == [
        "opened",
        "green",
        "ruled_refund",
    ]
    ruling = case.ruling
    assert ruling is not None
    assert (ruling.stage, ruling.refund_minor, ruling.by_duty) == (RulingStage.GREEN, PRICE, False)
    assert "没有拆封" in ruling.facts
    assert "依《虚拟商品管理细则》第" in ruling.reasons
    assert ruling.decision_digest is not None
    assert ruling.grounds is not None
    assert "不成立；依《虚拟商品管理细则》第" in ruling.grounds.answers[0].why
    merchant = seen(await desk.cases.case(desk.market.owner, case.ref))
    assert {Action.ASK_REVIEW, Action.WAIVE} <= merchant.allowed
    assert case.allowed.isdisjoint({Action.ASK_REVIEW, Action.WAIVE, Action.WITHDRAW, Action.OFFER})
    for party in (desk.market.buyer, desk.market.owner):
        assert "当场裁决" in (await desk.subjects(party))[0]
    # Nobody was asked to answer, and nothing more can be done with the money.
    assert not any("请在" in subject for subject in await desk.subjects(desk.market.owner))
    assert code(await desk.cases.open(desk.market.buyer, case.order.ref, UNWANTED)) is Refusal.ALREADY_REFUNDED
    assert code(await desk.ladder.waive(desk.market.buyer, case.ref)) is Refusal.NOT_ALLOWED
    assert code(await desk.ladder.ask(desk.market.staff, case.ref, Side.BUYER, "x")) is Refusal.ALREADY_RULED
    await books_agree(desk)
    desk.pass_time(168 * HOUR)
    assert await desk.cases.tick() == 1
    ended = await after(desk, case)
    assert (ended.stage, ended.timeline[-1].kind) == (Stage.EXECUTED, "green_over")
    assert await desk.escrow(case) == ("refunded", PRICE, 0, 0)
    async with desk.database.connection() as conn:
        counted = await figure_store.public_counts(conn, desk.clock.at)
    # A merchant who was never asked kept no deadline and missed none.
    assert [one.cases for one in counted if (one.section, one.key, one.month) == ("deadlines", "answer", None)] == [0]
    assert [one.cases for one in counted if (one.section, one.key, one.month) == ("stages", "green", None)] == [1]


async def test_a_sealed_key_goes_back_at_once_whatever_is_claimed_of_it(desk: Desk) -> None:
    """Not as the thing claimed, which its records do not show, but as a return, which is nobody's fault."""
    case = await at_once(desk, WISH)
    assert (case.stage, case.claim, case.green_minor) == (Stage.GREEN, "already_used", PRICE)
    assert case.ruling is not None
    assert case.ruling.is_without_fault
    assert "没有拆封" in case.ruling.facts
    assert "不涉及谁的过错" in case.ruling.reasons
    shown = await decisions_of(desk).decision(desk.market.owner, case.ref)
    assert not isinstance(shown, Refused)
    assert (shown.is_return, shown.is_without_fault, shown.full["claim"]) == (True, True, "changed_mind")
    await books_agree(desk)
    # Of two keys the one that was opened is quarrelled about; the other goes back without a case.
    order_id = await desk.bought(2, opened=False)
    assert not isinstance(await desk.orders.reveal(desk.market.buyer, desk.order_ref(order_id), [1], PHONE), Refused)
    mixed = seen(await desk.cases.open(desk.market.buyer, desk.order_ref(order_id), WISH))
    assert (mixed.stage, mixed.green_minor) == (Stage.NEGOTIATION, None)


async def test_a_key_opened_in_another_order_before_is_refunded_at_once(desk: Desk) -> None:
    """The same key in a second shop; what the buyer says of it is not needed."""
    other = await seed_market(desk.database, keys=0)
    order_id = await desk.bought()
    await stock(desk.database, other.shop_id, other.listing_id, 1)
    await desk.database.execute(
        """UPDATE card_key SET blind = (SELECT k.blind FROM card_key k WHERE k.shop_id = $1 AND k.order_id = $2)
            WHERE shop_id = $3""",
        desk.market.shop_id,
        order_id,
        other.shop_id,
    )
    desk.pass_time(HOUR)
    again = await paid_order(desk.database, other, now=desk.clock.at)
    mine = format_ref(other.shop_id, again)
    assert not isinstance(await desk.orders.reveal(other.buyer, mine, None, PHONE), Refused)
    case = seen(await desk.cases.open(other.buyer, mine, WISH))
    assert case.stage is Stage.GREEN
    assert case.ruling is not None
    assert "在别的订单里拆封过" in case.ruling.facts
    assert (await desk.case()).stage is Stage.NEGOTIATION


@pytest.mark.parametrize(
    ("wish", "opened"),
    [
        (WISH, True),
        (OpenCase(claim="changed_mind", demand=Remedy.PARTIAL_REFUND, demand_minor=1, statement="x"), False),
        (OpenCase(claim="changed_mind", demand=Remedy.FULL_REFUND, statement="x"), True),
        # Of a key that was opened the rulebook gives it for want of the merchant's word, not on the records.
        (OpenCase(claim="expired", demand=Remedy.FULL_REFUND, statement="x"), True),
        # Nothing beyond what was demanded, nor anything else, is given at once.
        (OpenCase(claim="already_used", demand=Remedy.PARTIAL_REFUND, demand_minor=1, statement="x"), False),
        (OpenCase(claim="already_used", demand=Remedy.REPLACEMENT, statement="x"), False),
    ],
)
async def test_what_the_records_do_not_decide_is_negotiated(desk: Desk, wish: OpenCase, opened: bool) -> None:  # noqa: FBT001
    case = await desk.case(wish, opened=opened)
    assert (case.stage, case.turn, case.green_minor) == (Stage.NEGOTIATION, Turn.MERCHANT, None)


async def test_more_than_the_channels_amount_is_negotiated(desk: Desk) -> None:
    case = await desk.case(UNWANTED, opened=False, quantity=3)
    assert (case.stage, case.held_minor) == (Stage.NEGOTIATION, 3 * PRICE)
    assert case.due_at == desk.clock.at + 24 * HOUR


async def test_who_wants_a_person_gets_one_and_no_ruling_by_default(desk: Desk) -> None:
    asked = OpenCase(claim="changed_mind", demand=Remedy.FULL_REFUND, statement="x", by_person=True)
    case = await desk.case(asked, opened=False)
    assert (case.stage, case.turn, case.person_asked) == (Stage.NEGOTIATION, Turn.MERCHANT, True)
    assert "会自动转给客服" in case.what_if_due
    desk.pass_time(24 * HOUR)
    assert await desk.cases.tick() == 1
    assert (await after(desk, case)).stage is Stage.SUPPORT


async def test_at_most_five_in_thirty_days_also_at_one_moment(desk: Desk) -> None:
    orders = [desk.order_ref(await desk.bought(opened=False)) for _ in range(7)]
    first = [seen(await desk.cases.open(desk.market.buyer, ref, UNWANTED)) for ref in orders[:4]]
    assert {case.stage for case in first} == {Stage.GREEN}
    raced: list[Awaitable[Any]] = [desk.cases.open(desk.market.buyer, ref, UNWANTED) for ref in orders[4:6]]
    both = [seen(case) for case in await asyncio.gather(*raced)]
    assert sorted(case.stage for case in both) == [Stage.GREEN, Stage.NEGOTIATION]
    [beyond] = [case for case in both if case.stage is Stage.NEGOTIATION]
    assert (beyond.limit_by, beyond.due_at) == (LimitBy.PERSON, desk.clock.at + 24 * HOUR)
    # The other side is not told how often somebody was refunded.
    assert seen(await desk.cases.case(desk.market.owner, beyond.ref)).limit_by is None
    decisions = decisions_of(desk)
    for party, told in ((desk.market.buyer, AtOnce.LIMIT), (desk.market.owner, AtOnce.YES)):
        order = await desk.orders.order(party, orders[6])
        assert not isinstance(order, Refused)
        assert await decisions.foresee_at_once(order, "changed_mind", Remedy.FULL_REFUND) is told
        assert await decisions.foresee_at_once(order, "already_used", Remedy.PARTIAL_REFUND) is AtOnce.NO
        # Keys that nobody opened go back whatever is claimed of them.
        for claim in CLAIMS.keys() - MERCHANT_CLAIMS.keys():
            assert await decisions.foresee_at_once(order, claim, Remedy.FULL_REFUND) is told, claim
    desk.pass_time(timedelta(days=30))
    await desk.cases.tick()
    late = await paid_order(desk.database, desk.market, now=desk.clock.at)
    assert seen(await desk.cases.open(desk.market.buyer, desk.order_ref(late), UNWANTED)).stage is Stage.GREEN


async def test_people_who_pay_from_one_account_share_its_limit(desk: Desk) -> None:
    """Five each would be fifteen; whoever pays from elsewhere, or from where no custodian tells, is not held to it."""
    people = [desk.market.buyer, *[person(await open_account(desk.database)) for _ in range(2)]]
    shared, other = b"\x01" * 32, b"\x02" * 32

    async def bought(number: int, payer: bytes | None) -> str:
        paid = await paid_order(desk.database, desk.market, people[number].account_id, now=desk.clock.at, payer=payer)
        return desk.order_ref(paid)

    async def opened(number: int, ref: str) -> CaseView:
        return seen(await desk.cases.open(people[number], ref, UNWANTED))

    for number in (0, 0, 1, 1):
        assert (await opened(number, await bought(number, shared))).stage is Stage.GREEN
    last = [await bought(number, shared) for number in range(3)]
    raced = await asyncio.gather(*[opened(number, ref) for number, ref in enumerate(last)])
    assert sorted(case.stage for case in raced) == [Stage.GREEN, Stage.NEGOTIATION, Stage.NEGOTIATION]
    beyond = [case for case in raced if case.stage is Stage.NEGOTIATION]
    assert [case.limit_by for case in beyond] == [LimitBy.PAYER] * 2
    assert (await desk.cases.case(desk.market.owner, beyond[0].ref)).limit_by is None  # type: ignore[union-attr]
    # What was not decided at once counts for nobody, so the person may have more paid from elsewhere.
    again = await bought(2, shared)
    view = await desk.orders.order(people[2], again)
    assert not isinstance(view, Refused)
    assert await decisions_of(desk).foresee_at_once(view, "changed_mind", Remedy.FULL_REFUND) is AtOnce.PAYER_LIMIT
    for payer in (other, None):
        assert (await opened(2, await bought(2, payer))).stage is Stage.GREEN
    desk.pass_time(timedelta(days=30))
    assert (await opened(2, await bought(2, shared))).stage is Stage.GREEN
    await books_agree(desk)


async def reviewed(desk: Desk, case: CaseView, wish: Rule) -> CaseView:
    """Let the merchant ask for a review and a panellist decide it."""
    member = await desk.staff(Role.PANEL)
    asked = seen(await desk.ladder.ask_review(desk.market.owner, case.ref, "卡密是好的。"))
    assert (asked.stage, asked.turn) == (Stage.REVIEW, Turn.PANEL)
    await desk.handed_in(case, wish, member)
    desk.pass_time(HANDED_IN)
    assert await desk.cases.tick() == 1
    return await after(desk, case)


@pytest.mark.parametrize(
    ("wish", "kind", "paid"),
    [(ALL, "green_kept", 0), (PART, "green_reversed", 5650 - 113), (NOTHING, "green_reversed", PRICE - FEE)],
)
async def test_a_review_takes_nothing_back_and_pays_the_merchant_from_the_reserve(
    desk: Desk, wish: Rule, kind: str, paid: int
) -> None:
    await fill_reserve(desk)
    case = await at_once(desk)
    ended = await reviewed(desk, case, wish)
    assert (ended.stage, await desk.escrow(case)) == (Stage.EXECUTED, ("refunded", PRICE, 0, 0))
    assert kind in [line.kind for line in ended.timeline]
    assert [ruling.stage for ruling in ended.rulings] == [RulingStage.GREEN, RulingStage.REVIEW]
    view = await reserve(desk)
    assert (view.spent_minor, view.left_minor, view.advanced_minor) == (paid, PRICE - paid, 0)
    moves = [move for move in ended.order.money_moves if move.kind == "reversal"]
    assert [move.amount_minor for move in moves] == ([paid] if paid else [])
    await books_agree(desk)


async def test_a_reversal_waits_for_the_reserve_and_is_paid_once(desk: Desk) -> None:
    case = await at_once(desk)
    waits = await reviewed(desk, case, NOTHING)
    assert (waits.stage, waits.turn) == (Stage.REVIEW, Turn.NOBODY)
    assert "平台备付暂时不够付给商家" in waits.what_if_due
    view = await reserve(desk)
    assert (view.waiting, view.waiting_minor, view.spent_minor) == (1, PRICE - FEE, 0)
    assert await desk.cases.tick() == 0
    await fill_reserve(desk)
    assert await desk.cases.tick() == 1
    assert (await after(desk, case)).stage is Stage.EXECUTED
    assert (await reserve(desk)).spent_minor == PRICE - FEE
    args = (desk.market.shop_id, case.order.order_id)
    for amount, refused in ((PRICE, None), (PRICE + 1, "refund_out_of_range"), (0, "refund_out_of_range")):
        row = await desk.database.fetchrow(AGAIN, *args, amount)
        assert row is not None
        assert row["refusal"] == refused
    assert (await reserve(desk)).spent_minor == PRICE - FEE
    await books_agree(desk)


async def test_a_review_nobody_decides_leaves_the_refund_and_the_reserve_alone(desk: Desk) -> None:
    await fill_reserve(desk)
    case = await at_once(desk)
    seen(await desk.ladder.ask_review(desk.market.owner, case.ref, "再看看。"))
    for _ in range(2):
        desk.pass_time(72 * HOUR)
        assert await desk.cases.tick() == 1
    ended = await after(desk, case)
    assert (ended.stage, ended.timeline[-1].kind) == (Stage.EXECUTED, "green_stood")
    assert (await reserve(desk)).spent_minor == 0


async def test_the_review_is_told_of_the_order_as_it_was_before_the_refund(desk: Desk) -> None:
    case = await at_once(desk)
    seen(await desk.ladder.ask_review(desk.market.owner, case.ref, "再看看。"))
    decision = await decisions_of(desk).decision(desk.market.owner, case.ref)
    assert not isinstance(decision, Refused)
    assert (decision.is_kept, decision.outcome, decision.refund_minor) == (False, "FULL_REFUND", PRICE)


async def test_a_merchant_may_let_it_be(desk: Desk) -> None:
    case = await at_once(desk)
    desk.pass_time(HOUR)
    ended = seen(await desk.ladder.waive(desk.market.owner, case.ref))
    assert (ended.stage, ended.timeline[-1].kind) == (Stage.EXECUTED, "green_waived")
    assert code(await desk.ladder.ask_review(desk.market.owner, case.ref, "x")) is Refusal.CASE_CLOSED


@pytest.mark.parametrize("other", ["confirm", "refund_sealed"])
async def test_one_of_two_steps_on_the_money_wins(desk: Desk, other: str) -> None:
    for _ in range(4):
        ref = desk.order_ref(await desk.bought(opened=False))
        step = getattr(desk.orders, other)
        case, answer = await asyncio.gather(
            desk.cases.open(desk.market.buyer, ref, UNWANTED), step(desk.market.buyer, ref)
        )
        if isinstance(case, CaseView) and case.stage is Stage.GREEN:
            assert code(answer) in {Refusal.IN_CASE, Refusal.ALREADY_REFUNDED}
        elif other == "refund_sealed":
            assert code(case) is Refusal.ALREADY_REFUNDED
        else:
            # Confirmed first: a claim after the release is never decided at once.
            assert seen(case).stage is Stage.NEGOTIATION
    await books_agree(desk)
