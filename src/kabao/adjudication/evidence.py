"""From evidence to status: how strong each side of a fact is, and what a contradiction comes to when its time is up."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from kabao.adjudication.clauses import Closure
from kabao.adjudication.model import Evidence, Literal, Rulebook

CORROBORATION: Final = 10
"""Points for each further kind of evidence on the same side."""

CORROBORATION_FLOOR: Final = 30
"""What an item must reach to corroborate another kind."""

MOST: Final = 99
"""Several items together never amount to certainty."""

STATED: Final = 100
"""The weight of a fact whose status is stated without evidence."""


def strength(items: Iterable[Evidence], caps: Mapping[str, int]) -> int:
    """Return the confidence one side reaches: its strongest item, and a little for each further kind.

    Adding an item, or raising one's confidence, never lowers it.
    """
    best_of_kind: dict[str, int] = {}
    for item in items:
        reached = min(item.confidence, caps.get(item.kind or "", STATED))
        best_of_kind[item.kind or ""] = max(best_of_kind.get(item.kind or "", 0), reached)
    if not best_of_kind:
        return 0
    best = max(best_of_kind.values())
    others = sum(reached >= CORROBORATION_FLOOR for reached in best_of_kind.values()) - 1
    if others <= 0:
        return best
    return max(best, min(MOST, best + CORROBORATION * others))


def weigh(book: Rulebook, fact_id: str, items: Sequence[Evidence]) -> tuple[int, int]:
    """Return how strongly the items show the fact, and how strongly its opposite."""
    caps = {name: kind.value for name, kind in book.evidence_kinds.items()}
    for item in items:
        if item.kind is not None and item.kind not in caps:
            raise ValueError(f"unknown kind of evidence for {fact_id}")
    return (
        strength((item for item in items if item.shows), caps),
        strength((item for item in items if not item.shows), caps),
    )


def status(weights: tuple[int, int], percent: int) -> bool | str:
    """Tell True (proved), False (disproved), ``contested`` or ``unknown`` from both weights and the standard."""
    proved, disproved = weights[0] >= percent, weights[1] >= percent
    if proved and disproved:
        return "contested"
    return proved if proved or disproved else "unknown"


def settle(
    known: Mapping[str, bool],
    contested: Iterable[str],
    weights: Mapping[str, tuple[int, int]],
    follows: Closure,
    *,
    stronger: bool,
) -> dict[str, bool]:
    """Return what counts once a contradiction's time is up.

    A fact shown both ways counts for the stronger side when ``stronger``, else, and on a tie, as unknown. Of two facts
    that cannot be together the better shown one stays; equally shown ones both become unknown.
    """
    shown: dict[Literal, int] = {}
    for fact, value in known.items():
        pair = weights.get(fact, (STATED, STATED))
        shown[Literal(fact, value)] = pair[0] if value else pair[1]
    for fact in contested:
        proved, disproved = weights[fact]
        if stronger and proved != disproved:
            shown[Literal(fact, proved > disproved)] = max(proved, disproved)
    lost: set[Literal] = set()
    for one, weight in shown.items():
        for after in follows.get(one, ()):
            rival = after.denied
            if rival in shown and rival != one:
                other = shown[rival]
                if not stronger or weight == other:
                    lost |= {one, rival}
                else:
                    lost.add(rival if weight > other else one)
    return {one.fact: one.holds for one in shown if one not in lost}
