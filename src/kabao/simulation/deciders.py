"""What support, the panel and the duty officer do with a case: quickly, late or not at all."""

from functools import partial

from kabao.cases import CastVote, GiveFirstView, Outcome, Rule, SayFact, Shares, Side
from kabao.cases.ladder.model import Answer, Grounds, Take
from kabao.identity import Person
from kabao.kernel import Refused
from kabao.simulation import cast, store
from kabao.simulation.auditor import Ballot, Followed
from kabao.simulation.authority import hands_over
from kabao.simulation.following import NOTHING_TO_GIVE, check, late
from kabao.simulation.model import Award
from kabao.simulation.parties import reply
from kabao.simulation.town import Town

OPEN_SHARES = Shares(merchant=50, buyer=50)
AGAINST_MERCHANT = Shares(merchant=100)
AGAINST_BUYER = Shares(buyer=100)


def plan_staff(town: Town, case: Followed) -> None:
    """Plan what those do whose turn it is."""
    match case.stage, case.turn:
        case "support", "support":
            if not town.chance(cast.STAFF_LATE):
                who = town.rng.choice(list(town.staff.support.values()))
                town.later(cast.STAFF_HOURS, partial(support_moves, town, case, who, case.epoch))
        case ("panel", "panel") | ("review", "panel"):
            town.agenda.put(town.now, partial(plan_panel, town, case, case.epoch))
        case "panel", "duty":
            town.later((1, 60), partial(duty_rules, town, case, case.epoch))
        case "review", "duty":
            if town.chance(60):
                town.later((1, 80), partial(duty_rules, town, case, case.epoch))
        case _:
            pass


async def plan_panel(town: Town, case: Followed, epoch: int) -> None:
    """Plan what each of those does who sit."""
    if case.epoch != epoch:
        return
    for number in await store.seated(town.app.database, case.shop_id, case.case_id):
        member = town.staff.panel[number]
        if town.chance(5):
            town.later((1, 20), partial(recuse, town, case, member, epoch))
        elif not town.chance(cast.STAFF_LATE):
            decides = panel_votes if case.stage == "panel" else reviews
            town.later((2, 76), partial(decides, town, case, member, epoch))


async def support_moves(town: Town, case: Followed, who: Person, epoch: int) -> None:
    """Ask, find out, pass on or rule."""
    if case.epoch != epoch:
        return
    dice = town.rng.randrange(100)
    if dice < 30:  # noqa: PLR2004  percent
        await ask(town, case, who)
        town.later((2, 20), partial(support_moves, town, case, who, epoch))
    elif dice < 45:  # noqa: PLR2004  percent
        done = await town.app.cases.ladder.pass_on(who, case.ref)
        if town.took("passed on", done):
            case.passed_on(town.now)
            await check(town, case)
    else:
        await find_out(town, case, who)
        if not await hands_over(town, case, who, "support"):
            await rule(town, case, who, "support")


async def ask(town: Town, case: Followed, who: Person) -> None:
    """Ask a party, who may answer in time, late or never."""
    side = town.rng.choice((Side.BUYER, Side.MERCHANT))
    done = await town.app.cases.ladder.ask(who, case.ref, side, "激活时页面上写的是什么？")
    if town.took("asked", done, "already_ruled", "too_many_questions"):
        case.asked(town.now)
        if town.chance(75):
            town.later((1, 18), partial(reply, town, case, side.value))
        await check_quietly(town, case)


async def check_quietly(town: Town, case: Followed) -> None:
    """Compare and put the deadline down, without letting everybody plan anew."""
    told, town.on_move = town.on_move, lambda _case: None
    await check(town, case)
    town.on_move = told


async def find_out(town: Town, case: Followed, who: Person) -> None:
    """Let support put the fact down on which the claim turns, as it is."""
    fact = cast.CORE_FACTS.get(case.claim)
    if fact is None or town.chance(25):
        return
    is_true = case.order_ref in town.faulty
    wish = SayFact(fact=fact, shows=is_true, note="向发行方查过", kind="issuer_record", confidence=95)
    town.took("found out", await town.app.decisions.say_fact(who, case.ref, wish))


async def rule(town: Town, case: Followed, who: Person, by: str) -> None:
    """Put a first view down, look at what the rulebook suggests, and hand a ruling in."""
    ladder = town.app.cases.ladder
    view = GiveFirstView(outcome=Outcome.NO_REFUND, shares=AGAINST_BUYER, sentence="先看记录。")
    town.took("first view", await ladder.first_view(who, case.ref, view), "first_view_given")
    award = await weighed(town, case, who)
    wish = Rule(
        outcome=_outcome(award, case.stake_minor),
        refund_minor=award.refund_minor,
        damages_minor=award.damages_minor,
        shares=AGAINST_MERCHANT if award.refund_minor else AGAINST_BUYER,
        facts="查明的事实见证据。",
        reasons="依适用的规则。",
        differs_reason="情况不同。",
        grounds=await grounds(town, case, who),
    )
    done = await ladder.rule(who, case.ref, wish)
    if town.took(f"ruling handed in by {by}", done, *(("already_ruled",) if case.has_ruling_in() else ())):
        case.handed_in(who.account_id, by, award, town.now)
        await check_quietly(town, case)
        if town.chance(7):
            town.agenda.put(town.now.replace(microsecond=500_000), partial(take_back, town, case, who, by))


async def grounds(town: Town, case: Followed, who: Person) -> Grounds:
    """Answer each point of the parties, name a law, and say why an open question is not waited for."""
    points = await town.app.cases.ladder.points(who, case.ref)
    answers = (
        []
        if isinstance(points, Refused)
        else [Answer(point=one.key, take=Take.NOT_DECISIVE, why="见理由。") for one in points]
    )
    return Grounds(answers=answers, laws=[cast.LAW], unanswered="现有材料已经够。")


async def take_back(town: Town, case: Followed, who: Person, by: str) -> None:
    """Take a ruling back that nobody has seen, and rule again."""
    is_allowed = case.handed is not None and town.now < case.handed.visible_at
    done = await town.app.cases.ladder.take_back(who, case.ref)
    if not is_allowed:
        late(town, case, "taking back", done)
    elif town.took("taken back", done):
        case.taken_back(who.account_id)
        await check_quietly(town, case)
        if by == "panel" and case.stage == "panel":
            await panel_votes(town, case, who, case.epoch)
        else:
            await rule(town, case, who, by)


async def panel_votes(town: Town, case: Followed, who: Person, epoch: int) -> None:
    """Vote: first view, then whether the claim stands and for how much."""
    if case.epoch != epoch or case.has_ruling_in() or who.account_id in {*case.ballots, *case.left}:
        return
    ladder = town.app.cases.ladder
    if town.chance(10):
        await ask(town, case, who)
    view = GiveFirstView(outcome=Outcome.FULL_REFUND, shares=AGAINST_MERCHANT, sentence="先看截图。")
    town.took("first view", await ladder.first_view(who, case.ref, view), "first_view_given")
    if await hands_over(town, case, who, "panel"):
        return
    award = await weighed(town, case, who)
    upholds = award.refund_minor > 0
    if not upholds:
        award = Award(case.stake_minor, award.damages_minor)
    wish = CastVote(
        upholds=upholds,
        refund_minor=award.refund_minor,
        damages_minor=award.damages_minor,
        replaces=award.replaces,
        shares=AGAINST_MERCHANT if upholds else OPEN_SHARES,
        facts="查明的事实见证据。",
        reasons="依适用的规则。",
        differs_reason="情况不同。",
        grounds=await grounds(town, case, who),
    )
    if town.took("voted", await ladder.vote(who, case.ref, wish)):
        case.voted(who.account_id, Ballot(upholds, award), town.now)
        await check_quietly(town, case)
        if case.has_ruling_in() and town.chance(10):
            town.agenda.put(town.now.replace(microsecond=500_000), partial(take_back, town, case, who, "panel"))


async def reviews(town: Town, case: Followed, who: Person, epoch: int) -> None:
    """Review a ruling, as one who has not ruled in the case."""
    if case.epoch == epoch and not case.has_ruling_in() and who.account_id not in case.left:
        await rule(town, case, who, "panel")


async def duty_rules(town: Town, case: Followed, epoch: int) -> None:
    """Rule where the time of others has passed, as one who has not ruled in the case."""
    free = [one for number, one in town.staff.duty.items() if number not in case.ruled_by]
    if case.epoch == epoch and not case.has_ruling_in() and free:
        officer = town.rng.choice(free)
        if not await hands_over(town, case, officer, "duty"):
            await rule(town, case, officer, "duty")


async def recuse(town: Town, case: Followed, who: Person, epoch: int) -> None:
    """Leave a seat; somebody else is drawn for it."""
    if case.epoch != epoch or case.has_ruling_in() or who.account_id in {*case.ballots, *case.left}:
        return
    if town.took("recused", await town.app.cases.ladder.recuse(who, case.ref, "认识其中一方。")):
        case.left.add(who.account_id)
        await check_quietly(town, case)
        for number in await store.seated(town.app.database, case.shop_id, case.case_id):
            if number not in case.ballots:
                member = town.staff.panel[number]
                decides = panel_votes if case.stage == "panel" else reviews
                town.later((2, 60), partial(decides, town, case, member, epoch))


async def weighed(town: Town, case: Followed, who: Person) -> Award:
    """Draw what somebody rules: mostly what the rulebook suggests, else nothing, all, a part, keys or damages."""
    suggested = await town.app.decisions.decision(who, case.ref)
    may_replace = case.demand == "replacement"
    if not isinstance(suggested, Refused) and suggested.outcome not in NOTHING_TO_GIVE and town.chance(70):
        if suggested.outcome != "REPLACE":
            return Award(min(suggested.refund_minor, case.stake_minor), suggested.damages_minor)
        if may_replace:
            return Award(case.stake_minor, suggested.damages_minor, replaces=True)
    town.happened["decided otherwise"] += 1
    if may_replace and town.chance(50):
        return Award(town.rng.randint(1, case.stake_minor), replaces=True)
    refund = town.rng.choice((0, case.stake_minor, town.rng.randint(1, case.stake_minor)))
    return Award(refund, town.rng.randint(1, 3 * case.stake_minor) if town.chance(12) else 0)


def _outcome(award: Award, stake_minor: int) -> Outcome:
    """Name what is given."""
    if award.replaces:
        return Outcome.REPLACEMENT
    if award.refund_minor in {0, stake_minor}:
        return Outcome.FULL_REFUND if award.refund_minor else Outcome.NO_REFUND
    return Outcome.PARTIAL_REFUND
