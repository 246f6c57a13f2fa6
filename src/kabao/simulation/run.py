"""Lets a simulated market run: the agenda in order of time, the workers every hour, the audit at the end."""

from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final

from kabao.cases import SetCover
from kabao.kernel import ShopId, format_ref
from kabao.orders import audit
from kabao.postgres import Database
from kabao.simulation import store
from kabao.simulation.auditor import Followed
from kabao.simulation.authority import plan_authority
from kabao.simulation.cast import Merchant, MerchantKind
from kabao.simulation.deciders import plan_staff
from kabao.simulation.following import check_open, instruct, tick
from kabao.simulation.model import DAY, FINDINGS_SHOWN, HOUR, Mismatch, Progress, Report
from kabao.simulation.parties import plan_after_ruling, plan_beside_staff, plan_meanwhile, plan_negotiation
from kabao.simulation.town import BEGINNING, Promise, Town, deposit, found, granted, pay_in
from kabao.simulation.trade import shop
from kabao.wiring import Workers

ORDERS_A_DAY: Final = 24
AFTERMATH: Final = 90 * DAY
"""How long after the last order every case must have ended."""
TOP_UP_MINOR: Final = 200_00
LONGEST_CLAIM: Final = 40 * DAY
"""Longer than any listing's warranty."""
LULL: Final = 6 * HOUR
"""How often the workers run once nobody trades any more; cases move at the second they are due as before."""
DAILY: Final = ("fold", "digest", "staff_digest", "tidy")
"""The workers' jobs that need not run every hour here."""


async def play(
    database: Database,
    folder: Path,
    *,
    seed: int,
    days: int,
    orders_a_day: int = ORDERS_A_DAY,
    progress: Progress = lambda _done, _all: None,
) -> Report:
    """Run a market over an empty migrated database until, after the last day, every case has ended."""
    town = await found(database, folder, seed, days, orders_a_day)
    town.on_move = partial(plan, town)
    town.agenda.put(town.now, partial(_day, town, orders_a_day))
    town.agenda.put(town.now, partial(_hour, town))
    last = town.ends_at + AFTERMATH
    while (entry := town.agenda.take()) is not None:
        at, act = entry
        if at > last:
            break
        town.clock.at = max(at, town.now)
        await act()
        progress(min(days, (town.now - BEGINNING) // DAY), days)
    return await _report(town, seed, days)


def plan(town: Town, case: Followed) -> None:
    """Let everybody in a case plan what they do next."""
    match case.stage:
        case "negotiation":
            plan_negotiation(town, case)
        case "support" | "panel":
            plan_staff(town, case)
            plan_beside_staff(town, case)
        case "review":
            plan_staff(town, case)
        case "routed_out":
            plan_authority(town, case)
            plan_meanwhile(town, case)
        case "ruled_open" | "green" if case.turn == "parties":
            plan_after_ruling(town, case)
        case _:
            pass


async def _day(town: Town, orders: int) -> None:
    """Spread a day's orders, and do what is done once a day."""
    if town.now >= town.ends_at:
        return
    for _ in range(orders):
        town.agenda.put(town.now + timedelta(seconds=town.rng.randrange(86_400)), partial(shop, town))
    town.agenda.put(town.now + DAY, partial(_day, town, orders))


async def _hour(town: Town) -> None:
    """Do what the workers do, in their order; once a day what the operator and the merchants do."""
    app = town.app
    await app.custody.deliver_notices(app.take_notice)
    due = town.books.due(town.now)
    for ref in due:
        town.books.released(ref, town.now)
    swept = await app.sweep.tick()
    town.expect("orders released by time", (len(due), None), (swept.released, swept.halted_why))
    await tick(town)
    town.expect("damages paid on", town.books.pay_owed(), await app.orders.after_release.pay_owed_damages())
    await instruct(town)
    await app.telling.reminders.run()
    if town.now.hour == 0:
        await _midnight(town)
    is_trading = town.now < town.ends_at
    if is_trading or not await _is_over(town):
        town.agenda.put(town.now + (HOUR if is_trading else LULL), partial(_hour, town))


async def _midnight(town: Town) -> None:
    app = town.app
    jobs = {job.name: job.run for job in Workers(app).jobs()}
    for name in DAILY:
        await jobs[name]()
    await check_open(town)
    for shop_id, order_id in await store.stranded(app.database):
        ref = format_ref(shop_id, order_id)
        order = granted(await app.orders.order(town.merchant_of(shop_id).person, ref))
        await _redirect(town, ref, order.buyer_id)
    if any(case.is_waiting and case.is_due(town.now - DAY) for case in town.open_cases.values()):
        await pay_in(town, granted(await app.deposits.pay_reserve_in(TOP_UP_MINOR)))
        town.books.reserve_filled(TOP_UP_MINOR)
    for merchant in town.merchants:
        if merchant.ways.deposit_minor and town.chance(4):
            await deposit(town, merchant, merchant.ways.deposit_minor // 4)
        if merchant.kind is MerchantKind.SLOW and town.chance(10):
            await _go_away(town, merchant)


async def _go_away(town: Town, merchant: Merchant) -> None:
    """Let a merchant promise, for some days, what is granted meanwhile."""
    promise = Promise(until=town.now + 5 * DAY, each_minor=150_00, total_minor=400_00)
    wish = SetCover(
        from_at=town.now, until_at=promise.until, each_minor=promise.each_minor, total_minor=promise.total_minor
    )
    if town.took("went away", await town.app.cases.cover.set(merchant.person, merchant.shop_id, wish)):
        town.promises[merchant.shop_id] = promise


async def _redirect(town: Town, ref: str, buyer_id: int) -> None:
    """Let a buyer name another account for a refund that came back, after some days."""
    if not town.chance(30):
        return
    buyer = town.buyer_of(buyer_id).person
    answer = await town.app.orders.after_release.redirect(buyer, ref, f"acct-{buyer_id % 10_000:04}")
    town.took("redirected", answer)
    await instruct(town)


async def _is_over(town: Town) -> bool:
    """Tell whether nothing is left: no case, no money held, none on its way."""
    if town.open_cases or any(order.is_held for order in town.books.orders.values()):
        return False
    return not await store.stranded(town.app.database) and not await store.pending(town.app.database)


async def _report(town: Town, seed: int, days: int) -> Report:
    """Compare all books and write down how it ended."""
    await _return_deposits(town)
    database = town.app.database
    await _compare_money(town)
    cases, still_open = await store.case_counts(database)
    town.expect("cases in all", (len(town.cases), len(town.open_cases)), (cases, still_open))
    tally = town.tally
    return Report(
        seed=seed,
        days=days,
        orders=town.happened["placed"],
        cases=cases,
        closed=cases - still_open,
        open=still_open,
        ruled=sum(bool(case.rulings) for case in town.cases.values()),
        settled=tally["settled"],
        withdrawn=tally["withdrawn"],
        executed=tally["executed"],
        charged_back=tally["charged_back"],
        default_rulings=sum(stage == "default" for case in town.cases.values() for stage, _ in case.rulings),
        green_rulings=tally["green"],
        reversed=tally["reversed"],
        cases_by_merchant=tally["by_merchant"],
        duty_rulings=tally["duty_rulings"],
        routed_out=sum(case.was_routed for case in town.cases.values()),
        reviews=tally["reviews"],
        overturned=tally["overturned"],
        stood=tally["stood"],
        claims_after_release=tally["claims_after_release"],
        waited_for_money=tally["waited_for_money"],
        refused_refunds=await store.refused(database),
        redirects=town.happened["redirected"],
        chargebacks=town.happened["charged back"],
        damages_minor=tally["damages"],
        damages_owed_minor=sum(left for fund in town.books.funds.values() for _, _, left in fund.damages),
        deadlines_met=tally["met"],
        deadlines_missed=tally["missed"],
        deadlines_moot=tally["moot"],
        checks=town.checks,
        lost_minor=town.lost_minor,
        mismatches=len(town.mismatches),
        happened=dict(sorted(town.happened.items())),
        findings=_shown(town.mismatches),
    )


def _shown(mismatches: list[Mismatch]) -> list[Mismatch]:
    """Keep of many the first, which lead to the cause, and the last, which say what it came to in money."""
    if len(mismatches) <= FINDINGS_SHOWN:
        return mismatches
    half = FINDINGS_SHOWN // 2
    return [*mismatches[:half], *mismatches[-half:]]


async def _return_deposits(town: Town) -> None:
    """Let every merchant ask for his deposit back once nothing can be claimed any more; who owes leaves it."""
    town.clock.advance(LONGEST_CLAIM)
    for merchant in town.merchants:
        left = town.books.fund(merchant.shop_id).deposit
        if left:
            shop_id = ShopId(merchant.shop_id)
            answer = await town.app.deposits.give_back(merchant.person, shop_id, left, "end")
            fund = town.books.fund(merchant.shop_id)
            is_bound = fund.owed > 0 or bool(fund.damages) or bool(town.open_cases)
            if town.took("deposit returned", answer, *(["deposit_bound"] if is_bound else [])):
                town.books.deposit_returned(merchant.shop_id, left)
    await instruct(town)


async def _compare_money(town: Town) -> None:
    """Lay the auditor's books, ours and the custodian's beside each other."""
    database = town.app.database
    out, accounts, recouped = (
        await store.paid_out(database),
        await store.accounts(database),
        await store.recouped(database),
    )
    for about, expected, there in town.books.off_by(out, accounts, recouped):
        town.expect(about, expected, there)
        town.lost_minor += abs(expected - there)
    flow = await store.flow(database)
    town.expect("paid in", town.books.paid_in, flow.paid_in)
    kept = sum(order.stake_minor for order in town.books.orders.values() if order.is_held)
    missing = flow.paid_in - flow.paid_out - flow.in_accounts - kept
    town.expect("money that is nowhere", 0, missing)
    town.lost_minor += abs(missing)
    async with database.transaction(isolation="repeatable_read", readonly=True) as conn:
        books = await audit(conn)
    town.expect("the ledger's own audit", [], [f"{one.check}: {one.subject}" for one in books.findings])
    town.lost_minor += books.lost_minor
