"""How the auditor follows a case: it compares after every step, and says beforehand what time will do."""

from functools import partial
from typing import Any, Final

from kabao.adjudication import Adjudicator, Unreadable, make_case, plain
from kabao.cases import MERCHANT_CLAIMS
from kabao.kernel import Refused, parse_ref
from kabao.simulation import store
from kabao.simulation.auditor import Followed
from kabao.simulation.model import Award
from kabao.simulation.town import Town, granted

NOTHING_TO_GIVE = frozenset({"CONFLICT", "ROUTE_OUT", "NEEDS_PERSON", "PERFORM"})
"""Decisions of the rulebook that say nothing a ruling can give."""
ROUNDS = 200
"""Runs of the instruction runner at one time before something is wrong."""
WHOLE = 100
"""Percent of responsibility."""


async def check(town: Town, case: Followed) -> None:
    """Compare a case with the database, put its next deadline down, and let its people plan on."""
    found = await store.standing(town.app.database, case.shop_id, case.case_id)
    town.expect(f"case {case.ref}", case.standing, found)
    if case.stage in {"panel", "review"} and case.turn == "panel":
        await _check_seats(town, case)
    if case.is_closed:
        town.open_cases.pop(case.ref, None)
        town.tally[case.stage] += 1
        return
    put_tick(town, case)
    town.on_move(case)


def put_tick(town: Town, case: Followed) -> None:
    """Put down when time next moves a case, once an instant for all cases."""
    at = case.next_at
    if at is not None and at not in town.ticks_put:
        town.ticks_put.add(at)
        town.agenda.put(at, partial(tick, town))


async def tick(town: Town) -> None:
    """Say what time does to which case, let the services do it, and compare."""
    now = town.now
    town.ticks_put.discard(now)
    covered = [case for case in sorted(town.open_cases.values(), key=_place) if _is_covered(town, case)]
    is_open = [case for case in town.open_cases.values() if not case.is_closed]
    visible = [case for case in is_open if case.handed is not None and case.handed.visible_at <= now]
    passed = [case for case in is_open if case.handed is None and case.is_due(now)]
    visible.sort(key=lambda case: (case.handed and case.handed.visible_at, case.shop_id, case.case_id))
    passed.sort(key=lambda case: (case.due_at, case.shop_id, case.case_id))
    stands = {
        case.ref: await supported(town, case)
        for case in passed
        if (case.stage, case.turn) == ("negotiation", "merchant") and case.may_stand
    }
    for case in [*visible, *passed]:
        await look_at_stock(town, case)
    moved = [case for case in [*visible, *passed] if case.pass_time(now, stands.get(case.ref), partial(pays, town))]
    town.expect("cases moved by time", len(covered) + len(moved), await town.app.cases.tick())
    for case in [*covered, *moved]:
        await check(town, case)


async def instruct(town: Town) -> None:
    """Let the custodian do what he is asked, until nothing is due."""
    for _ in range(ROUNDS):
        before = await store.pending(town.app.database)
        await town.app.instructions.run()
        if await store.pending(town.app.database) in {0, before}:
            return


async def bank_takes_back(town: Town, ref: str, payment: str) -> None:
    """Let the payer's bank take a payment back, once the custodian has paid what he was asked to.

    An open case of it ends with the notice; of one refunded at once the bank takes nothing that is the case's.
    """
    await instruct(town)
    order = town.books.orders[ref]
    at = parse_ref(ref)
    if not order.is_held and at in await store.stranded(town.app.database):
        return
    town.happened["charged back"] += 1
    town.happened["charged back while held"] += order.is_held
    town.books.charged_back(ref)
    await town.app.custody.charge_back(payment)
    await town.app.custody.deliver_notices(town.app.take_notice)
    for case in [one for one in town.open_cases.values() if one.order_ref == ref and one.green_minor is None]:
        case.charged_back(town.now)
        await check(town, case)


def _place(case: Followed) -> tuple[int, int]:
    return case.shop_id, case.case_id


def _is_covered(town: Town, case: Followed) -> bool:
    """Grant what a merchant who is away has promised, before he has answered; what cannot be paid is left to people."""
    promise = town.promises.get(case.shop_id)
    waits = (case.stage, case.turn, case.answered, case.opened_by) == ("negotiation", "merchant", False, "buyer")
    if promise is None or town.now >= promise.until or not waits or case.demand in {"replacement", "release"}:
        return False
    amount = case.granted_minor
    if amount > promise.each_minor or case.ref in promise.seen:
        return False
    promise.seen.add(case.ref)
    reaches = town.books.reaches(case.order_ref, amount)
    if promise.spent_minor + amount > promise.total_minor or not reaches:
        town.happened["promise left to people"] += 1
        return False
    promise.spent_minor += amount
    town.books.resolved(case.order_ref, amount, town.now, with_reserve=False)
    case.settled("merchant", town.now)
    town.happened["granted as promised"] += 1
    return True


async def look_at_stock(town: Town, case: Followed) -> None:
    """Note whether new keys could be given for those of a case's order, just before somebody may rule so."""
    if await store.replaceable(town.app.database, case.order_ref):
        town.replaceable.add(case.order_ref)
    else:
        town.replaceable.discard(case.order_ref)


def pays(town: Town, case: Followed, award: Award) -> bool:
    """Carry a ruling out in the auditor's books: new keys or the refund in their place, then damages.

    What was refunded at once stays with the buyer; what a review gives the merchant of it comes out of the reserve.
    """
    books, ref = town.books, case.order_ref
    if case.green_minor is not None:
        if not books.reverse(ref, max(case.green_minor - award.refund_minor, 0)):
            return False
        town.tally["reversed"] += award.refund_minor < case.green_minor
    elif award.replaces and ref in town.replaceable:
        town.tally["replaced by ruling"] += 1
        books.replaced(ref, town.now)
    elif not books.resolved(ref, award.refund_minor, town.now, with_reserve=True):
        return False
    if award.damages_minor:
        books.awarded(ref, award.damages_minor, town.now)
        town.tally["damages"] += award.damages_minor
    return True


async def knows(town: Town, case: Followed) -> bool:
    """Tell whether the version that binds has words for what is claimed; the first had few for merchants."""
    view = granted(await town.app.cases.case(town.buyer_of(case.buyer_id).person, case.ref))
    judge = granted(await town.app.decisions.judge(view))
    return case.claim in judge.book.claims


async def supported(town: Town, case: Followed) -> Award | None:
    """Ask the rulebook what of an unanswered demand it supports on all that is known; never damages."""
    decisions, buyer = town.app.decisions, town.buyer_of(case.buyer_id).person
    view = granted(await town.app.cases.case(buyer, case.ref))
    judge = granted(await decisions.judge(view))
    said = decided(judge, await decisions.case_file(view, judge))
    if said is None or sum(said["responsible"].values()) != WHOLE:
        return None
    return of_demand(said, case.demand, case.granted_minor, case.stake_minor)


CHANGED_MIND: Final = "changed_mind"
OTHER_REMEDIES: Final = frozenset({"REPLACE", "PERFORM", "ROUTE_OUT"})


def of_demand(said: dict[str, Any], demand: str, asked_minor: int, stake_minor: int) -> Award | None:
    """Read what of a demand a decision of the rulebook supports."""
    if demand == "replacement":
        return Award(stake_minor, replaces=True) if said["outcome"] == "REPLACE" else None
    refund = min(int(said["refund_minor"]), stake_minor)
    if said["outcome"] in NOTHING_TO_GIVE | {"REPLACE"} or refund == 0:
        return None
    return Award(min(asked_minor, refund))


def decided(judge: Adjudicator, file: dict[str, Any]) -> dict[str, Any] | None:
    """Let the rulebook decide a case file; None where it has no words for it.

    Keys that were delivered and that nobody ever opened go back whatever was claimed.
    """
    said, facts = _as_claimed(judge, file), file["facts"]
    known = [facts.get(fact) for fact in ("delivered", "opened", "redeemed_by_buyer")]
    if known != ["proved", "disproved", "disproved"] or file["claim"] in {CHANGED_MIND, *MERCHANT_CLAIMS}:
        return said
    if said is not None and (said["refund_minor"] or said["damages_minor"] or said["outcome"] in OTHER_REMEDIES):
        return said
    back = _as_claimed(judge, {**file, "claim": CHANGED_MIND, "clauses": []})
    return back if back is not None and back["outcome"] == "FULL_REFUND" else said


def _as_claimed(judge: Adjudicator, file: dict[str, Any]) -> dict[str, Any] | None:
    try:
        return plain(judge.decide(make_case(file, judge.book)))
    except Unreadable:
        return None


async def _check_seats(town: Town, case: Followed) -> None:
    """Nobody decides a case of his own or one he has ruled in, and as many sit as the amount asks for."""
    seats = await store.seated(town.app.database, case.shop_id, case.case_id)
    barred = {case.buyer_id, case.owner_id, *case.ruled_by, *case.left}
    town.expect(f"case {case.ref}: seats", case.seats, len(seats))
    town.expect(f"case {case.ref}: who must not sit", [], sorted(barred & set(seats)))


async def check_open(town: Town) -> None:
    """Compare every open case, whether or not it should have moved."""
    for case in list(town.open_cases.values()):
        found = await store.standing(town.app.database, case.shop_id, case.case_id)
        town.expect(f"case {case.ref} at rest", case.standing, found)


def late(town: Town, case: Followed, about: str, answer: object) -> None:
    """Note what became of a step that is no longer possible: it must be refused."""
    town.happened[f"late {about}"] += 1
    town.expect(f"case {case.ref}: a late {about}", "refused", "refused" if isinstance(answer, Refused) else "taken")
