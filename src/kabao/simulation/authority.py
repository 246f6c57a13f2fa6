"""What a platform does not decide: staff learn of a crime, hand the case to an authority, and get it back."""

from functools import partial

from kabao.cases import GiveFirstView, Outcome, SayFact, Shares
from kabao.identity import Person
from kabao.simulation.auditor import Followed
from kabao.simulation.following import check, knows, late
from kabao.simulation.town import Town

CRIME = SayFact(fact="crime_suspected", shows=True, note="公安已立案", kind="police_record", confidence=97)
VIEW = GiveFirstView(outcome=Outcome.NO_REFUND, shares=Shares(buyer=100), sentence="先看公安的回执。")


async def hands_over(town: Town, case: Followed, who: Person, by: str) -> bool:
    """Let one whose turn it is learn of a crime behind an order, and hand the case over; tells whether he did.

    Some overlook it or rule all the same, and some would hand over what the rulebook does not let go or what was handed
    over before; they are refused and have to rule.
    """
    if case.order_ref in town.criminal and not case.has_signs and town.chance(70):
        case.has_signs = town.took("learnt of a crime", await town.app.decisions.say_fact(who, case.ref, CRIME))
    if not town.chance(85 if case.has_signs else 3):
        return False
    ladder = town.app.cases.ladder
    town.took("first view", await ladder.first_view(who, case.ref, VIEW), "first_view_given", "already_ruled")
    is_allowed = case.may_be_routed and await knows(town, case)
    done = await ladder.route_out(who, case.ref, "这件涉嫌犯罪，转公安处理。")
    if not is_allowed:
        late(town, case, "handing over", done)
        return False
    if town.took(f"handed over by {by}", done):
        case.routed_out(by, town.now)
        await check(town, case)
    return True


def plan_authority(town: Town, case: Followed) -> None:
    """Plan what the duty officer hears from an authority, in time or not, and who tries to rule meanwhile."""
    officer = town.rng.choice(list(town.staff.duty.values()))
    if town.chance(60):
        town.later((20, 719), partial(give_back, town, case, officer, case.epoch))
    if town.chance(30):
        town.later((1, 600), partial(rule_meanwhile, town, case, officer, case.epoch))


async def give_back(town: Town, case: Followed, officer: Person, epoch: int) -> None:
    """Give a case to the panel, since the authority has spoken."""
    if case.epoch != epoch:
        return
    done = await town.app.cases.ladder.route_back(officer, case.ref, "公安已作出处理，见新证据。")
    if town.took("given back", done):
        case.given_back(town.now)
        await check(town, case)


async def rule_meanwhile(town: Town, case: Followed, officer: Person, epoch: int) -> None:
    """Try to decide what an authority has."""
    if case.epoch == epoch:
        late(town, case, "first view", await town.app.cases.ladder.first_view(officer, case.ref, VIEW))
