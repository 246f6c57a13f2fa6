"""A case from opening to its end, as buyer, merchant and support live through it."""

from datetime import timedelta
from pathlib import Path

import pytest

from dispute import FIRST_VIEW, HOUR, MERCHANTS, WISH, Desk, code, seen
from kabao.cases import (
    STEPS,
    Action,
    CaseCard,
    CaseService,
    MakeOffer,
    OfferState,
    OpenCase,
    Outcome,
    Remedy,
    RoseWhy,
    Rule,
    Stage,
    Turn,
)
from kabao.identity import Role
from kabao.kernel import DatabaseClock, IdSource, Refusal, Refused
from kabao.orders import OrderState, OrderView
from kabao.postgres import Database, load_queries
from market import NOON, open_account, paid_order, person, placed_order, seed_market

PRICE = 9650
REFUND_ALL = Rule(
    shares=MERCHANTS, outcome=Outcome.FULL_REFUND, facts="核销早于拆封。", reasons="商家没有证明库存有效。"
)


@pytest.fixture
async def desk(database: Database, tmp_path: Path) -> Desk:
    return await Desk.ready(database, tmp_path)


async def test_the_steps_in_code_are_the_steps_in_the_database(database: Database) -> None:
    rows = await database.fetch("SELECT previous, stage FROM case_step")
    assert {(row["previous"], row["stage"]) for row in rows} == {(str(old), str(new)) for old, new in STEPS}


async def test_opening_stops_the_release_clock_and_tells_the_merchant(desk: Desk) -> None:
    desk.pass_time(HOUR)
    case = await desk.case()
    assert (case.stage, case.turn, case.due_at) == (Stage.NEGOTIATION, Turn.MERCHANT, desk.clock.at + 48 * HOUR)
    assert (case.demand_minor, case.held_minor, case.claim_label) == (PRICE, PRICE, "卡密提示已被使用")
    assert await desk.escrow(case) == ("disputed", 0, 0, 0)
    assert case.order.in_case
    assert case.order.open_case_ref == case.ref
    assert await desk.subjects(desk.market.owner) == [
        "「测试点卡」的纠纷：买家发起了纠纷，要求全额退款 ¥96.50，请在 48 小时内答复"
    ]
    assert case.allowed == {Action.SAY, Action.ADD_FILE, Action.OFFER, Action.ASK_PERSON, Action.WITHDRAW}


async def test_an_order_is_in_one_open_case(desk: Desk) -> None:
    case = await desk.case()
    again = await desk.cases.open(desk.market.buyer, case.order.ref, WISH)
    assert code(again) is Refusal.IN_CASE


@pytest.mark.parametrize(
    ("wish", "why", "fields"),
    [
        (OpenCase(claim="nonsense", demand=Remedy.FULL_REFUND, statement=" "), Refusal.INVALID_FIELDS, 2),
        (OpenCase(claim="other", demand=Remedy.FULL_REFUND, statement="a\0b"), Refusal.INVALID_FIELDS, 1),
        (OpenCase(claim="other", demand=Remedy.FULL_REFUND, statement="字" * 2001), Refusal.INVALID_FIELDS, 1),
        (OpenCase(claim="nonsense", demand=Remedy.FULL_REFUND, statement="有话"), Refusal.INVALID_FIELDS, 1),
        (
            OpenCase(claim="other", demand=Remedy.PARTIAL_REFUND, demand_minor=PRICE + 1, statement="少退一点"),
            Refusal.REFUND_OUT_OF_RANGE,
            0,
        ),
    ],
)
async def test_a_wrong_opening_leaves_the_clock_running(desk: Desk, wish: OpenCase, why: Refusal, fields: int) -> None:
    order_ref = desk.order_ref(await desk.bought())
    answer = await desk.cases.open(desk.market.buyer, order_ref, wish)
    assert isinstance(answer, Refused)
    assert (answer.code, len(answer.fields)) == (why, fields)
    order = await desk.orders.order(desk.market.buyer, order_ref)
    assert not isinstance(order, Refused)
    assert (order.in_case, order.open_case_ref) == (False, None)
    assert order.escrow is not None
    assert order.escrow.state == "held"


async def test_a_case_needs_money_in_escrow_and_its_own_buyer(desk: Desk) -> None:
    unpaid = desk.order_ref(await placed_order(desk.database, desk.market, now=desk.clock.at))
    buyer, owner = desk.market.buyer, desk.market.owner
    assert code(await desk.cases.open(buyer, unpaid, WISH)) is Refusal.NOT_PAID
    paid = desk.order_ref(await desk.bought())
    stranger = person(await open_account(desk.database))
    assert code(await desk.cases.open(stranger, paid, WISH)) is Refusal.NOT_FOUND
    assert code(await desk.cases.open(desk.market.staff, paid, WISH)) is Refusal.NOT_FOUND
    assert code(await desk.cases.open(owner, paid, WISH)) is Refusal.INVALID_FIELDS
    assert code(await desk.cases.open(buyer, "1-9", WISH)) is Refusal.NOT_FOUND
    assert code(await desk.cases.open(buyer, "nonsense", WISH)) is Refusal.NOT_FOUND
    assert not isinstance(await desk.orders.confirm(buyer, paid), Refused)
    claim = seen(await desk.cases.open(buyer, paid, WISH))
    assert (claim.held_minor, claim.order.in_case) == (PRICE, True)


async def test_an_offer_is_made_countered_and_accepted_with_the_money(desk: Desk) -> None:
    case, buyer, owner = await desk.case(), desk.market.buyer, desk.market.owner
    desk.pass_time(HOUR)
    wish = MakeOffer(kind=Remedy.PARTIAL_REFUND, refund_minor=6000, note="发出时是好的，补 60。")
    offered = seen(await desk.cases.offer(owner, case.ref, wish))
    assert (offered.turn, offered.answered_at) == (Turn.BUYER, desk.clock.at)
    counter = seen(await desk.cases.offer(buyer, case.ref, MakeOffer(kind=Remedy.PARTIAL_REFUND, refund_minor=8000)))
    assert [offer.state for offer in counter.offers] == [OfferState.SUPERSEDED, OfferState.OPEN]
    assert counter.open_offer is not None
    offer_id = counter.open_offer.offer_id
    assert code(await desk.cases.accept(buyer, case.ref, offer_id)) is Refusal.NOT_ALLOWED
    assert code(await desk.cases.accept(owner, case.ref, offered.offers[0].offer_id)) is Refusal.OFFER_GONE
    settled = seen(await desk.cases.accept(owner, case.ref, offer_id))
    assert (settled.stage, settled.turn, settled.due_at) == (Stage.SETTLED, Turn.NOBODY, None)
    assert settled.closed_at == desk.clock.at
    assert settled.order.state is OrderState.PARTLY_REFUNDED
    assert await desk.escrow(case) == ("split", 8000, PRICE - 8000, (PRICE - 8000) * 200 // 10000)
    assert code(await desk.cases.accept(owner, case.ref, offer_id)) is Refusal.CASE_CLOSED
    assert settled.allowed == {Action.SAY, Action.ADD_FILE}
    assert "商家接受了方案，已和解" in (await desk.subjects(buyer))[0]


async def test_a_refused_offer_gives_the_turn_back(desk: Desk) -> None:
    case, buyer, owner = await desk.case(), desk.market.buyer, desk.market.owner
    offered = seen(await desk.cases.offer(owner, case.ref, MakeOffer(kind=Remedy.PARTIAL_REFUND, refund_minor=1)))
    refused = seen(await desk.cases.refuse_offer(buyer, case.ref, offered.offers[0].offer_id))
    assert (refused.turn, refused.offers[0].state, refused.open_offer) == (
        Turn.MERCHANT,
        OfferState.REFUSED,
        None,
    )
    assert (await desk.escrow(case))[0] == "disputed"


@pytest.mark.parametrize("amount", [0, -1, PRICE + 1, 2**62])
async def test_an_offer_beyond_what_is_held_is_refused(desk: Desk, amount: int) -> None:
    case = await desk.case()
    wish = MakeOffer(kind=Remedy.PARTIAL_REFUND, refund_minor=amount)
    assert code(await desk.cases.offer(desk.market.owner, case.ref, wish)) is Refusal.REFUND_OUT_OF_RANGE


async def test_a_note_too_long_is_refused_by_field(desk: Desk) -> None:
    case = await desk.case()
    answer = await desk.cases.offer(desk.market.owner, case.ref, MakeOffer(kind=Remedy.FULL_REFUND, note="字" * 501))
    assert isinstance(answer, Refused)
    assert set(answer.fields) == {"note"}


@pytest.mark.parametrize(
    ("demand", "amount", "escrow", "state"),
    [
        (Remedy.FULL_REFUND, 0, ("refunded", PRICE, 0, 0), OrderState.REFUNDED),
        (Remedy.PARTIAL_REFUND, 5000, ("split", 5000, 4650, 93), OrderState.PARTLY_REFUNDED),
        (Remedy.REPLACEMENT, 0, ("held", 0, 0, 0), OrderState.DELIVERED),
    ],
)
async def test_the_merchant_grants_the_demand_at_once(
    desk: Desk, demand: Remedy, amount: int, escrow: tuple[str, int, int, int], state: OrderState
) -> None:
    case = await desk.case(OpenCase(claim="other", demand=demand, demand_minor=amount, statement="请处理。"))
    granted = seen(await desk.cases.accept_demand(desk.market.owner, case.ref))
    assert (granted.stage, granted.order.state) == (Stage.SETTLED, state)
    assert await desk.escrow(case) == escrow
    assert [offer.state for offer in granted.offers] == [OfferState.ACCEPTED]
    assert not granted.order.in_case


async def test_a_replacement_delivers_sealed_keys_and_a_new_case_may_follow(desk: Desk) -> None:
    case, owner = await desk.case(), desk.market.owner
    desk.pass_time(timedelta(hours=1))
    offered = seen(await desk.cases.offer(owner, case.ref, MakeOffer(kind=Remedy.REPLACEMENT)))
    settled = seen(await desk.cases.accept(desk.market.buyer, case.ref, offered.offers[0].offer_id))
    assert settled.order.state is OrderState.DELIVERED
    assert [(key.generation, key.state) for key in settled.order.keys] == [(0, "replaced"), (1, "sealed")]
    again = seen(await desk.cases.open(desk.market.buyer, case.order.ref, WISH))
    assert again.ref != case.ref
    # Rules read the delivery of the order itself, which the replacement moved by an hour.
    assert next(e.at for e in again.order.events if e.kind == "delivered") == again.order.paid_at
    assert again.order.delivered_at != again.order.paid_at


async def test_a_replacement_without_stock_leaves_everything_as_it_was(database: Database, tmp_path: Path) -> None:
    desk = await Desk.ready(database, tmp_path, keys=1)
    case, owner = await desk.case(), desk.market.owner
    offered = seen(await desk.cases.offer(owner, case.ref, MakeOffer(kind=Remedy.REPLACEMENT)))
    offer_id = offered.offers[0].offer_id
    assert code(await desk.cases.accept(desk.market.buyer, case.ref, offer_id)) is Refusal.SOLD_OUT
    after = seen(await desk.cases.case(desk.market.buyer, case.ref))
    assert (after.stage, after.open_offer) == (Stage.NEGOTIATION, offered.open_offer)
    assert await desk.escrow(case) == ("disputed", 0, 0, 0)


async def test_keys_never_opened_are_not_replaced(desk: Desk) -> None:
    wish = OpenCase(claim="other", demand=Remedy.REPLACEMENT, statement="换一张。")
    case = await desk.case(wish, opened=False)
    assert code(await desk.cases.accept_demand(desk.market.owner, case.ref)) is Refusal.NOTHING_TO_REPLACE


async def test_an_answer_needs_words_and_the_merchants_turn(desk: Desk) -> None:
    case, owner = await desk.case(), desk.market.owner
    assert code(await desk.cases.answer(desk.market.buyer, case.ref, "")) is Refusal.NOT_ALLOWED
    assert code(await desk.cases.answer(owner, case.ref, "  ")) is Refusal.INVALID_FIELDS
    answered = seen(await desk.cases.answer(owner, case.ref, "我们发出时是好的。"))
    assert (answered.turn, answered.answered_at) == (Turn.BUYER, desk.clock.at)
    assert code(await desk.cases.answer(owner, case.ref, "再说一次。")) is Refusal.NOT_YOUR_TURN


async def test_a_silent_merchant_lifts_the_case_by_itself(desk: Desk) -> None:
    case = await desk.case()
    desk.pass_time(48 * HOUR - HOUR / 60)
    assert await desk.cases.tick() == 0
    desk.pass_time(HOUR / 60)
    assert (await desk.cases.tick(), await desk.cases.tick()) == (1, 0)
    risen = seen(await desk.cases.case(desk.market.buyer, case.ref))
    assert (risen.stage, risen.turn, risen.rose_why) == (Stage.SUPPORT, Turn.SUPPORT, RoseWhy.MERCHANT_SILENT)
    assert risen.due_at == desk.clock.at + 48 * HOUR
    for account in (desk.market.buyer, desk.market.owner):
        assert "「测试点卡」的纠纷：已转给客服处理" in await desk.subjects(account)


async def test_a_silent_buyer_loses_nothing(desk: Desk) -> None:
    case = await desk.case()
    await desk.cases.answer(desk.market.owner, case.ref, "请提供截图。")
    desk.pass_time(48 * HOUR)
    assert await desk.cases.tick() == 1
    risen = seen(await desk.cases.case(desk.market.owner, case.ref))
    assert (risen.stage, risen.rose_why) == (Stage.SUPPORT, RoseWhy.BUYER_SILENT)
    assert (await desk.escrow(case))[0] == "disputed"


async def test_more_cases_than_a_batch_rise_in_one_tick(database: Database, tmp_path: Path) -> None:
    desk = await Desk.ready(database, tmp_path, keys=101)
    for _ in range(101):
        order_id = await paid_order(database, desk.market, now=desk.clock.at)
        seen(await desk.cases.open(desk.market.buyer, desk.order_ref(order_id), WISH))
    desk.pass_time(48 * HOUR)
    assert await desk.cases.tick() == 101


async def test_support_past_its_time_shows_as_overdue_until_the_case_rises(desk: Desk) -> None:
    case = await desk.at_support()
    assert not case.is_overdue
    desk.pass_time(49 * HOUR)
    queue = await desk.cases.queue(desk.market.staff)
    assert not isinstance(queue, Refused)
    assert [(card.ref, card.is_overdue, card.amount_minor) for card in queue] == [(case.ref, True, PRICE)]
    assert await desk.cases.tick() == 1
    risen = seen(await desk.cases.case(desk.market.buyer, case.ref))
    assert (risen.stage, risen.turn, risen.rose_why) == (Stage.PANEL, Turn.PANEL, RoseWhy.SUPPORT_LATE)
    assert risen.due_at == desk.clock.at + 72 * HOUR
    assert await desk.cases.queue(desk.market.staff) == []


async def test_either_side_calls_support_when_it_may(desk: Desk) -> None:
    case, buyer, owner = await desk.case(), desk.market.buyer, desk.market.owner
    assert code(await desk.cases.escalate(buyer, case.ref)) is Refusal.NOT_YOUR_TURN
    assert code(await desk.cases.escalate(owner, case.ref)) is Refusal.NOT_YOUR_TURN
    desk.pass_time(24 * HOUR)
    risen = seen(await desk.cases.escalate(buyer, case.ref))
    assert (risen.stage, risen.rose_why) == (Stage.SUPPORT, RoseWhy.BUYER_ASKED)
    other = await desk.case()
    await desk.cases.answer(owner, other.ref, "不同意。")
    assert seen(await desk.cases.escalate(owner, other.ref)).rose_why is RoseWhy.MERCHANT_ASKED


async def test_a_withdrawn_case_lets_the_clock_run_at_least_a_day(desk: Desk) -> None:
    case, buyer = await desk.case(), desk.market.buyer
    await desk.cases.offer(desk.market.owner, case.ref, MakeOffer(kind=Remedy.FULL_REFUND))
    assert code(await desk.cases.withdraw(desk.market.owner, case.ref)) is Refusal.NOT_ALLOWED
    desk.pass_time(100 * HOUR)
    withdrawn = seen(await desk.cases.withdraw(buyer, case.ref))
    assert (withdrawn.stage, withdrawn.offers[0].state) == (Stage.WITHDRAWN, OfferState.LAPSED)
    assert withdrawn.order.escrow is not None
    assert withdrawn.order.escrow.due_at == desk.clock.at + 72 * HOUR
    late = await desk.case()
    await desk.database.execute("UPDATE escrow SET remaining = interval '1 minute' WHERE state = 'disputed'")
    late = seen(await desk.cases.withdraw(buyer, late.ref))
    assert late.order.escrow is not None
    assert late.order.escrow.due_at == desk.clock.at + 24 * HOUR


async def test_after_two_withdrawals_the_release_can_not_be_frozen_again(desk: Desk) -> None:
    buyer = desk.market.buyer
    first = await desk.case()
    await desk.cases.withdraw(buyer, first.ref)
    again = seen(await desk.cases.open(buyer, first.order.ref, WISH))
    await desk.cases.withdraw(buyer, again.ref)
    assert code(await desk.cases.open(buyer, first.order.ref, WISH)) is Refusal.CASE_LIMIT
    order = await desk.orders.order(buyer, first.order.ref)
    assert isinstance(order, OrderView)
    assert order.escrow is not None
    assert (order.escrow.state, order.in_case) == ("held", False)


async def test_support_without_the_staff_check_sees_no_case(desk: Desk) -> None:
    case = await desk.case()
    unchecked = person(desk.market.staff_id, Role.SUPPORT)
    assert code(await desk.cases.case(unchecked, case.ref)) is Refusal.NOT_FOUND
    assert code(await desk.cases.say(unchecked, case.ref, "在吗")) is Refusal.NOT_FOUND


@pytest.mark.parametrize(
    ("outcome", "amount", "escrow", "state"),
    [
        (Outcome.FULL_REFUND, 0, ("refunded", PRICE, 0, 0), OrderState.REFUNDED),
        (Outcome.PARTIAL_REFUND, 4825, ("split", 4825, 4825, 96), OrderState.PARTLY_REFUNDED),
        (Outcome.NO_REFUND, 0, ("released", 0, PRICE, 193), OrderState.CONFIRMED),
    ],
)
async def test_a_ruling_moves_the_money_and_shows_its_reasons_to_both(
    desk: Desk, outcome: Outcome, amount: int, escrow: tuple[str, int, int, int], state: OrderState
) -> None:
    case = await desk.at_support()
    wish = Rule(shares=MERCHANTS, outcome=outcome, refund_minor=amount, facts="查明的事实。", reasons="裁决的理由。")
    ruled = await desk.ruled(case, wish)
    # Until the time for a review is over the money stays where it is.
    assert (ruled.stage, ruled.turn, await desk.escrow(case)) == (Stage.RULED_OPEN, Turn.PARTIES, ("disputed", 0, 0, 0))
    assert ruled.due_at == desk.clock.at + 168 * HOUR
    desk.pass_time(168 * HOUR)
    assert await desk.cases.tick() == 1
    assert await desk.escrow(case) == escrow
    for viewer in (desk.market.buyer, desk.market.owner):
        ruled = seen(await desk.cases.case(viewer, case.ref))
        assert (ruled.stage, ruled.order.state) == (Stage.EXECUTED, state)
        assert ruled.ruling is not None
        assert (ruled.ruling.facts, ruled.ruling.reasons) == ("查明的事实。", "裁决的理由。")
        assert "最终" not in "".join(line.text for line in ruled.timeline)
        assert any(
            subject.startswith("「测试点卡」的纠纷：客服作出了裁决：") for subject in await desk.subjects(viewer)
        )


async def test_a_ruling_needs_facts_reasons_and_a_range(desk: Desk) -> None:
    case, staff = await desk.at_support(), desk.market.staff
    seen(await desk.ladder.first_view(staff, case.ref, FIRST_VIEW))
    empty = await desk.ladder.rule(
        staff, case.ref, Rule(shares=MERCHANTS, outcome=Outcome.NO_REFUND, facts=" ", reasons="")
    )
    assert isinstance(empty, Refused)
    assert (empty.code, set(empty.fields)) == (Refusal.INVALID_FIELDS, {"facts", "reasons"})
    whole = Rule(shares=MERCHANTS, outcome=Outcome.PARTIAL_REFUND, refund_minor=PRICE, facts="事实", reasons="理由")
    assert code(await desk.ladder.rule(staff, case.ref, whole)) is Refusal.REFUND_OUT_OF_RANGE


async def test_who_may_rule(desk: Desk) -> None:
    case, market = await desk.case(), desk.market
    assert code(await desk.ladder.rule(market.staff, case.ref, REFUND_ALL)) is Refusal.NOT_YOUR_TURN
    desk.pass_time(48 * HOUR)
    await desk.cases.tick()
    unchecked = person(market.staff_id, Role.SUPPORT)
    assert code(await desk.ladder.rule(unchecked, case.ref, REFUND_ALL)) is Refusal.STAFF_CHECK_REQUIRED
    for party in (market.buyer_id, market.owner_id):
        recused = person(party, Role.SUPPORT, staff_checked=True)
        assert code(await desk.ladder.rule(recused, case.ref, REFUND_ALL)) is Refusal.NOT_ALLOWED
        queue = await desk.cases.queue(recused)
        assert queue == []
    assert code(await desk.ladder.rule(market.buyer, case.ref, REFUND_ALL)) is Refusal.NOT_ALLOWED
    stranger = person(await open_account(desk.database))
    assert code(await desk.ladder.rule(stranger, case.ref, REFUND_ALL)) is Refusal.NOT_FOUND


async def test_a_stranger_finds_nothing(desk: Desk) -> None:
    case = await desk.case()
    stranger = person(await open_account(desk.database), Role.MERCHANT)
    other = await seed_market(desk.database)
    cases = desk.cases
    for who in (stranger, other.owner):
        answers = [
            await cases.case(who, case.ref),
            await cases.say(who, case.ref, "你好"),
            await cases.offer(who, case.ref, MakeOffer(kind=Remedy.FULL_REFUND)),
            await cases.accept(who, case.ref, 1),
            await cases.accept_demand(who, case.ref),
            await cases.withdraw(who, case.ref),
            await cases.escalate(who, case.ref),
            await cases.preview(who, case.ref, 1),
            await cases.original(who, case.ref, 1),
            await cases.shop_cases(who, desk.market.shop_id),
        ]
        assert {code(answer) for answer in answers} == {Refusal.NOT_FOUND}
        assert code(await cases.queue(who)) is Refusal.NOT_ALLOWED
    for ref in ("nonsense", "1-1"):
        assert code(await cases.case(desk.market.buyer, ref)) is Refusal.NOT_FOUND
        assert code(await cases.accept_demand(desk.market.owner, ref)) is Refusal.NOT_FOUND


async def test_lists_show_each_side_its_own(desk: Desk) -> None:
    first, second = await desk.case(), await desk.case()
    mine = await desk.cases.my_cases(desk.market.buyer)
    shops = await desk.cases.shop_cases(desk.market.owner, desk.market.shop_id)
    assert not isinstance(shops, Refused)
    assert [card.ref for card in mine] == [card.ref for card in shops] == [second.ref, first.ref]
    assert [card.ref for card in await desk.cases.my_cases(desk.market.buyer, second.ref)] == [first.ref]
    assert await desk.cases.my_cases(desk.market.owner) == []
    card: CaseCard = mine[0]
    assert (card.title, card.shop_name, card.has_open_offer) == ("测试点卡", "测试店铺", False)
    assert (card.held_minor, card.demand_label) == (PRICE, "全额退款 ¥96.50")


async def test_in_production_the_database_clock_decides(desk: Desk) -> None:
    cases = CaseService(
        database=desk.database,
        clock=DatabaseClock(),
        ids=IdSource(),
        orders=desk.orders,
        evidence=desk.evidence,
        notices=desk.notices,
        rulebook=desk.rulebook,
    )
    before = await desk.database.fetchval("SELECT clock_timestamp()")
    case = seen(await cases.open(desk.market.buyer, desk.order_ref(await desk.bought()), WISH))
    assert before <= case.opened_at <= await desk.database.fetchval("SELECT clock_timestamp()")
    assert case.due_at == case.opened_at + 48 * HOUR
    assert await cases.tick() == 0


async def test_hot_reads_of_cases_use_their_index(desk: Desk) -> None:
    await desk.case()
    queries = load_queries("kabao.cases")
    ladder = load_queries("kabao.cases.ladder")
    desk_queries = load_queries("kabao.cases.desk")
    queued = (1, True, True, None, "mine", HOUR, "", "", 0, 2**62, "", "", NOON, 0, 0, 31)
    first = (None, NOON, 0, 0, 100)
    for query, index, arguments in (
        (ladder.due_cases, "cases_due", first),
        (ladder.visible_submissions, "ruling_submission_due", first),
        (ladder.unseated_cases, "cases_due", first),
        (queries.cases_of_buyer, "cases_by_buyer", (1, 2**62, 50, None)),
        (desk_queries.queue, "cases_due", queued),
        (desk_queries.counts, "cases_due", (1, True, True, None, HOUR, "", "", 0, 2**62, "", 1000)),
    ):
        async with desk.database.transaction() as conn:
            await conn.execute("SET LOCAL enable_seqscan = off")
            plan = await conn.fetch(f"EXPLAIN {query}", *arguments)
        assert any(index in row[0] for row in plan), index
