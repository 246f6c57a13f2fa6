"""Deadlines against people, many times over: each race has one winner, and the loser is told clearly which.

Hundreds run every time; `make soak` runs a hundred thousand (KABAO_CASE_RACES changes how many).
"""

import asyncio
import os
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from copies import Pattern
from dispute import FIRST_VIEW, HANDED_IN, HOUR, MERCHANTS, TO_ASK, Desk, seen
from kabao.cases import CaseView, MakeOffer, Outcome, Remedy, Rule
from kabao.kernel import Refusal, Refused
from kabao.postgres import Database

SEED = 20261123
AT_ONCE = 8
"""Cases raced at the same time; each has three contenders."""
BEGINNINGS = ("clock first", "people first", "at once", "scattered")
"""Who begins in a round. The first two are no races: they show that each side can win what the others race for."""
SPREAD = 0.05
"""Seconds over which everybody begins in a scattered round."""
PART = MakeOffer(kind=Remedy.PARTIAL_REFUND, refund_minor=6000)
ALL = Rule(outcome=Outcome.FULL_REFUND, shares=MERCHANTS, facts="事实", reasons="理由")
CLEAR = {Refusal.ALREADY_RULED, Refusal.CASE_CLOSED, Refusal.NOT_YOUR_TURN, Refusal.OFFER_GONE}
"""What a loser may be told: which of them it is depends on which step won."""
# Steps that leave a deadline or an outcome behind, of which a case can have one at a moment.
KINDS = ("deadline", "withdrawal", "publication", "execution", "review")


async def left_for(desk: Desk, case: CaseView) -> list[str]:
    """Read which stages the steps led to that took a case out of the stage it was raced in."""
    rows = await desk.database.fetch(
        """SELECT e.to_stage FROM cases c JOIN case_event e USING (shop_id, case_id)
            WHERE c.order_id = $1 AND e.from_stage = $2 AND e.to_stage <> $2""",
        case.order.order_id,
        case.stage.value,
    )
    return [row["to_stage"] for row in rows]


async def prepared(desk: Desk, kind: str) -> tuple[CaseView, int]:
    """Lead a case to where the race of its kind begins; returns it and an offer on the table (0: none)."""
    case = await desk.case()
    if kind in {"deadline", "withdrawal"}:
        made = seen(await desk.cases.offer(desk.market.owner, case.ref, PART))
        return made, made.offers[-1].offer_id
    await desk.database.execute(
        """UPDATE cases SET previous = 'negotiation', stage = 'support', turn = 'support', due_at = $2, stage_since = $3
            WHERE order_id = $1""",
        case.order.order_id,
        desk.clock.at + 4000 * HOUR,
        desk.clock.at,
    )
    made = seen(await desk.cases.offer(desk.market.owner, case.ref, PART))
    seen(await desk.ladder.first_view(desk.market.staff, case.ref, FIRST_VIEW))
    seen(await desk.ladder.rule(desk.market.staff, case.ref, ALL))
    if kind == "publication":
        return made, made.offers[-1].offer_id
    desk.pass_time(HANDED_IN)
    await desk.cases.tick()
    return seen(await desk.cases.case(desk.market.buyer, case.ref)), 0


def contenders(desk: Desk, kind: str, case: CaseView, offer_id: int) -> list[Any]:
    """Return what is tried at the same moment; the first is always the clock's own step."""
    buyer, owner, ladder, cases = desk.market.buyer, desk.market.owner, desk.ladder, desk.cases
    people: dict[str, list[Callable[[], Any]]] = {
        "deadline": [lambda: cases.accept(buyer, case.ref, offer_id), lambda: cases.escalate(buyer, case.ref)],
        "withdrawal": [lambda: cases.withdraw(buyer, case.ref), lambda: cases.accept(buyer, case.ref, offer_id)],
        "publication": [
            lambda: cases.accept(buyer, case.ref, offer_id),
            lambda: ladder.take_back(desk.market.staff, case.ref),
        ],
        "execution": [
            lambda: ladder.ask_review(buyer, case.ref, "再看看。"),
            lambda: ladder.ask_review(owner, case.ref, "也看看。"),
        ],
        "review": [lambda: ladder.ask_review(buyer, case.ref, "再看看。"), lambda: ladder.waive(buyer, case.ref)],
    }
    return [cases.tick(), *(begin() for begin in people[kind])]


async def race_once(
    desk: Desk, kind: str, ready: list[tuple[CaseView, int]], beginning: str, rng: random.Random
) -> Counter[str]:
    """Let people and the clock try cases of one kind and hold each case to one winner."""
    desk.pass_time({"publication": HANDED_IN, "execution": TO_ASK, "review": TO_ASK}.get(kind, 48 * HOUR))
    runs = [contenders(desk, kind, case, offer_id) for case, offer_id in ready]
    flat = [(place, number == 0, work) for place, works in enumerate(runs) for number, work in enumerate(works)]
    rng.shuffle(flat)
    halves = {"clock first": (True, False), "people first": (False, True)}.get(beginning, (None,))
    spread = SPREAD if beginning == "scattered" else 0.0
    answers: list[tuple[int, Any]] = []
    for half in halves:
        now = [(place, work) for place, is_clock, work in flat if half is None or half is is_clock]
        found = await asyncio.gather(*(_begun_after(rng.random() * spread, work) for _, work in now))
        answers += [(place, answer) for (place, _), answer in zip(now, found, strict=True)]
    won: Counter[str] = Counter()
    for place, (case, _) in enumerate(ready):
        refused = [answer for where, answer in answers if where == place and isinstance(answer, Refused)]
        assert {answer.code for answer in refused} <= CLEAR | {Refusal.UNDO_OVER}, (kind, refused)
        left = await left_for(desk, case)
        assert len(left) == 1 or (not left and kind == "review"), (kind, left)
        won[left[0] if left else "stays"] += 1
    return won


async def _begun_after(seconds: float, work: Any) -> Any:
    await asyncio.sleep(seconds)
    return await work


async def clear(desk: Desk) -> None:
    """Let everything end, so that the next round starts without cases that are due."""
    await desk.database.execute("UPDATE cases SET due_at = NULL WHERE closed_at IS NULL")


async def races(desk: Desk, total: int, seed: int = SEED) -> Counter[str]:
    """Race `total` cases, the same number of each kind; each stands as one did that was led there step by step."""
    rng = random.Random(seed)  # noqa: S311  a seed, so that a race can be run again
    won = Counter[str]()
    stand = {}
    for kind in KINDS:
        case, offer_id = await prepared(desk, kind)
        stand[kind] = (desk.clock.at, await Pattern.of(desk, case, offer_id))
    for number in range(total // AT_ONCE):
        kind, beginning = KINDS[number % len(KINDS)], BEGINNINGS[number // len(KINDS) % len(BEGINNINGS)]
        desk.clock.at, pattern = stand[kind]
        ready = await pattern.copies(desk, range(number * AT_ONCE + 1, (number + 1) * AT_ONCE + 1))
        found = await race_once(desk, kind, ready, beginning, rng)
        won.update({f"{kind}: {stage}": count for stage, count in found.items()})
        await clear(desk)
    return won


@pytest.mark.timeout(900)
async def test_every_race_of_a_deadline_has_one_winner(database: Database, tmp_path: Path) -> None:
    total = int(os.environ.get("KABAO_CASE_RACES", "400"))
    desk = await Desk.ready(database, tmp_path, keys=len(KINDS))
    won = await races(desk, total)
    assert won.total() == total // AT_ONCE * AT_ONCE
    kinds = Counter(kind.split(":")[0] for kind in won)
    assert kinds.keys() == set(KINDS)
    assert all(ends > 1 for ends in kinds.values()), f"somebody always wins: {won}"


@pytest.mark.soak
@pytest.mark.parametrize("batch", range(20))
async def test_a_hundred_thousand_races_have_one_winner_each(database: Database, tmp_path: Path, batch: int) -> None:
    """In twenty databases: one grows slow, since nothing vacuums the tests' server."""
    total = int(os.environ.get("KABAO_CASE_RACES", "100000")) // 20
    desk = await Desk.ready(database, tmp_path, keys=len(KINDS))
    won = await races(desk, total, SEED + batch)
    assert won.total() == total // AT_ONCE * AT_ONCE
    print(won)  # noqa: T201  who won how often is what a soak is read for
    report = await desk.database.fetchval("SELECT count(*) FROM escrow WHERE released + refunded > amount_minor")
    assert report == 0
