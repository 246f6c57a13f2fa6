"""The life of an order in the simulated market: placed, paid (or not), opened, confirmed, refunded, claimed on."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Final

from kabao.cases import MERCHANT_CLAIMS, OpenCase, Remedy
from kabao.custody import CheckoutRequest
from kabao.kernel import Refused, parse_ref
from kabao.orders import PlaceOrder
from kabao.shops import ListingView
from kabao.simulation import cast
from kabao.simulation.auditor import Followed
from kabao.simulation.books import OrderBook
from kabao.simulation.cast import Buyer, Merchant
from kabao.simulation.following import bank_takes_back, check
from kabao.simulation.model import DAY, HOUR
from kabao.simulation.records import Records, look, takes_use
from kabao.simulation.town import DEVICE, Town, granted, pay_in

NOT_HIS: Final = (
    "already_released",
    "still_sealed",
    "case_limit",
    "in_case",
    "already_refunded",
    "claim_days_over",
    "case_closed",
)
"""Why a merchant may rightly not open a case on an order."""
WITHDRAWALS_AT_MOST: Final = 2
"""Cases taken back on one order before no new one may be opened."""


async def shop(town: Town) -> None:
    """Let somebody place an order, and plan what comes of it."""
    buyer = town.rng.choice(town.buyers)
    merchant = town.rng.choice(town.merchants)
    listing = town.rng.choices(merchant.goods, (5, 5, 2))[0]
    quantity = town.rng.choices((1, 2, 3), (80, 14, 6))[0]
    wish = PlaceOrder(
        listing_ref=listing.ref,
        snapshot_no=listing.snapshot_no,
        quantity=quantity,
        confirmed=[notice.notice_id for notice in listing.notices],
        idempotency_key=f"sim-{town.happened['placed']}-{town.happened['tried to place']}",
    )
    town.happened["tried to place"] += 1
    placed = await town.app.orders.place(buyer.person, wish)
    if isinstance(placed, Refused):
        town.took("placed", placed, "sold_out", "too_many_unpaid")
        return
    town.happened["placed"] += 1
    if town.chance(merchant.ways.sells_faulty):
        town.faulty.add(placed.ref)
        if town.chance(cast.CRIMES[merchant.kind]):
            town.criminal.add(placed.ref)
    what = partial(pay, town, buyer, merchant, listing, quantity, placed.ref)
    dice = town.rng.randrange(100)
    if dice < 92:  # noqa: PLR2004  percent
        town.agenda.put(town.now + town.rng.randint(20, 800) * HOUR / 3600, what)
    elif dice < 95:  # noqa: PLR2004  percent; after the keys were no longer reserved
        await town.app.orders.checkout(buyer.person, placed.ref)
        town.later((1, 3), what)
    elif dice < 97:  # noqa: PLR2004  percent
        town.took("cancelled", await town.app.orders.cancel(buyer.person, placed.ref))


async def pay(town: Town, buyer: Buyer, merchant: Merchant, listing: ListingView, quantity: int, ref: str) -> None:
    """Pay an order: mostly once and what it costs."""
    path = await town.app.orders.checkout(buyer.person, ref)
    if isinstance(path, Refused):
        path = f"/{await _checkout_of(town, ref, listing, quantity)}"
    amount = listing.price_minor * quantity
    if town.chance(1):
        await _pay_wrongly(town, path, ref, amount + 1)
        return
    payment = await pay_in(town, path)
    row = granted(await town.app.orders.order(buyer.person, ref))
    if row.escrow is None:
        town.happened["paid too late"] += 1
        town.books.paid_for_nothing(ref, amount)
        return
    town.happened["paid"] += 1
    escrow = listing.terms.escrow_hours * HOUR
    town.books.paid(
        OrderBook(
            ref=ref,
            shop_id=merchant.shop_id,
            amount_minor=amount,
            fee_bps=row.fee_bps,
            placed_at=row.placed_at,
            escrow=escrow,
            release_due=town.now + escrow,
            claim_days=max(listing.terms.claim_days, listing.terms.warranty_days) * DAY,
            sealed=quantity,
        )
    )
    bought = (buyer.person.account_id, merchant.shop_id)
    town.bought[bought] = min(row.placed_at, town.bought.get(bought, row.placed_at))
    if town.chance(3):
        town.happened["closed accounts"] += 1
        await town.app.custody.close_account(payment)
    if town.chance(1):
        await _pay_wrongly(town, path, ref, amount)
    if town.chance(4):
        town.later((2, 300), partial(bank_takes_back, town, ref, payment))
    plan(town, buyer, merchant, ref)


async def _checkout_of(town: Town, ref: str, listing: ListingView, quantity: int) -> str:
    """Find the page of an order that expired meanwhile: it was opened before."""
    request = CheckoutRequest(
        merchant_ref=ref,
        subject=listing.title,
        amount_minor=listing.price_minor * quantity,
        currency="CNY",
        return_path="/",
    )
    return (await town.app.custody.checkout(request)).checkout_id


async def _pay_wrongly(town: Town, path: str, ref: str, amount_minor: int) -> None:
    """Pay a second time or another amount; it goes back whole."""
    town.happened["paid wrongly"] += 1
    payment = await town.app.custody.pay(path.rpartition("/")[2], amount_minor=amount_minor)
    assert payment is not None  # noqa: S101  the page exists
    await town.app.custody.notify(payment, town.app.take_notice)
    town.books.paid_for_nothing(ref, amount_minor)


def plan(town: Town, buyer: Buyer, merchant: Merchant, ref: str) -> None:
    """Plan what a buyer does with what he has got."""
    if town.chance(6):
        town.later((9, 60), partial(claim_on_buyer, town, merchant, buyer, ref))
    ways = buyer.ways
    wants = town.chance(ways.claims_if_faulty if ref in town.faulty else ways.claims_if_good)
    if town.chance(12) and not wants:
        is_shy = town.chance(50)
        back = partial(claim, town, buyer, merchant, ref) if is_shy else partial(refund_sealed, town, buyer, ref)
        town.later((0, 10), back)
        return
    if town.chance(75 if wants else 90):
        town.later((0, 8), partial(reveal, town, buyer, ref, is_partly=town.chance(10)))
    if wants:
        hours = (9, 60) if town.chance(80) else (75, 260)
        town.later(hours, partial(claim, town, buyer, merchant, ref))
    elif town.chance(45):
        town.later((8, 50), partial(confirm, town, buyer, ref))
        if town.chance(8):
            town.later((60, 200), partial(gift, town, merchant, ref))


async def reveal(town: Town, buyer: Buyer, ref: str, *, is_partly: bool) -> None:
    """Open the keys, or only the first."""
    answer = await town.app.orders.reveal(buyer.person, ref, [1] if is_partly else None, DEVICE)
    if town.took("opened", answer, "in_case", "key_taken_back"):
        town.books.opened(ref, town.now, is_partly=is_partly)


async def refund_sealed(town: Town, buyer: Buyer, ref: str) -> None:
    """Give sealed keys back."""
    answer = await town.app.orders.refund_sealed(buyer.person, ref)
    late = ["already_refunded"] if town.books.orders[ref].is_charged_back else []
    if town.took("refunded sealed", answer, "already_opened", "already_released", "in_case", *late):
        done = granted(answer)
        town.expect(f"order {ref}: an instant refund", town.books.orders[ref].stake_minor, done.refunded_minor)
        town.books.refunded_sealed(ref, done.refunded_minor)


async def confirm(town: Town, buyer: Buyer, ref: str) -> None:
    """Confirm, which releases the money."""
    answer = await town.app.orders.confirm(buyer.person, ref)
    if town.took("confirmed", answer, "already_released", "already_refunded", "in_case"):
        town.books.released(ref, town.now)


async def gift(town: Town, merchant: Merchant, ref: str) -> None:
    """Give part of a released price back, out of the deposit."""
    order = town.books.orders[ref]
    if order.is_held or order.stake_minor <= 0:
        return
    amount = 1 + order.stake_minor // 3
    reaches = town.books.reaches(ref, amount)
    answer = await town.app.orders.after_release.give_back(merchant.person, ref, amount, order.stake_minor)
    late = ["invalid_fields", "refund_out_of_range"] if order.is_charged_back else []
    if town.took("gift", answer, "in_case", *late, *([] if reaches else ["deposit_short"])):
        town.expect(f"order {ref}: a gift after a chargeback", False, order.is_charged_back)  # noqa: FBT003  compared
        town.books.claim(order, amount, with_reserve=False)


async def claim(town: Town, buyer: Buyer, merchant: Merchant, ref: str) -> None:
    """Open a case, before the release or after it."""
    order = town.books.orders[ref]
    stake, was_held = order.stake_minor, order.is_held
    name, _, statement = town.rng.choices(cast.CLAIMS, [often for _, often, _ in cast.CLAIMS])[0]
    demand = town.rng.choices(cast.REMEDIES, (60, 28, 12))[0]
    if order.opened_at is None and town.chance(75):
        # Nobody has seen the keys yet, which the records prove.
        name, demand = town.rng.choice(cast.UNOPENED), Remedy.FULL_REFUND
    asked = town.rng.randint(1, max(1, stake)) if demand is Remedy.PARTIAL_REFUND else 0
    wants_person = town.chance(10)
    wish = OpenCase(claim=name, demand=demand, demand_minor=asked, statement=statement, by_person=wants_person)
    records = await look(town, buyer.person, order, name, demand, asked)
    opened = await town.app.cases.open(buyer.person, ref, wish)
    declined = _why_declined(town, order)
    if not town.took("case opened", opened, *declined):
        return
    town.expect(f"case on {ref}: why it must not be opened", [], declined)
    view = granted(opened)
    at = parse_ref(view.ref)
    assert at is not None  # noqa: S101  the service made it
    town.books.frozen(ref, town.now)
    case = Followed(
        ref=view.ref,
        order_ref=ref,
        shop_id=merchant.shop_id,
        case_id=at.object_id,
        buyer_id=buyer.person.account_id,
        owner_id=merchant.person.account_id,
        claim=name,
        demand=demand.value,
        asked_minor=asked,
        stake_minor=stake,
        is_held=was_held,
        opened_at=town.now,
        times=town.times,
        reply=0,
        tally=town.tally,
        wants_person=wants_person,
    )
    await _begin(town, case, buyer, records)


async def claim_on_buyer(town: Town, merchant: Merchant, buyer: Buyer, ref: str) -> None:
    """Let a merchant open a case: once an order, while its money is held and no key is sealed."""
    order = town.books.orders[ref]
    may = order.is_held and not order.sealed and order.release_due is not None and ref not in town.claimed_on
    demand = town.rng.choice((Remedy.RELEASE, Remedy.PARTIAL_REFUND))
    asked = town.rng.randint(1, max(order.stake_minor, 1)) if demand is Remedy.PARTIAL_REFUND else 0
    name = town.rng.choice(list(MERCHANT_CLAIMS))
    wish = OpenCase(claim=name, demand=demand, demand_minor=asked, statement="发行方的记录显示已经兑换。")
    opened = await town.app.cases.open(merchant.person, ref, wish)
    if not town.took("merchant's case opened", opened, *(() if may else NOT_HIS)):
        return
    town.expect(f"case on {ref}: whether its merchant may open one", True, may)  # noqa: FBT003  a value compared
    view, at = granted(opened), parse_ref(granted(opened).ref)
    assert at is not None  # noqa: S101  the service made it
    town.claimed_on.add(ref)
    town.books.frozen(ref, town.now)
    case = Followed(
        ref=view.ref,
        order_ref=ref,
        shop_id=merchant.shop_id,
        case_id=at.object_id,
        buyer_id=buyer.person.account_id,
        owner_id=merchant.person.account_id,
        claim=name,
        demand=demand.value,
        asked_minor=asked,
        stake_minor=order.stake_minor,
        is_held=True,
        opened_at=town.now,
        times=town.times,
        reply=town.times.negotiation,
        tally=town.tally,
        opened_by="merchant",
    )
    town.tally["by_merchant"] += 1
    town.cases[case.ref] = town.open_cases[case.ref] = case
    await check(town, case)


def _why_declined(town: Town, order: OrderBook) -> list[str]:
    """Tell why a case must not be opened; nothing where it may."""
    why = town.books.may_claim(order.ref, town.now)
    if why:
        return [why]
    if order.is_held and order.release_due is None:
        return ["in_case"]
    return ["case_limit"] if town.withdrawals[order.ref] >= WITHDRAWALS_AT_MOST else []


async def _begin(town: Town, case: Followed, buyer: Buyer, records: Records) -> None:
    is_first = town.bought[case.buyer_id, case.shop_id] == town.books.orders[case.order_ref].placed_at
    case.reply = town.times.reply(case.stake_minor, is_first=is_first, is_proved=records.supports)
    case.due_at = case.opened_at + case.reply * HOUR
    town.tally["claims_after_release"] += not case.is_held
    if records.decides and not case.wants_person and takes_use(town, case.buyer_id):
        town.tally["green"] += 1
        town.books.resolved(case.order_ref, case.stake_minor, town.now, with_reserve=False)
        case.decided_at_once(town.now)
    town.cases[case.ref] = town.open_cases[case.ref] = case
    await check(town, case)
    if town.chance(55):
        added = await town.app.cases.add_file(buyer.person, case.ref, "a.png", _chunks(town.picture))
        town.took("file", added, "file_already_there")


async def _chunks(body: bytes) -> AsyncIterator[bytes]:
    yield body
