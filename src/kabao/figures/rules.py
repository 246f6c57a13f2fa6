"""What frequencies may be told, and what each answer to a claim costs. Pure: counts and amounts in, values out."""

from collections.abc import Mapping
from typing import Final

from kabao.cases import Remedy
from kabao.figures.model import ENDINGS, LEAST, Choice, Ending, Frequency, Move, Similar

OFFERABLE: Final = frozenset({"FULL_REFUND", "PARTIAL_REFUND", "VOID_RESTITUTION", "PROMISE", "DAMAGES"})
"""Outcomes of the rulebook that can be offered as a refund."""
REFUSING: Final = frozenset({"DENY", "BUYER_PAYS"})
"""Outcomes of the rulebook that give the buyer nothing."""
BPS: Final = 10_000


def similar_of(counts: Mapping[str, int]) -> Similar | None:
    """Tell how similar cases ended, the most frequent first; None of fewer than twenty."""
    total = sum(counts.values())
    if total < LEAST:
        return None
    ordered = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return Similar(
        cases=total,
        endings=[
            Frequency(ending=Ending(name), label=ENDINGS[Ending(name)], cases=n, percent=100 * n // total)
            for name, n in ordered
        ],
    )


def choices_of(
    *,
    held_minor: int,
    fee_bps: int,
    demand: Remedy,
    demand_minor: int,
    outcome: str,
    refund_minor: int,
    damages_minor: int,
) -> list[Choice]:
    """Tell a merchant what accepting, offering at the forecast and contesting cost; all in minor units.

    Contesting costs nothing where the claim fails, and at most what was demanded or what the rules give, whichever is
    more, with the damages. An offer is only listed where the rules lead to a refund below the demand.
    """
    demanded = 0 if demand is Remedy.REPLACEMENT else min(held_minor, demand_minor or held_minor)
    given = min(held_minor, refund_minor)
    choices = [
        Choice(
            kind="accept",
            refund_minor=demanded,
            least_minor=demanded,
            most_minor=demanded,
            kept_minor=_kept(held_minor - demanded, fee_bps),
            is_replacement=demand is Remedy.REPLACEMENT,
        )
    ]
    if outcome in OFFERABLE and 0 < given < demanded:
        choices.append(
            Choice(
                kind="offer",
                refund_minor=given,
                least_minor=given,
                most_minor=given,
                kept_minor=_kept(held_minor - given, fee_bps),
            )
        )
    choices.append(
        Choice(
            kind="contest",
            refund_minor=given,
            least_minor=0,
            most_minor=max(demanded, given) + damages_minor,
            kept_minor=_kept(held_minor, fee_bps),
        )
    )
    return choices


def best_move(*, held_minor: int, demand: Remedy, demand_minor: int, outcome: str, refund_minor: int) -> Move:
    """Name what a merchant does best: what ends the case at once for no more than the rules come to anyhow."""
    if outcome == "REPLACE":
        return Move.ACCEPT if demand is Remedy.REPLACEMENT else Move.REPLACE
    if outcome in REFUSING or (outcome in OFFERABLE and refund_minor == 0):
        return Move.CONTEST
    if outcome not in OFFERABLE:
        return Move.SHOW
    demanded = 0 if demand is Remedy.REPLACEMENT else min(held_minor, demand_minor or held_minor)
    return Move.ACCEPT if min(held_minor, refund_minor) >= demanded else Move.OFFER


def _kept(released_minor: int, fee_bps: int) -> int:
    return released_minor - released_minor * fee_bps // BPS
