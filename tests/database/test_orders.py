"""An order from placing to settling, and what each payment notice ends in."""

import hmac
from datetime import timedelta

import asyncpg
import pytest

from kabao.custody import PaymentNotice
from kabao.identity import Role
from kabao.kernel import FixedClock, Refusal, Refused, parse_ref
from kabao.orders import STEPS, OrderState, PlaceOrder
from kabao.postgres import Database
from market import NOON, PHONE, Market, open_account, person, seed_market, stock
from orderdesk import Desk


@pytest.fixture
async def market(owner_database: Database) -> Market:
    return await seed_market(owner_database)


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk.on(database, NOON)


def advance(desk: Desk, **by: float) -> None:
    assert isinstance(desk.clock, FixedClock)
    desk.clock.advance(timedelta(**by))


async def free_keys(desk: Desk, market: Market) -> int:
    return int(
        await desk.database.fetchval(
            "SELECT count(*) FROM card_key WHERE shop_id = $1 AND state = 'available'", market.shop_id
        )
    )


async def test_the_database_knows_the_same_steps_as_the_code(desk: Desk) -> None:
    rows = await desk.database.fetch("SELECT previous, state FROM order_step")
    assert {(row["previous"], row["state"]) for row in rows} == {(a, b.value) for a, b in STEPS}


async def test_a_key_is_bought_opened_confirmed_and_paid_out_less_the_fee(desk: Desk, market: Market) -> None:
    ref = await desk.place(market)
    placed = await desk.see(market.buyer, ref)
    assert (placed.state, placed.escrow, placed.allowed) == ("placed", None, {"say", "pay", "cancel"})
    assert (placed.is_released, placed.at_stake_minor) == (False, 0)
    await desk.pay(market.buyer, ref)
    paid = await desk.see(market.buyer, ref)
    assert paid.state is OrderState.DELIVERED
    assert paid.escrow is not None
    assert (paid.escrow.state, paid.escrow.held_minor) == ("held", 9650)
    assert paid.escrow.due_at == NOON + timedelta(hours=72)
    assert [slot.state for slot in paid.keys] == ["sealed"]
    keys = await desk.reveal(market, ref)
    assert len(keys) == 1
    assert await desk.reveal(market, ref) == keys
    opened = await desk.see(market.buyer, ref)
    assert opened.state is OrderState.OPENED
    assert opened.keys[0].receipt_digest is not None
    assert opened.keys[0].device == PHONE.device
    confirmed = await desk.orders.confirm(market.buyer, ref)
    assert not isinstance(confirmed, Refused)
    assert (confirmed.released_minor, confirmed.fee_minor) == (9650, 193)
    assert await desk.runner.run() == 1
    settled = await desk.see(market.owner, ref)
    assert settled.state is OrderState.SETTLED
    assert settled.role == "merchant"
    assert settled.buyer_name == "小**"
    assert [event.kind for event in settled.events] == [
        "placed",
        "paid",
        "delivered",
        "opened",
        "confirmed",
        "paid_out",
    ]
    assert [(move.kind, move.state) for move in settled.money_moves] == [("payment", "done"), ("release", "done")]
    await desk.assert_books_balance()


async def test_a_sealed_key_is_refunded_at_once_and_returns_to_stock(desk: Desk, market: Market) -> None:
    ref = await desk.bought(market)
    assert await free_keys(desk, market) == 4
    refunded = await desk.orders.refund_sealed(market.buyer, ref)
    assert not isinstance(refunded, Refused)
    assert (refunded.refunded_minor, refunded.state) == (9650, "refunded")
    assert await free_keys(desk, market) == 5
    assert [(m.kind, m.state) for m in (await desk.see(market.buyer, ref)).money_moves] == [
        ("payment", "done"),
        ("refund", "pending"),
    ]
    await desk.runner.run()
    assert (await desk.see(market.buyer, ref)).money_moves[-1].state == "done"
    again = await desk.orders.refund_sealed(market.buyer, ref)
    assert again == Refused(Refusal.ALREADY_REFUNDED)
    assert await desk.orders.reveal(market.buyer, ref, None, PHONE) == Refused(Refusal.KEY_TAKEN_BACK)
    await desk.assert_books_balance()


async def test_of_three_keys_one_is_opened_and_the_two_sealed_ones_are_refunded(desk: Desk, market: Market) -> None:
    ref = await desk.bought(market, quantity=3)
    await desk.reveal(market, ref, [2])
    refunded = await desk.orders.refund_sealed(market.buyer, ref)
    assert not isinstance(refunded, Refused)
    assert (refunded.refunded_minor, refunded.state) == (19_300, "opened")
    view = await desk.see(market.buyer, ref)
    assert view.escrow is not None
    assert (view.escrow.held_minor, view.escrow.state) == (9650, "held")
    assert await desk.orders.refund_sealed(market.buyer, ref) == Refused(Refusal.ALREADY_OPENED)
    confirmed = await desk.orders.confirm(market.buyer, ref)
    assert not isinstance(confirmed, Refused)
    assert confirmed.released_minor == 9650
    await desk.runner.run()
    assert (await desk.see(market.buyer, ref)).state is OrderState.SETTLED
    await desk.assert_books_balance()


async def test_a_replayed_notice_changes_nothing(desk: Desk, market: Market) -> None:
    ref = await desk.place(market)
    payment = await desk.pay(market.buyer, ref)
    for _ in range(3):
        assert await desk.sandbox.notify(payment, desk.sink)
    assert (await desk.assert_books_balance()).transfers == 1


async def test_who_paid_is_kept_as_a_mark_that_only_our_key_makes(desk: Desk, market: Market) -> None:
    refs = [await desk.place(market) for _ in range(3)]
    for ref, payer in zip(refs, ("小王的卡", "小王的卡", ""), strict=True):
        path = await desk.orders.checkout(market.buyer, ref)
        await desk.pay_at(path, payer=payer)
    marks = [row["mark"] for row in await desk.database.fetch("SELECT mark FROM payment_payer")]
    first = await desk.database.fetchrow(
        "SELECT payer, payment_id, merchant_ref FROM sandbox.payment WHERE payer <> ''"
    )
    assert first is not None
    named, payment, ref = first
    assert marks == [hmac.digest(b"p" * 32, f"sandbox\0{named}".encode(), "sha256")] * 2
    # A repeat that says another account paid is no repeat; one without a word about it is.
    for payer, taken in ((named, True), ("", True), ("PAOTHER", False)):
        notice = PaymentNotice(
            payment_id=payment, merchant_ref=ref, amount_minor=9650, currency="CNY", paid_at="x", payer=payer
        )
        body = desk.sandbox.notice_body(notice)
        assert await desk.sink(body, desk.sandbox.sign(body)) is taken
    assert await desk.database.fetchval("SELECT count(*) FROM payment_payer") == 2
    await desk.assert_books_balance()


async def test_a_second_payment_is_refunded_by_itself(desk: Desk, market: Market) -> None:
    ref = await desk.place(market)
    path = await desk.orders.checkout(market.buyer, ref)
    assert isinstance(path, str)
    checkout = path.rpartition("/")[2]
    for _ in range(2):
        payment = await desk.sandbox.pay(checkout)
        assert payment is not None
        assert await desk.sandbox.notify(payment, desk.sink)
    assert await desk.runner.run() == 1
    view = await desk.see(market.buyer, ref)
    assert view.state is OrderState.DELIVERED
    assert [(m.kind, m.amount_minor, m.state, m.outcome) for m in view.money_moves] == [
        ("payment", 9650, "done", "applied"),
        ("payment", 9650, "done", "second_payment"),
        ("refund", 9650, "done", None),
    ]
    await desk.assert_books_balance()


@pytest.mark.parametrize(("amount", "currency"), [(9649, None), (9651, None), (9650, "USD")])
async def test_a_payment_of_a_wrong_amount_or_currency_goes_back_whole_and_the_order_stays_placed(
    desk: Desk, market: Market, amount: int, currency: str | None
) -> None:
    ref = await desk.place(market)
    await desk.pay(market.buyer, ref, amount, currency)
    assert (await desk.see(market.buyer, ref)).state is OrderState.PLACED
    assert await desk.runner.run() == 1
    await desk.assert_books_balance()
    await desk.pay(market.buyer, ref)
    assert (await desk.see(market.buyer, ref)).state is OrderState.DELIVERED


async def test_a_late_payment_is_taken_while_stock_remains(desk: Desk, market: Market) -> None:
    ref = await desk.place(market)
    path = await desk.orders.checkout(market.buyer, ref)
    assert isinstance(path, str)
    advance(desk, minutes=16)
    assert (await desk.sweep.tick()).expired == 1
    assert (await desk.see(market.buyer, ref)).state is OrderState.EXPIRED
    assert await desk.orders.checkout(market.buyer, ref) == Refused(Refusal.ORDER_EXPIRED)
    payment = await desk.sandbox.pay(path.rpartition("/")[2])
    assert payment is not None
    assert await desk.sandbox.notify(payment, desk.sink)
    taken = await desk.see(market.buyer, ref)
    assert (taken.state, taken.ended_at) == (OrderState.DELIVERED, None)
    await desk.assert_books_balance()


async def test_a_late_payment_without_stock_goes_back(desk: Desk, owner_database: Database) -> None:
    market = await seed_market(owner_database, keys=1)
    ref = await desk.place(market)
    path = await desk.orders.checkout(market.buyer, ref)
    assert isinstance(path, str)
    advance(desk, minutes=16)
    assert (await desk.sweep.tick()).expired == 1
    other = person(await open_account(owner_database))
    await desk.bought(market, other)
    payment = await desk.sandbox.pay(path.rpartition("/")[2])
    assert payment is not None
    assert await desk.sandbox.notify(payment, desk.sink)
    view = await desk.see(market.buyer, ref)
    assert (view.state, view.money_moves[0].outcome) == ("expired", "late_refunded")
    await desk.runner.run()
    await desk.assert_books_balance()


async def test_a_payment_for_a_cancelled_order_goes_back(desk: Desk, market: Market) -> None:
    ref = await desk.place(market)
    path = await desk.orders.checkout(market.buyer, ref)
    assert isinstance(path, str)
    assert await desk.orders.cancel(market.buyer, ref) is None
    assert await desk.orders.cancel(market.buyer, ref) is None
    assert await free_keys(desk, market) == 5
    payment = await desk.sandbox.pay(path.rpartition("/")[2])
    assert payment is not None
    assert await desk.sandbox.notify(payment, desk.sink)
    await desk.runner.run()
    assert (await desk.see(market.buyer, ref)).state is OrderState.CANCELLED
    await desk.assert_books_balance()


async def test_notices_that_are_forged_malformed_or_contradictory_book_nothing(desk: Desk, market: Market) -> None:
    ref = await desk.place(market)
    payment = await desk.pay(market.buyer, ref)
    good = PaymentNotice(payment_id=payment, merchant_ref=ref, amount_minor=1, currency="CNY", paid_at="x")
    body = desk.sandbox.notice_body(good)
    assert await desk.orders.take_notice(body, "AAAA") == Refused(Refusal.SIGNATURE_WRONG)
    assert await desk.orders.take_notice(body, "not base64!") == Refused(Refusal.SIGNATURE_WRONG)
    assert await desk.orders.take_notice(b"[]", desk.sandbox.sign(b"[]")) == Refused(Refusal.NOTICE_MALFORMED)
    assert await desk.orders.take_notice(body, desk.sandbox.sign(body)) == Refused(Refusal.NOTICE_CONTRADICTS)
    for strange in ("nonsense", "7-ZZZZZZ"):
        lost = PaymentNotice(payment_id="p", merchant_ref=strange, amount_minor=1, currency="CNY", paid_at="x")
        body = desk.sandbox.notice_body(lost)
        assert await desk.orders.take_notice(body, desk.sandbox.sign(body)) == Refused(Refusal.NOT_FOUND)
    assert (await desk.assert_books_balance()).transfers == 1


async def test_the_same_idempotency_key_answers_the_same_order(desk: Desk, market: Market) -> None:
    first = await desk.orders.place(market.buyer, desk.wish(market, key="once"))
    again = await desk.orders.place(market.buyer, desk.wish(market, key="once"))
    assert not isinstance(first, Refused)
    assert not isinstance(again, Refused)
    assert (again.ref, again.replayed) == (first.ref, True)
    assert await free_keys(desk, market) == 4
    other = await desk.orders.place(market.buyer, desk.wish(market, quantity=2, key="once"))
    assert other == Refused(Refusal.IDEMPOTENCY_KEY_REUSED)


def changed(wish: PlaceOrder, **fields: object) -> PlaceOrder:
    return PlaceOrder(**{name: fields.get(name, getattr(wish, name)) for name in wish.__struct_fields__})


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"listing_ref": "nonsense"}, Refusal.NOT_FOUND),
        ({"listing_ref": "7-ZZZZ"}, Refusal.NOT_FOUND),
        ({"snapshot_no": 2}, Refusal.NOT_FOUND),
        ({"confirmed": []}, Refusal.NOTICE_UNCONFIRMED),
        ({"quantity": 11}, Refusal.QUANTITY_OUT_OF_RANGE),
        ({"quantity": 0}, Refusal.QUANTITY_OUT_OF_RANGE),
        ({"quantity": -1}, Refusal.QUANTITY_OUT_OF_RANGE),
        ({"quantity": 2**40}, Refusal.QUANTITY_OUT_OF_RANGE),
        ({"quantity": 6}, Refusal.SOLD_OUT),
        ({"idempotency_key": ""}, Refusal.IDEMPOTENCY_KEY_MISSING),
        ({"idempotency_key": "x" * 201}, Refusal.IDEMPOTENCY_KEY_MISSING),
        ({"idempotency_key": "a\x00b"}, Refusal.IDEMPOTENCY_KEY_MISSING),
    ],
)
async def test_a_refused_order_changes_nothing(
    desk: Desk, market: Market, fields: dict[str, object], refusal: Refusal
) -> None:
    wish = changed(desk.wish(market), **fields)
    assert await desk.orders.place(market.buyer, wish) == Refused(refusal)
    assert await free_keys(desk, market) == 5
    assert await desk.orders.my_orders(market.buyer) == []


async def test_the_owner_cannot_buy_and_a_paused_or_changed_listing_is_not_sold(
    desk: Desk, market: Market, owner_database: Database
) -> None:
    assert await desk.orders.place(market.owner, desk.wish(market)) == Refused(Refusal.OWN_SHOP)
    await owner_database.execute("UPDATE listing SET snapshot_no = 2 WHERE shop_id = $1", market.shop_id)
    assert await desk.orders.place(market.buyer, desk.wish(market)) == Refused(Refusal.LISTING_CHANGED)
    await owner_database.execute("UPDATE listing SET state = 'paused' WHERE shop_id = $1", market.shop_id)
    assert await desk.orders.place(market.buyer, desk.wish(market)) == Refused(Refusal.NOT_ON_SALE)


async def test_unpaid_orders_are_capped_per_buyer_and_a_cancelled_one_frees_its_place(
    desk: Desk, market: Market
) -> None:
    refs = [await desk.place(market) for _ in range(3)]
    assert await desk.orders.place(market.buyer, desk.wish(market)) == Refused(Refusal.TOO_MANY_UNPAID)
    await desk.orders.cancel(market.buyer, refs[1])
    await desk.place(market)


async def test_strangers_find_nothing(desk: Desk, market: Market, owner_database: Database) -> None:
    ref = await desk.bought(market)
    stranger = person(await open_account(owner_database))
    missing = Refused(Refusal.NOT_FOUND)
    for somebody in (stranger, market.owner, market.staff):
        assert await desk.orders.reveal(somebody, ref, None, PHONE) == missing
        assert await desk.orders.refund_sealed(somebody, ref) == missing
        assert await desk.orders.confirm(somebody, ref) == missing
        assert await desk.orders.cancel(somebody, ref) == missing
        assert await desk.orders.checkout(somebody, ref) == missing
        assert await desk.orders.opened_keys(somebody, ref, PHONE) == missing
    assert await desk.orders.order(stranger, ref) == missing
    assert await desk.orders.order(market.staff, ref) == missing
    at = parse_ref(ref)
    assert at is not None
    assert await desk.orders.shop_orders(stranger, at.shop_id) == []
    assert len(await desk.orders.shop_orders(market.owner, at.shop_id, "held")) == 1


@pytest.mark.parametrize("ref", ["", "x", "7-", "7-1", "../../etc", "7-ZZZZZZZZZZZZZ"])
async def test_references_that_are_none_are_not_found(desk: Desk, market: Market, ref: str) -> None:
    missing = Refused(Refusal.NOT_FOUND)
    buyer = market.buyer
    assert await desk.orders.order(buyer, ref) == missing
    assert await desk.orders.checkout(buyer, ref) == missing
    assert await desk.orders.confirm(buyer, ref) == missing
    assert await desk.orders.refund_sealed(buyer, ref) == missing
    assert await desk.orders.cancel(buyer, ref) == missing
    assert await desk.orders.reveal(buyer, ref, None, PHONE) == missing
    assert await desk.orders.opened_keys(buyer, ref, PHONE) == missing


async def test_unpaid_orders_have_no_money_to_move_and_paid_ones_cannot_be_cancelled(
    desk: Desk, market: Market
) -> None:
    ref = await desk.place(market)
    assert await desk.orders.confirm(market.buyer, ref) == Refused(Refusal.NOT_PAID)
    assert await desk.orders.refund_sealed(market.buyer, ref) == Refused(Refusal.NOT_PAID)
    assert await desk.orders.reveal(market.buyer, ref, None, PHONE) == Refused(Refusal.NOT_PAID)
    await desk.pay(market.buyer, ref)
    assert await desk.orders.cancel(market.buyer, ref) == Refused(Refusal.ALREADY_PAID_OR_ENDED)
    assert await desk.orders.checkout(market.buyer, ref) == Refused(Refusal.ALREADY_PAID_OR_ENDED)
    assert await desk.orders.reveal(market.buyer, ref, [2], PHONE) == Refused(Refusal.KEY_TAKEN_BACK)
    assert await desk.orders.reveal(market.buyer, ref, [2**40], PHONE) == Refused(Refusal.KEY_TAKEN_BACK)


async def test_opened_keys_reads_without_opening(desk: Desk, market: Market) -> None:
    ref = await desk.bought(market, quantity=2)
    nothing = await desk.orders.opened_keys(market.buyer, ref, PHONE)
    assert not isinstance(nothing, Refused)
    assert nothing.keys == []
    await desk.reveal(market, ref, [1])
    read = await desk.orders.opened_keys(market.buyer, ref, PHONE)
    assert not isinstance(read, Refused)
    assert [(key.pos, read.first_time) for key in read.keys] == [(1, False)]
    assert "KEY-" not in repr(read)


async def test_lists_show_what_waits(desk: Desk, market: Market) -> None:
    sealed, opened, unpaid = (await desk.bought(market), await desk.bought(market), await desk.place(market))
    await desk.reveal(market, opened)
    for tab, refs in {
        "all": [unpaid, opened, sealed],
        "sealed": [sealed],
        "opened": [opened],
        "unpaid": [unpaid],
    }.items():
        assert [row.ref for row in await desk.orders.my_orders(market.buyer, tab)] == refs
    first = (await desk.orders.my_orders(market.buyer))[0]
    assert [row.ref for row in await desk.orders.my_orders(market.buyer, "all", first.order_id)] == [opened, sealed]
    assert [row.ref for row in await desk.orders.shop_orders(market.owner, market.shop_id, "unpaid")] == [unpaid]
    held = await desk.orders.held(market.shop_id)
    assert held == {"held_minor": 19_300, "disputed_minor": 0, "disputed": 0}


async def test_a_case_freezes_resolves_and_replaces(desk: Desk, market: Market, owner_database: Database) -> None:
    ref = await desk.bought(market)
    await desk.reveal(market, ref)
    at = parse_ref(ref)
    assert at is not None
    shop, order = at.shop_id, (await desk.see(market.buyer, ref)).order_id
    async with desk.database.transaction() as conn:
        assert await desk.orders.freeze(conn, shop, order, market.buyer_id, "buyer") == 9650
        assert await desk.orders.freeze(conn, shop, order, market.buyer_id, "buyer") == Refused(Refusal.IN_CASE)
    frozen = await desk.see(market.buyer, ref)
    assert frozen.in_case
    assert frozen.escrow is not None
    assert frozen.escrow.due_at is None
    assert frozen.escrow.remaining_seconds == 72 * 3600
    assert await desk.orders.confirm(market.buyer, ref) == Refused(Refusal.IN_CASE)
    assert await desk.orders.refund_sealed(market.buyer, ref) == Refused(Refusal.IN_CASE)
    async with desk.database.transaction() as conn:
        due = await desk.orders.unfreeze(conn, shop, order, market.buyer_id, "buyer", timedelta(hours=24))
        assert due == NOON + timedelta(hours=72)
        assert await desk.orders.unfreeze(conn, shop, order, 1, "buyer", timedelta()) == Refused(Refusal.NOT_IN_CASE)
        assert await desk.orders.resolve(conn, shop, order, 1, 1, "buyer", "settled") == Refused(Refusal.NOT_IN_CASE)
        assert await desk.orders.replace(conn, shop, order, 1, "buyer") == Refused(Refusal.NOT_IN_CASE)
        await desk.orders.freeze(conn, shop, order, market.buyer_id, "buyer")
        replaced = await desk.orders.replace(conn, shop, order, market.owner_id, "merchant")
        assert not isinstance(replaced, Refused)
        assert (replaced.count, replaced.due_at) == (1, NOON + timedelta(hours=72))
    fresh = await desk.see(market.buyer, ref)
    assert (fresh.state, [slot.state for slot in fresh.keys]) == ("delivered", ["replaced", "sealed"])
    assert await desk.orders.refund_sealed(market.buyer, ref) == Refused(Refusal.REPLACEMENT_STAYS)
    assert "refund" not in fresh.allowed
    await desk.assert_books_balance()
    await stock(owner_database, market.shop_id, market.listing_id, 1)
    async with desk.database.transaction() as conn:
        await desk.orders.freeze(conn, shop, order, market.buyer_id, "buyer")
        assert await desk.orders.replace(conn, shop, order, 1, "merchant") == Refused(Refusal.NOTHING_TO_REPLACE)
        too_much = await desk.orders.resolve(conn, shop, order, 9651, 1, "support", "ruled")
        assert too_much == Refused(Refusal.REFUND_OUT_OF_RANGE)
        resolved = await desk.orders.resolve(conn, shop, order, 4000, market.staff_id, "support", "ruled")
        assert not isinstance(resolved, Refused)
        assert (resolved.state, resolved.released_minor, resolved.fee_minor) == ("partly_refunded", 5650, 113)
    assert await desk.runner.run() == 2
    await desk.assert_books_balance()


async def test_a_case_that_refunds_everything_takes_sealed_keys_back(desk: Desk, market: Market) -> None:
    ref = await desk.bought(market)
    view = await desk.see(market.buyer, ref)
    async with desk.database.transaction() as conn:
        await desk.orders.freeze(conn, view.shop_id, view.order_id, market.buyer_id, "buyer")
        resolved = await desk.orders.resolve(conn, view.shop_id, view.order_id, 9650, 1, "support", "ruled")
        assert not isinstance(resolved, Refused)
        assert resolved.state is OrderState.REFUNDED
    assert await free_keys(desk, market) == 5
    await desk.assert_books_balance()


async def test_a_case_that_refunds_nothing_releases(desk: Desk, market: Market) -> None:
    ref = await desk.bought(market)
    view = await desk.see(market.buyer, ref)
    async with desk.database.transaction() as conn:
        await desk.orders.freeze(conn, view.shop_id, view.order_id, market.buyer_id, "buyer")
        await desk.orders.resolve(conn, view.shop_id, view.order_id, 0, 1, "support", "ruled")
    await desk.runner.run()
    assert (await desk.see(market.buyer, ref)).state is OrderState.SETTLED
    await desk.assert_books_balance()
    assert await desk.orders.refund_sealed(market.buyer, ref) == Refused(Refusal.ALREADY_RELEASED)


async def test_the_applications_role_cannot_rewrite_history(desk: Desk, market: Market) -> None:
    await desk.bought(market)
    for statement in (
        "DELETE FROM ledger_transfer",
        "UPDATE ledger_transfer SET amount_minor = 1",
        "TRUNCATE ledger_transfer",
        "DELETE FROM order_event",
        "UPDATE payment SET amount_minor = 1",
        "UPDATE listing_snapshot SET price_minor = 1",
        "DELETE FROM reveal_receipt",
        "DELETE FROM escrow",
        "INSERT INTO order_step VALUES ('placed', 'settled')",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await desk.database.execute(statement)


async def test_support_sees_an_order_once_it_has_a_case(desk: Desk, market: Market, owner_database: Database) -> None:
    ref = await desk.bought(market)
    view = await desk.see(market.buyer, ref)
    await owner_database.execute(
        """INSERT INTO cases (shop_id, case_id, order_id, buyer_id, claim, demand, demand_minor, statement,
                              previous, stage, turn, opened_at, stage_since)
           VALUES ($1, 1, $2, $3, 'key_invalid', 'full_refund', 9650, 'x',
                   'none', 'negotiation', 'merchant', now(), now())""",
        view.shop_id,
        view.order_id,
        market.buyer_id,
    )
    assert (await desk.see(market.staff, ref)).role == "support"
    unchecked = person(market.staff_id, Role.SUPPORT)
    assert await desk.orders.order(unchecked, ref) == Refused(Refusal.NOT_FOUND)


async def test_sealed_keys_stay_sealed_while_a_case_is_open_and_opened_ones_can_be_read(
    desk: Desk, market: Market
) -> None:
    ref = await desk.bought(market, quantity=2)
    keys = await desk.reveal(market, ref, [1])
    view = await desk.see(market.buyer, ref)
    async with desk.database.transaction() as conn:
        await desk.orders.freeze(conn, view.shop_id, view.order_id, market.buyer_id, "buyer")
    assert await desk.orders.reveal(market.buyer, ref, None, PHONE) == Refused(Refusal.IN_CASE)
    assert await desk.orders.reveal(market.buyer, ref, [2], PHONE) == Refused(Refusal.IN_CASE)
    assert await desk.reveal(market, ref, [1]) == keys
    assert [slot.state for slot in (await desk.see(market.buyer, ref)).keys] == ["opened", "sealed"]
