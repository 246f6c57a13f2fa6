"""What buyers and merchants do in a case, each by its own disposition, in time, late or never."""

from functools import partial

from kabao.cases import MakeOffer, Remedy, SayFact
from kabao.identity import Person
from kabao.simulation import cast
from kabao.simulation.auditor import Followed
from kabao.simulation.cast import Buyer, Merchant
from kabao.simulation.following import check, late, look_at_stock, pays
from kabao.simulation.town import Town, granted
from kabao.simulation.trade import claim

NO_KEYS = ("sold_out", "nothing_to_replace")
"""Why a replacement may rightly not be given."""


def plan_negotiation(town: Town, case: Followed) -> None:
    """Plan what the side does whose turn it is; it may think of it too late, or never."""
    buyer, merchant = _sides(town, case)
    ways = merchant.ways if case.turn == "merchant" else buyer.ways
    if not town.chance(ways.stays_silent):
        act = _merchant_moves if case.turn == "merchant" else _buyer_moves
        if case.opened_by == "merchant":
            act = _moves_in_merchants_case
        town.later(ways.hours, partial(act, town, case, case.epoch))
    if town.chance(buyer.ways.withdraws):
        town.later((2, 70), partial(withdraw, town, case))
    if town.chance(6):
        town.later((20, 40), partial(escalate, town, case, "buyer"))


def plan_beside_staff(town: Town, case: Followed) -> None:
    """Plan what the two may still settle between them while staff has the case."""
    buyer, _ = _sides(town, case)
    if town.chance(8):
        town.later((1, 40), partial(offer, town, case, "merchant"))
    if case.offer is not None and town.chance(12):
        town.later((1, 30), partial(accept, town, case))
    if town.chance(buyer.ways.withdraws):
        town.later((1, 60), partial(withdraw, town, case))


def plan_meanwhile(town: Town, case: Followed) -> None:
    """Plan what the two try while an authority has the case: they may write, and nothing else."""
    if town.chance(40):
        town.later((1, 500), partial(offer, town, case, town.rng.choice(("buyer", "merchant"))))
    if town.chance(40):
        town.later((1, 500), partial(withdraw, town, case))
    town.later((1, 200), partial(write, town, case, town.rng.choice(("buyer", "merchant"))))


def plan_after_ruling(town: Town, case: Followed) -> None:
    """Plan whether somebody asks for a review, waives it, or lets the time pass."""
    buyer, merchant = _sides(town, case)
    award = case.rulings[-1][1]
    refund = 0 if award.replaces else award.refund_minor
    wanted = 0 if award.replaces else case.granted_minor
    for side, lost, asks in (
        ("buyer", refund < wanted, buyer.ways.asks_review_when_lost),
        ("merchant", award.refund_minor + award.damages_minor > 0, merchant.ways.asks_review_when_lost),
    ):
        if case.stage == "green" and side == "buyer" and not town.chance(10):
            continue
        if lost and town.chance(asks):
            town.later((2, 175), partial(ask_review, town, case, side))
        elif town.chance(40):
            town.later((1, 120), partial(waive, town, case, side))


async def _moves_in_merchants_case(town: Town, case: Followed, epoch: int) -> None:
    dice = town.rng.randrange(100)
    if case.epoch != epoch or (case.turn == case.answerer and dice < 35):  # noqa: PLR2004  percent
        await answer(town, case)
    elif case.turn == case.answerer and dice < 65:  # noqa: PLR2004  percent
        await grant(town, case)
    elif case.offer is not None and case.offer[0] != case.turn and dice < 80:  # noqa: PLR2004  percent
        await accept(town, case)
    elif dice < 88:  # noqa: PLR2004  percent
        await offer(town, case, case.turn)
    else:
        await escalate(town, case, case.turn)


async def _merchant_moves(town: Town, case: Followed, epoch: int) -> None:
    _, merchant = _sides(town, case)
    if case.epoch != epoch:
        await answer(town, case)
        return
    dice = town.rng.randrange(100)
    if dice < merchant.ways.grants:
        await grant(town, case)
    elif dice < merchant.ways.grants + merchant.ways.offers:
        await offer(town, case, "merchant")
    elif case.offer is not None and town.chance(50):
        await (accept(town, case) if town.chance(30) else refuse(town, case, "merchant"))
    elif case.answered and town.chance(30):
        await escalate(town, case, "merchant")
    else:
        await answer(town, case)


async def _buyer_moves(town: Town, case: Followed, epoch: int) -> None:
    if case.epoch != epoch:
        await accept(town, case)
        return
    dice = town.rng.randrange(100)
    if case.offer is None:
        await (escalate(town, case, "buyer") if dice < 75 else offer(town, case, "buyer"))  # noqa: PLR2004  percent
        return
    is_fair = case.offer[2] * 2 >= case.granted_minor
    if dice < (65 if is_fair else 20):
        await accept(town, case)
    elif dice < 75:  # noqa: PLR2004  percent
        await refuse(town, case, "buyer")
    elif dice < 88:  # noqa: PLR2004  percent
        await offer(town, case, "buyer")
    else:
        await escalate(town, case, "buyer")


# ---- single steps; each may come when it is no longer possible, and then must be refused


async def answer(town: Town, case: Followed) -> None:
    """Let the side that is claimed on contest, often with a word on the fact on which the claim turns."""
    who = _person(town, case, case.answerer)
    is_allowed = (case.stage, case.turn) == ("negotiation", case.answerer)
    fact = cast.CORE_FACTS.get(case.claim)
    if is_allowed and fact is not None and town.chance(40):
        wish = SayFact(fact=fact, shows=False, note="正常")
        town.took("said of a fact", await town.app.decisions.say_fact(who, case.ref, wish))
    done = await town.app.cases.answer(who, case.ref, "事情不是这样，不同意。")
    if not is_allowed:
        late(town, case, "answer", done)
    elif town.took("answered", done):
        case.contested(town.now)
        await check(town, case)


async def offer(town: Town, case: Followed, side: str) -> None:
    """Offer something, or something else."""
    is_allowed = case.is_negotiable
    kind = town.rng.choices(cast.REMEDIES, (15, 60, 25))[0]
    asked = town.rng.randint(1, case.stake_minor) if kind is Remedy.PARTIAL_REFUND else 0
    wish = MakeOffer(kind=kind, refund_minor=asked, note="这样可以吗？")
    done = await town.app.cases.offer(_person(town, case, side), case.ref, wish)
    if not is_allowed:
        late(town, case, "offer", done)
    elif town.took("offered", done):
        case.offered(side, kind.value, asked, town.now)
        await check(town, case)


async def accept(town: Town, case: Followed) -> None:
    """Accept the other side's offer."""
    view = granted(await town.app.cases.case(_sides(town, case)[0].person, case.ref))
    is_allowed = case.offer is not None and not case.is_closed
    on_table = view.offers[-1] if view.offers else None
    if on_table is None:
        return
    side = "merchant" if on_table.by_role == "buyer" else "buyer"
    done = await town.app.cases.accept(_person(town, case, side), case.ref, on_table.offer_id)
    if case.offer is None or not is_allowed:
        late(town, case, "acceptance", done)
        return
    await _settle(town, case, side, case.offer[1], case.offer[2], done)


async def grant(town: Town, case: Followed) -> None:
    """Let the side that is claimed on grant what was demanded."""
    done = await town.app.cases.accept_demand(_person(town, case, case.answerer), case.ref)
    await _settle(town, case, case.answerer, case.demand, case.granted_minor, done)


async def _settle(town: Town, case: Followed, side: str, kind: str, refund_minor: int, done: object) -> None:
    reaches = kind == Remedy.REPLACEMENT or town.books.reaches(case.order_ref, refund_minor)
    may_be_refused = NO_KEYS if kind == Remedy.REPLACEMENT else () if reaches else ("deposit_short",)
    if not town.took(f"settled by {kind}", done, *may_be_refused):
        return
    town.expect(f"case {case.ref}: whether the deposit reaches", True, reaches)  # noqa: FBT003  a value compared
    if kind == Remedy.REPLACEMENT:
        town.books.replaced(case.order_ref, town.now)
    else:
        town.books.resolved(case.order_ref, refund_minor, town.now, with_reserve=False)
    case.settled(side, town.now)
    await check(town, case)


async def refuse(town: Town, case: Followed, side: str) -> None:
    """Turn the other side's offer down."""
    view = granted(await town.app.cases.case(_person(town, case, side), case.ref))
    if view.open_offer is None or view.open_offer.by_role == side:
        return
    done = await town.app.cases.refuse_offer(_person(town, case, side), case.ref, view.open_offer.offer_id)
    if town.took("refused", done):
        case.refused(side, town.now)
        await check(town, case)


async def escalate(town: Town, case: Followed, side: str) -> None:
    """Call support."""
    has_waited = side == case.opened_by and (town.now - case.opened_at).total_seconds() >= 24 * 3600
    is_allowed = case.stage == "negotiation" and (case.answered or has_waited)
    done = await town.app.cases.escalate(_person(town, case, side), case.ref)
    if not is_allowed:
        late(town, case, "escalation", done)
    elif town.took("escalated", done):
        case.escalated(side, town.now)
        await check(town, case)


async def withdraw(town: Town, case: Followed) -> None:
    """Take the case back; sometimes it is opened again."""
    buyer, _ = _sides(town, case)
    is_allowed = case.is_negotiable
    done = await town.app.cases.withdraw(_person(town, case, case.opened_by), case.ref)
    if not is_allowed:
        late(town, case, "withdrawal", done)
    elif town.took("withdrew", done):
        case.withdrawn(town.now)
        town.books.thawed(case.order_ref, town.now)
        town.withdrawals[case.order_ref] += case.opened_by == "buyer"
        await check(town, case)
        if case.opened_by == "buyer" and town.chance(40):
            town.later((1, 20), partial(claim, town, buyer, town.merchant_of(case.shop_id), case.order_ref))


async def write(town: Town, case: Followed, side: str) -> None:
    """Write something into the case, which moves nothing."""
    if not case.is_closed:
        town.took(
            "written", await town.app.cases.say(_person(town, case, side), case.ref, "已经报案，回执号稍后补上。")
        )


async def reply(town: Town, case: Followed, side: str) -> None:
    """Answer a question of the staff."""
    view = granted(await town.app.cases.case(_person(town, case, side), case.ref))
    asked = [one for one in view.questions if one.is_open]
    mine = next((one for one in asked if one.to_role == side), None)
    if mine is None:
        return
    is_last = sum(one.stage == case.stage for one in asked) == (1 if mine.stage == case.stage else 0)
    done = await town.app.cases.ladder.reply(_person(town, case, side), case.ref, mine.question_id, "情况是这样的。")
    if case.is_closed:
        late(town, case, "reply", done)
    elif town.took("replied", done):
        case.replied(town.now, is_last=is_last)
        await check(town, case)


async def ask_review(town: Town, case: Followed, side: str) -> None:
    """Ask for a review."""
    is_allowed = case.may_object(side)
    done = await town.app.cases.ladder.ask_review(_person(town, case, side), case.ref, "请再看一次激活记录。")
    if not is_allowed:
        late(town, case, "wish for a review", done)
    elif town.took("review asked", done):
        town.tally["reviews"] += 1
        case.review_asked(side, town.now)
        await check(town, case)


async def waive(town: Town, case: Followed, side: str) -> None:
    """Waive the review."""
    is_allowed = case.may_object(side)
    await look_at_stock(town, case)
    done = await town.app.cases.ladder.waive(_person(town, case, side), case.ref)
    if not is_allowed:
        late(town, case, "waiver", done)
    elif town.took("waived", done):
        case.review_waived(side, town.now, partial(pays, town))
        await check(town, case)


def _sides(town: Town, case: Followed) -> tuple[Buyer, Merchant]:
    return town.buyer_of(case.buyer_id), town.merchant_of(case.shop_id)


def _person(town: Town, case: Followed, side: str) -> Person:
    buyer, merchant = _sides(town, case)
    return buyer.person if side == "buyer" else merchant.person
