"""What may be given: what the rulebook suggests, what of a demand it supports, what a ruling may say. Pure."""

from collections.abc import Mapping
from typing import Any, Final, assert_never

from kabao.cases.ladder.model import Award
from kabao.cases.model import CaseState, Outcome, Remedy
from kabao.kernel import Refusal, Refused

NOT_A_REFUND: Final = frozenset({"CONFLICT", "ROUTE_OUT", "NEEDS_PERSON", "PERFORM"})
"""Outcomes of the rulebook that say nothing about how much is to be refunded."""
REPLACE: Final = "REPLACE"
DAMAGES_TIMES: Final = 10
DAMAGES_LEAST: Final = 500_00
"""Damages are at most so many times the price or this much, whichever is more, where the rulebook names no more.

Far above the law's treble and its floor (消法 55): a slip of the pen stops here, a promised multiple does not.
"""


def suggested_of(decision: Mapping[str, Any] | None, demand: Remedy, held_minor: int) -> Award | None:
    """Read from a decision of the rulebook what it suggests to give; None where it suggests nothing a ruling can give.

    New keys are given where they were demanded; where there is no stock everything is refunded.
    """
    if decision is None or decision["outcome"] in NOT_A_REFUND:
        return None
    damages = int(decision["damages_minor"])
    if decision["outcome"] == REPLACE:
        return Award(held_minor, damages, replaces=True) if demand is Remedy.REPLACEMENT else None
    return Award(min(int(decision["refund_minor"]), held_minor), damages)


def demanded_of(demand: Remedy, demand_minor: int, held_minor: int, in_place_minor: int) -> int:
    """Tell the most that a demand asks for in money, in minor units; never more than what is at stake.

    Of new keys it is what was paid for those they stand for (`in_place_minor`); of the release to a merchant nothing.
    """
    match demand:
        case Remedy.FULL_REFUND:
            asked = held_minor
        case Remedy.PARTIAL_REFUND:
            asked = demand_minor
        case Remedy.REPLACEMENT:
            asked = in_place_minor
        case Remedy.RELEASE:
            asked = 0
        case _:
            assert_never(demand)
    return min(asked, held_minor)


def supported_of(
    decision: Mapping[str, Any] | None,
    demand: Remedy,
    demand_minor: int,
    held_minor: int,
    in_place_minor: int | None = None,
) -> Award | None:
    """Tell what of a demand the rulebook supports; None where it is nothing, or something else than was demanded.

    It is what is given where no person decides, so it never goes beyond the demand, in money or in kind: damages stand
    in no demand, and what takes the place of new keys is what was paid for these (`in_place_minor`, by default all).
    """
    suggested = suggested_of(decision, demand, held_minor)
    if suggested is None or suggested.replaces is not (demand is Remedy.REPLACEMENT):
        return None
    asked = demanded_of(demand, demand_minor, held_minor, held_minor if in_place_minor is None else in_place_minor)
    given = min(asked, suggested.refund_minor)
    return Award(given, replaces=suggested.replaces) if given > 0 else None


def differs(suggested: Award | None, given: Award) -> bool:
    """Tell whether a ruling gives something else than the rulebook suggests; damages it does not name always do.

    What a replacement falls back on is for whoever rules to say.
    """
    if suggested is None:
        return given.damages_minor > 0
    if suggested.replaces and given.replaces:
        return suggested.damages_minor != given.damages_minor
    return suggested != given


def check_damages(suggested: Award | None, damages_minor: int, price_minor: int) -> Refused | None:
    """Hold damages to what is conceivable, see `DAMAGES_LEAST`; refuses DAMAGES_OUT_OF_RANGE."""
    named = 0 if suggested is None else suggested.damages_minor
    most = max(named, DAMAGES_TIMES * price_minor, DAMAGES_LEAST)
    return None if 0 <= damages_minor <= most else Refused(Refusal.DAMAGES_OUT_OF_RANGE)


def ruled_amount(case: CaseState, outcome: Outcome, refund_minor: int) -> int | Refused:
    """Tell what a ruling refunds; a partial refund lies strictly between nothing and everything.

    Of a replacement it is what takes its place where there is no stock: everything, where nothing is said.
    Refuses REPLACEMENT_NOT_ASKED (the demand was another), REFUND_OUT_OF_RANGE.
    """
    if outcome is Outcome.REPLACEMENT and case.demand is not Remedy.REPLACEMENT:
        return Refused(Refusal.REPLACEMENT_NOT_ASKED)
    if outcome is Outcome.REPLACEMENT:
        amount = refund_minor or case.held_minor
        return amount if 0 < amount <= case.held_minor else Refused(Refusal.REFUND_OUT_OF_RANGE)
    if outcome is Outcome.FULL_REFUND:
        return case.held_minor
    if outcome is Outcome.NO_REFUND:
        return 0
    return refund_minor if 0 < refund_minor < case.held_minor else Refused(Refusal.REFUND_OUT_OF_RANGE)


def outcome_of(award: Award, held_minor: int) -> Outcome:
    """Name what giving something comes to; damages stand beside it."""
    if award.replaces:
        return Outcome.REPLACEMENT
    if award.refund_minor == 0:
        return Outcome.NO_REFUND
    return Outcome.FULL_REFUND if award.refund_minor == held_minor else Outcome.PARTIAL_REFUND
