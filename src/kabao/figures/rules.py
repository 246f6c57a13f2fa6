"""What frequencies may be told, and what each answer to a claim costs. Pure: counts and amounts in, values out."""

from collections.abc import Mapping
from typing import Final

from kabao.cases import Remedy
from kabao.figures.model import ENDINGS, LEAST, Choice, Ending, Frequency, Move, OnTable, Similar
from kabao.orders import fee_of

OFFERABLE: Final = frozenset({"FULL_REFUND", "PARTIAL_REFUND", "VOID_RESTITUTION", "PROMISE", "DAMAGES"})
"""Outcomes of the rulebook that can be offered as a refund."""
REFUSING: Final = frozenset({"DENY", "BUYER_PAYS"})
"""Outcomes of the rulebook that give the buyer nothing."""


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
    keys: int = 0,
    unit_minor: int = 0,
    table: OnTable | None = None,
) -> list[Choice]:
    """Tell a merchant what accepting, settling, offering at the forecast and contesting cost; all in minor units.

    Contesting costs nothing where the claim fails, and at most what was demanded or what the rules give, whichever is
    more, with the damages. An offer is only listed where the rules lead to a refund below the demand, and a replacement
    of the opened `keys`, at `unit_minor` each, where none stands in demand or offer.
    """

    def settled(kind: str, remedy: Remedy, refund: int, *, is_mine: bool = False) -> Choice:
        is_new = remedy is Remedy.REPLACEMENT
        back = 0 if is_new or remedy is Remedy.RELEASE else min(held_minor, refund or held_minor)
        fee = fee_of(held_minor - back, fee_bps)
        return Choice(
            kind=kind,
            refund_minor=back,
            least_minor=back,
            most_minor=back,
            kept_minor=held_minor - back - fee,
            fee_minor=fee,
            keys=keys if is_new else 0,
            keys_minor=keys * unit_minor if is_new else 0,
            is_mine=is_mine,
        )

    accept, given = settled("accept", demand, demand_minor), min(held_minor, refund_minor)
    choices = [accept]
    if table is not None:
        choices.append(settled("table", table.kind, table.refund_minor, is_mine=table.is_mine))
    if outcome in OFFERABLE and 0 < given < accept.refund_minor:
        choices.append(settled("offer", Remedy.PARTIAL_REFUND, given))
    if keys and not any(one.keys for one in choices):
        choices.append(settled("replace", Remedy.REPLACEMENT, 0))
    fee = fee_of(held_minor, fee_bps)
    contest = Choice(
        kind="contest",
        refund_minor=given,
        least_minor=0,
        most_minor=max(accept.refund_minor, given) + damages_minor,
        kept_minor=held_minor - fee,
        fee_minor=fee,
    )
    return [*choices, contest]


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
