"""Rulings that give new keys or damages: what is carried out, what falls back, what is owed; and what is refused."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from dispute import BUYERS, FIRST_VIEW, HANDED_IN, HOUR, MERCHANTS, TO_ASK, WISH, Desk, code, seen
from kabao.cases import CaseView, CastVote, OpenCase, Outcome, Remedy, Rule, RulingStage, Stage
from kabao.identity import Role
from kabao.kernel import Refusal, Refused
from kabao.orders import OrderState, audit
from kabao.postgres import Database

PRICE = 9650
SWAP = OpenCase(claim="already_used", demand=Remedy.REPLACEMENT, statement="换一张能用的。")
KEYS = Rule(outcome=Outcome.REPLACEMENT, shares=MERCHANTS, facts="事实。", reasons="理由。")
ALL = Rule(outcome=Outcome.FULL_REFUND, shares=MERCHANTS, facts="事实。", reasons="理由。")
TREBLE = msgspec.structs.replace(ALL, damages_minor=50_000, differs_reason="拿试用版当正式版卖，是欺诈。")


@pytest.fixture
async def desk(database: Database, tmp_path: Path) -> Desk:
    return await Desk.ready(database, tmp_path)


async def deposit(desk: Desk, amount: int) -> None:
    shop = desk.market.shop_id
    await desk.database.execute(
        "SELECT take_fund_payment_v1($1, 'sandbox', $2, $3, $4, 'CNY', NULL)",
        shop,
        f"D{amount}",
        f"deposit:{shop}",
        amount,
    )


async def assert_balanced(desk: Desk) -> None:
    async with desk.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        report = await audit(conn)
    assert [one for one in report.findings if "custod" not in one.check] == []


async def after(desk: Desk, case: CaseView) -> CaseView:
    return seen(await desk.cases.case(desk.market.buyer, case.ref))


async def released_case(desk: Desk, wish: OpenCase = WISH) -> CaseView:
    ref = desk.order_ref(await desk.bought())
    assert not isinstance(await desk.orders.confirm(desk.market.buyer, ref), Refused)
    seen(await desk.cases.open(desk.market.buyer, ref, wish))
    desk.pass_time(48 * HOUR)
    await desk.cases.tick()
    order = await desk.orders.order(desk.market.buyer, ref)
    assert not isinstance(order, Refused)
    return seen(await desk.cases.case(desk.market.buyer, order.open_case_ref or ""))


# ---- new keys


async def test_a_ruling_gives_new_keys_from_stock_when_its_review_is_over(desk: Desk) -> None:
    case = await desk.at_support(SWAP)
    ruled = await desk.ruled(case, KEYS)
    assert ruled.ruling is not None
    assert ruled.ruling.label == "补发新的卡密（没有库存就退款 ¥96.50）"
    assert ruled.order.state is OrderState.OPENED
    desk.pass_time(TO_ASK)
    assert await desk.cases.tick() == 1
    ended = await after(desk, case)
    assert (ended.stage, ended.order.state, await desk.escrow(ended)) == (
        Stage.EXECUTED,
        OrderState.DELIVERED,
        ("held", 0, 0, 0),
    )
    assert [slot.state for slot in ended.order.keys] == ["replaced", "sealed"]
    await assert_balanced(desk)


@pytest.mark.parametrize("is_released", [False, True])
async def test_without_stock_the_refund_that_the_ruling_names_takes_the_keys_place(
    database: Database, tmp_path: Path, *, is_released: bool
) -> None:
    desk = await Desk.ready(database, tmp_path, keys=1)
    await deposit(desk, PRICE)
    case = await (released_case(desk, SWAP) if is_released else desk.at_support(SWAP))
    ended = await desk.executed(case, msgspec.structs.replace(KEYS, refund_minor=9000))
    assert ended.stage is Stage.EXECUTED
    assert [line.kind for line in ended.timeline if line.kind in {"no_stock", "executed"}] == ["no_stock", "executed"]
    assert ended.order.given_back_minor == 9000
    await assert_balanced(desk)


async def test_new_keys_are_ruled_only_where_they_were_demanded(desk: Desk) -> None:
    case = await desk.at_support()
    first = msgspec.structs.replace(FIRST_VIEW, outcome="replacement")
    refused = await desk.ladder.first_view(desk.market.staff, case.ref, first)
    assert code(refused) is Refusal.REPLACEMENT_NOT_ASKED
    seen(await desk.ladder.first_view(desk.market.staff, case.ref, FIRST_VIEW))
    assert code(await desk.ladder.rule(desk.market.staff, case.ref, KEYS)) is Refusal.REPLACEMENT_NOT_ASKED


# ---- damages


async def test_damages_come_out_of_the_deposit_beside_the_refund_and_the_rest_is_owed(desk: Desk) -> None:
    await deposit(desk, 20_000)
    case = await desk.at_support()
    ruled = await desk.ruled(case, TREBLE)
    assert ruled.ruling is not None
    assert (ruled.ruling.label, ruled.ruling.damages_minor) == ("全额退款 ¥96.50，另赔 ¥500.00", 50_000)
    desk.pass_time(TO_ASK)
    assert await desk.cases.tick() == 1
    ended = await after(desk, case)
    assert await desk.escrow(ended) == ("refunded", PRICE, 0, 0)
    assert ended.order.claim.damages_owed_minor == 30_000
    told = {line.kind: line.text for line in ended.timeline}
    assert "¥200.00" in told["damages"]
    assert "¥300.00" in told["damages_owed"]
    await assert_balanced(desk)
    await deposit(desk, 30_000)
    assert await desk.orders.after_release.pay_owed_damages() == 30_000
    assert (await after(desk, case)).order.claim.damages_owed_minor == 0
    await assert_balanced(desk)


async def test_after_the_release_the_refund_is_paid_before_the_damages(desk: Desk) -> None:
    await deposit(desk, PRICE + 100)
    ended = await desk.executed(await released_case(desk), TREBLE)
    assert (ended.order.given_back_minor, ended.order.claim.damages_owed_minor) == (PRICE, 49_900)
    await assert_balanced(desk)


async def test_damages_need_a_reason_where_the_rules_name_none_and_stay_in_range(desk: Desk) -> None:
    case = await desk.at_support()
    staff = desk.market.staff
    first = msgspec.structs.replace(FIRST_VIEW, damages_minor=10 * PRICE + 1)
    assert code(await desk.ladder.first_view(staff, case.ref, first)) is Refusal.DAMAGES_OUT_OF_RANGE
    seen(await desk.ladder.first_view(staff, case.ref, msgspec.structs.replace(first, damages_minor=1)))
    unsaid = await desk.ladder.rule(staff, case.ref, msgspec.structs.replace(TREBLE, differs_reason=""))
    assert isinstance(unsaid, Refused)
    assert set(unsaid.fields) == {"differs_reason", "articles"}
    much = msgspec.structs.replace(TREBLE, damages_minor=10 * PRICE + 1)
    assert code(await desk.ladder.rule(staff, case.ref, much)) is Refusal.DAMAGES_OUT_OF_RANGE
    seen(await desk.ladder.rule(staff, case.ref, TREBLE))


async def test_a_panel_gives_the_median_of_the_damages_and_the_majoritys_remedy(
    database: Database, tmp_path: Path
) -> None:
    desk = await Desk.ready(database, tmp_path, keys=12)
    members = [await desk.staff(Role.PANEL) for _ in range(3)]
    case = await desk.at_support(SWAP, quantity=6)
    seen(await desk.ladder.pass_on(desk.market.staff, case.ref))
    for member, (damages, replaces) in zip(members, ((0, True), (9_000, True), (50_000, False)), strict=True):
        seen(await desk.ladder.first_view(member, case.ref, FIRST_VIEW))
        wish = CastVote(
            upholds=True,
            refund_minor=6 * PRICE,
            damages_minor=damages,
            replaces=replaces,
            shares=MERCHANTS,
            facts="事实。",
            reasons="理由。",
            differs_reason="另有损失。",
        )
        seen(await desk.ladder.vote(member, case.ref, wish))
    desk.pass_time(HANDED_IN)
    assert await desk.cases.tick() == 1
    ruling = (await after(desk, case)).ruling
    assert ruling is not None
    assert (ruling.outcome, ruling.refund_minor, ruling.damages_minor) == (Outcome.REPLACEMENT, 6 * PRICE, 9_000)


async def test_a_review_may_add_or_take_the_damages_away(desk: Desk) -> None:
    await deposit(desk, 50_000)
    reviewer = await desk.staff(Role.PANEL)
    case = await desk.at_support()
    await desk.ruled(case, TREBLE)
    seen(await desk.ladder.ask_review(desk.market.owner, case.ref, "不是欺诈。"))
    ended = await desk.ruled(case, ALL, reviewer)
    assert ended.stage is Stage.EXECUTED
    assert [ruling.damages_minor for ruling in ended.rulings] == [50_000, 0]
    assert "damages" not in {line.kind for line in ended.timeline}


async def test_an_unanswered_demand_for_new_keys_stands_where_the_rules_say_so(desk: Desk) -> None:
    await desk.rulebook.begin()
    case = await desk.case(SWAP)
    await desk.database.execute(
        """INSERT INTO case_fact (shop_id, case_id, said_id, fact, shows, kind, confidence, by_id, by_role, note, at)
           SELECT c.shop_id, c.case_id, x.n, x.fact, true, 'issuer_record', 95, $2, 'support', '', c.opened_at
             FROM cases c, (VALUES (1, 'key_failed'), (2, 'good_when_opened'),
               (3, 'bad_key_replaced_promised')) x (n, fact) WHERE c.order_id = $1""",
        case.order.order_id,
        desk.market.staff_id,
    )
    desk.pass_time(48 * HOUR)
    assert await desk.cases.tick() == 1
    stands = await after(desk, case)
    assert (stands.stage, stands.ruling and stands.ruling.stage) == (Stage.RULED_OPEN, RulingStage.DEFAULT)
    assert stands.ruling is not None
    assert (stands.ruling.outcome, stands.ruling.refund_minor) == (Outcome.REPLACEMENT, PRICE)


async def test_a_ruling_is_carried_out_once_whoever_ticks(desk: Desk) -> None:
    await deposit(desk, 20_000)
    case = await desk.at_support()
    await desk.ruled(case, TREBLE)
    desk.pass_time(TO_ASK)
    moved = await asyncio.gather(
        *(desk.cases.tick() for _ in range(4)), *(desk.orders.after_release.pay_owed_damages() for _ in range(2))
    )
    assert sum(moved[:4]) == 1
    paid = await desk.database.fetchval("SELECT sum(deposit_minor) FROM claim_payout WHERE part = 'damages'")
    assert paid == 20_000
    await assert_balanced(desk)


async def test_nothing_refunded_may_still_be_made_good(desk: Desk) -> None:
    await deposit(desk, 50_000)
    late = Rule(
        outcome=Outcome.NO_REFUND,
        damages_minor=1_000,
        shares=BUYERS,
        facts="迟了一天。",
        reasons="承诺延迟必赔。",
        differs_reason="按店铺的承诺。",
    )
    ended = await desk.executed(await desk.at_support(), late)
    assert (await desk.escrow(ended))[0] == "released"
    assert ended.ruling is not None
    assert ended.ruling.label == "不退款，钱付给商家，另赔 ¥10.00"
    await assert_balanced(desk)
