"""How fast decisions are, as ratios to the naive interpreter in the same run."""

import random
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from kabao.adjudication.batch import BatchDecider, CaseBatch
from kabao.adjudication.compiler import ClaimPlan, Compiled, compile_book
from kabao.adjudication.decide import Adjudicator
from kabao.adjudication.loader import load_book
from kabao.adjudication.model import Case, Demand
from kabao.adjudication.naive import Naive
from kabao.adjudication.planes import Plane, words_for

_SEED: Final = 20260201
_CHANCE_KNOWN: Final = 0.6

Progress = Callable[[str], None]


def bench_decide(
    raw: bytes, *, replayed: int = 2_000_000, singles: int = 4000, slow: int = 400, progress: Progress | None = None
) -> dict[str, Any]:
    """Time the shipped or another book and return rates per second and their ratios to the naive interpreter.

    Every answer timed is compared with the naive one first; a difference raises RuntimeError.
    """
    said = progress or (lambda _: None)
    said("load and compile")
    loading = _seconds(lambda: compile_book(load_book(raw)), 1, 3)
    compiled = compile_book(load_book(raw))
    said("single decisions")
    cases = _cases(compiled, singles)
    naive, full = Naive(compiled.book), Adjudicator(compiled)
    _agree(cases[:slow], naive, full)
    plans = [(compiled.plans[case.claim].bare, case.known) for case in cases]
    rates = {
        "naive": _rate(lambda: [naive.decide(c.claim, c.known, c.amounts, c.demand) for c in cases[:slow]], slow),
        "bare": _rate(lambda: [bare(known) for bare, known in plans], singles),
        "bare_with_amounts": _rate(lambda: [full.bare(case) for case in cases], singles),
        "explained": _rate(lambda: [full.decide(case) for case in cases], singles),
    }
    said("replay")
    rates["replay"], widest = _replay_rate(compiled, replayed)
    base = rates["naive"]
    return {
        "ratio": round(rates["bare"] / base, 1),
        "bare_per_second": round(rates["bare"]),
        "naive_per_second": round(base),
        "articles": len(compiled.book.articles),
        "facts": len(compiled.book.facts),
        "claims": len(compiled.book.claims),
        "load_compile_seconds": round(loading, 4),
        "replayed_cases": replayed,
        "replayed_claim": widest,
        "per_second": {name: round(rate) for name, rate in rates.items()},
        "ratio_to_naive": {name: round(rate / base, 1) for name, rate in rates.items() if name != "naive"},
        "bars": {"bare": 8, "replay": 300},
        "passed": rates["bare"] / base >= 8 and rates["replay"] / base >= 300,  # noqa: PLR2004 - the bars
    }


def _seconds(work: Callable[[], object], rounds: int, best_of: int) -> float:
    best = float("inf")
    for _ in range(best_of):
        start = time.process_time()
        for _ in range(rounds):
            work()
        best = min(best, (time.process_time() - start) / rounds)
    return max(best, 1e-9)


def _rate(work: Callable[[], object], count: int) -> float:
    return count / _seconds(work, 1, 5)


def _cases(compiled: Compiled, count: int) -> list[Case]:
    """Draw consistent cases over all claims, each fact of the claim known or not, as an order would know them."""
    dice = random.Random(_SEED)  # noqa: S311 - a fixed draw, no secret
    book = compiled.book
    claims = list(book.claims)
    amounts = _amounts()
    found: list[Case] = []
    while len(found) < count:
        plan = compiled.plans[claims[len(found) % len(claims)]]
        known = _known(plan, dice)
        on = book.edition.effective
        found.append(Case(plan.claim, Demand.REFUND, known, (), {}, amounts, on, on))
    return found


def _known(plan: ClaimPlan, dice: random.Random) -> dict[str, bool]:
    known: dict[str, bool] = {}
    proved = disproved = 0
    for name in plan.facts:
        if dice.random() < _CHANCE_KNOWN:
            value = dice.random() < 0.5  # noqa: PLR2004 - an even chance
            masks = plan.literals[name, value]
            if not (proved | masks[0]) & (disproved | masks[1]):
                known[name] = value
                proved |= masks[0]
                disproved |= masks[1]
    return known


def _amounts() -> dict[str, int]:
    return {
        "price_minor": 9650, "days_total": 365, "days_used": 100, "uses_total": 10, "uses_used": 3, "face_minor": 10000,
        "balance_minor": 4000, "items_total": 10, "items_failed": 2, "value_received_minor": 5000,
        "overpaid_minor": 9650, "published_fee_minor": 60, "incurred_fee_minor": 58, "promise_multiple": 3,
        "promised_sum_minor": 1000, "late_fee_minor": 500, "granted_minor": 0,
    }  # fmt: skip


def _agree(cases: Sequence[Case], naive: Naive, full: Adjudicator) -> None:
    for case in cases:
        slow = naive.decide(case.claim, case.known, case.amounts, case.demand)
        quick = full.decide(case)
        if (slow.outcome, slow.shares, slow.refund_minor, slow.damages_minor) != (
            quick.outcome, quick.shares, quick.refund_minor, quick.damages_minor,
        ):  # fmt: skip
            raise RuntimeError(f"the engine and the naive interpreter differ on a {case.claim} case")


def _replay_rate(compiled: Compiled, count: int) -> tuple[float, str]:
    plan = max(compiled.plans.values(), key=lambda one: sum(len(part.rules) for part in one.issues.values()))
    batch = random_batch(plan, count)
    decider = BatchDecider(plan)
    return count / _seconds(lambda: decider.decide(batch), 1, 3), plan.claim


def random_batch(plan: ClaimPlan, count: int) -> CaseBatch:
    """Draw cases as planes, each fact known or not, contradictions and all."""
    dice = np.random.default_rng(_SEED)
    sides: tuple[dict[str, Plane], dict[str, Plane]] = ({}, {})
    words = words_for(count)
    for name in plan.facts:
        first, second, value = (dice.integers(0, 1 << 64, words, dtype=np.uint64) for _ in range(3))
        known = first & second
        sides[0][name] = known & value
        sides[1][name] = known & ~value
    return CaseBatch(plan.claim, count, *sides)
