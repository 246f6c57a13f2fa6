"""A case that a merchant opens: who may, until when, what silence does, and what is told to whom."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from dispute import BUYERS, HOUR, MERCHANTS, WISH, Desk, code, seen, winners
from kabao.adjudication.service import packaged_text
from kabao.cases import (
    CaseView,
    MakeOffer,
    OpenCase,
    Outcome,
    Remedy,
    Rule,
    SayFact,
    Side,
    Stage,
    Turn,
)
from kabao.cases.ladder.model import Award
from kabao.kernel import Refusal, Refused
from kabao.postgres import Database
from rulebooks import EARLIER

PRICE = 9650
USED = OpenCase(claim="buyer_used_it", demand=Remedy.RELEASE, statement="兑换记录显示买家当天就用了。")
FEE = OpenCase(claim="fee_due", demand=Remedy.PARTIAL_REFUND, demand_minor=9000, statement="商品页写明扣费。")


@pytest.fixture
async def desk(database: Database, tmp_path: Path) -> Desk:
    return await Desk.ready(database, tmp_path)


async def opened(desk: Desk, wish: OpenCase = USED) -> CaseView:
    return seen(await desk.cases.open(desk.market.owner, desk.order_ref(await desk.bought()), wish))


async def test_the_money_freezes_and_the_buyer_is_asked_in_plain_words(desk: Desk) -> None:
    case = await opened(desk)
    assert (case.opened_by, case.turn, case.due_at) == (Side.MERCHANT, Turn.BUYER, desk.clock.at + 48 * HOUR)
    assert (await desk.escrow(case))[0] == "disputed"
    [told] = await desk.subjects(desk.market.buyer)
    assert "商家发起了纠纷，要求托管的钱全部付给商家，请在 48 小时内答复" in told
    assert told.endswith("；不答复会转给客服，不影响你的权利")
    theirs = seen(await desk.cases.case(desk.market.buyer, case.ref))
    assert theirs.what_if_due == "你到时没有回应，会自动转给客服，不影响你的权利。"
    opening = "商家发起纠纷：买家已经用掉，又要退，要求托管的钱全部付给商家。"
    assert opening in {line.text for line in theirs.timeline}
    assert {"answer", "accept_demand", "offer"} <= set(theirs.allowed)
    assert "withdraw" not in theirs.allowed


async def test_a_silent_buyer_never_loses_by_it_not_even_where_the_rules_speak_for_the_merchant(desk: Desk) -> None:
    await desk.rulebook.begin()
    case = await opened(desk)
    for _ in range(2):
        desk.pass_time(48 * HOUR)
        assert await desk.cases.tick() == 1
    risen = seen(await desk.cases.case(desk.market.buyer, case.ref))
    assert (risen.stage, risen.rulings, (await desk.escrow(risen))[0]) == (Stage.PANEL, [], "disputed")


async def test_the_rules_speak_of_what_a_merchant_claims_and_of_nothing_beyond_what_is_held(desk: Desk) -> None:
    await desk.rulebook.begin()
    decisions = desk.decisions
    owner, buyer = desk.market.owner, desk.market.buyer

    async def told(case: CaseView) -> tuple[str, list[int], Award | None]:
        found = await decisions.decision(buyer, case.ref)
        assert not isinstance(found, Refused)
        assert found.is_merchants
        return found.outcome, [number for number, _, _ in found.articles], found.suggests(case.demand, case.held_minor)

    # Foreseen before anything is frozen, and then the same.
    ref = desk.order_ref(await desk.bought())
    order = await desk.orders.order(owner, ref)
    assert not isinstance(order, Refused)
    foreseen = await decisions.foresee(order, USED.claim, USED.demand)
    assert not isinstance(foreseen, Refused)
    case = seen(await desk.cases.open(owner, ref, USED))
    # The buyer confirmed nothing of his right to return it, so that a person decides where nobody shows anything.
    assert await told(case) == ("NEEDS_PERSON", [one for one, _, _ in foreseen.articles], None)
    assert (foreseen.outcome, foreseen.articles[0][1]) == ("NEEDS_PERSON", "merchant_unsettled")
    assert {change.fact for change in foreseen.missing} >= {"redeemed_by_buyer", "key_failed"}
    # What the buyer shows turns it, and what the issuer knows turns it back.
    for fact, outcome, given in (("key_failed", "FULL_REFUND", Award(PRICE)), ("redeemed_by_buyer", "DENY", Award(0))):
        said = SayFact(fact=fact, shows=True, kind="issuer_record", confidence=97)
        assert not isinstance(await decisions.say_fact(desk.market.staff, case.ref, said), Refused)
        got, _, suggested = await told(case)
        assert (got, suggested) == (outcome, given)
    # A fee that nobody published: all of it goes back, and the merchant's own offer stands beside it.
    fee = await opened(desk, FEE)
    assert await told(fee) == ("FULL_REFUND", [245], Award(PRICE))
    shown = await decisions.decision(owner, fee.ref)
    assert not isinstance(shown, Refused)
    assert (shown.beyond_demand(9000), shown.below_offer(9000), shown.below_offer(PRICE + 1)) == (False, False, True)


async def test_an_order_from_before_these_articles_keeps_its_version_and_gets_no_suggestion(desk: Desk) -> None:
    first = await desk.rulebook.publish(EARLIER["2026.1"].read_text("utf-8"))
    assert not isinstance(first, Refused)
    desk.pass_time(timedelta(days=30))
    old = desk.order_ref(await desk.bought())
    # A newer kabao brings its version along as a draft, which its operator publishes.
    await desk.rulebook.begin()
    second = await desk.rulebook.publish(packaged_text())
    assert not isinstance(second, Refused)
    before = seen(await desk.cases.open(desk.market.owner, old, USED))
    desk.pass_time(timedelta(days=15))
    after = await opened(desk)
    decisions = desk.decisions
    assert code(await decisions.decision(desk.market.buyer, before.ref)) is Refusal.NOT_FOUND
    found = await decisions.decision(desk.market.buyer, after.ref)
    assert not isinstance(found, Refused)
    assert (found.version, [card.version for card in await desk.rulebook.versions()]) == (
        second.version,
        [second.version, first.version],
    )


async def test_a_merchant_who_is_silent_in_his_own_case_lets_it_rise_too(desk: Desk) -> None:
    await desk.rulebook.begin()
    case = await opened(desk)
    seen(await desk.cases.answer(desk.market.buyer, case.ref, "没有用过。"))
    desk.pass_time(48 * HOUR)
    assert await desk.cases.tick() == 1
    assert seen(await desk.cases.case(desk.market.buyer, case.ref)).stage is Stage.SUPPORT


async def test_what_a_buyer_grants_is_paid_at_once(desk: Desk) -> None:
    whole = await opened(desk)
    seen(await desk.cases.accept_demand(desk.market.buyer, whole.ref))
    assert (await desk.escrow(whole))[:3] == ("released", 0, PRICE)
    part = await opened(desk, FEE)
    seen(await desk.cases.accept_demand(desk.market.buyer, part.ref))
    assert (await desk.escrow(part))[:3] == ("split", 9000, PRICE - 9000)
    assert any("买家同意了诉求" in one for one in await desk.subjects(desk.market.owner))


async def test_support_may_rule_either_way_in_a_merchants_case(desk: Desk) -> None:
    for outcome, shares, left in (
        (Outcome.NO_REFUND, BUYERS, "released"),
        (Outcome.FULL_REFUND, MERCHANTS, "refunded"),
    ):
        case = await opened(desk)
        desk.pass_time(48 * HOUR)
        await desk.cases.tick()
        ended = await desk.executed(case, Rule(outcome=outcome, shares=shares, facts="事实。", reasons="理由。"))
        assert (await desk.escrow(ended))[0] == left


async def test_a_merchant_opens_one_case_an_order_while_money_is_held_and_nothing_is_sealed(desk: Desk) -> None:
    owner, buyer = desk.market.owner, desk.market.buyer
    sealed = desk.order_ref(await desk.bought(opened=False))
    assert code(await desk.cases.open(owner, sealed, USED)) is Refusal.STILL_SEALED
    assert not isinstance(await desk.orders.refund_sealed(buyer, sealed), Refused)
    released = desk.order_ref(await desk.bought())
    assert not isinstance(await desk.orders.confirm(buyer, released), Refused)
    assert code(await desk.cases.open(owner, released, USED)) is Refusal.ALREADY_RELEASED
    order = await desk.orders.order(buyer, released)
    assert not isinstance(order, Refused)
    assert not order.in_case
    ref = desk.order_ref(await desk.bought())
    for person, wish in (
        (owner, WISH),
        (buyer, USED),
        (owner, OpenCase(claim="fee_due", demand=Remedy.FULL_REFUND, statement="x")),
    ):
        assert code(await desk.cases.open(person, ref, wish)) is Refusal.INVALID_FIELDS
    case = seen(await desk.cases.open(owner, ref, USED))
    assert code(await desk.cases.open(buyer, ref, WISH)) is Refusal.IN_CASE
    seen(await desk.cases.withdraw(owner, case.ref))
    assert code(await desk.cases.open(owner, ref, USED)) is Refusal.CASE_LIMIT
    # What a merchant withdrew takes nothing from the buyer's right.
    for _ in range(2):
        seen(await desk.cases.withdraw(buyer, seen(await desk.cases.open(buyer, ref, WISH)).ref))
    assert code(await desk.cases.open(buyer, ref, WISH)) is Refusal.CASE_LIMIT


async def test_both_sides_open_at_once_and_one_case_stands(desk: Desk) -> None:
    for _ in range(4):
        ref = desk.order_ref(await desk.bought())
        answers = await asyncio.gather(
            desk.cases.open(desk.market.owner, ref, USED), desk.cases.open(desk.market.buyer, ref, WISH)
        )
        assert winners(answers) == 1
        won = next(answer for answer in answers if isinstance(answer, CaseView))
        seen(
            await desk.cases.withdraw(
                desk.market.owner if won.opened_by is Side.MERCHANT else desk.market.buyer, won.ref
            )
        )


async def test_a_buyer_may_offer_the_merchant_everything_and_only_in_his_case(desk: Desk) -> None:
    case = await opened(desk)
    offered = seen(await desk.cases.offer(desk.market.buyer, case.ref, MakeOffer(kind=Remedy.RELEASE)))
    offer = offered.open_offer
    assert offer is not None
    assert seen(await desk.cases.accept(desk.market.owner, case.ref, offer.offer_id)).stage is Stage.SETTLED
    own = await desk.case()
    assert (
        code(await desk.cases.offer(desk.market.buyer, own.ref, MakeOffer(kind=Remedy.RELEASE))) is Refusal.NOT_ALLOWED
    )
