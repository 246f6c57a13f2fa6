"""Small mistakes in the shipped book are noticed: by the loader, a golden case or the check; or they change nothing.

A mutant that does change decisions and slips through is listed in ``survivors.txt`` with its reason, and only there.
One of which the comparison of both books shows no changed case needs no entry: it is the same book in other words.
"""

from functools import cache
from pathlib import Path
from typing import Final
from zlib import crc32

import pytest

from kabao.adjudication.check import check
from kabao.adjudication.compiler import compile_book
from kabao.adjudication.diff import diff
from kabao.adjudication.golden import Golden, Runner, load_folder
from kabao.adjudication.model import Rulebook
from kabao.adjudication.mutate import Edit, edits
from rulebooks import BOOKS, book, decided_unlike

RULINGS = Path(__file__).parent.parent / "rulings"
LISTED = Path(__file__).parent / "survivors.txt"
OF_EACH_KIND: Final = {"drop claim": 60, "other": 245}
SEED: Final = "3:"
SLICES: Final = 4

pytestmark = pytest.mark.skipif("shipped" not in BOOKS or not RULINGS.is_dir(), reason="no shipped book")


@cache
def golden_cases() -> list[Golden]:
    return load_folder(RULINGS, book("shipped"))


@cache
def sample() -> list[Edit]:
    """Draw by a fixed seed and each edit's own words, so that a new article leaves the rest of the sample alone."""
    found = []
    for kind, count in OF_EACH_KIND.items():
        group = [one for one in edits(book("shipped")) if (": drop claim " in one.edit) == (kind == "drop claim")]
        found += sorted(group, key=lambda one: crc32(f"{SEED}{one.edit}".encode()))[:count]
    return found


def noticed(edit: str, mutant: Rulebook) -> str:
    compiled = compile_book(mutant)
    runner = Runner(compiled)
    article = edit.split(":", maxsplit=1)[0]
    nearest = sorted(golden_cases(), key=lambda one: article not in one.expected.articles)
    if any(runner.run(one) for one in nearest):
        return "golden"
    if ": drop claim " in edit and any(decided_unlike(compiled, one, book("shipped")) for one in nearest):
        return "golden"
    if check(compiled):
        return "check"
    found = diff(book("shipped"), mutant, at_most=1)
    return "" if found.changes or found.facts else "equivalent"


def listed() -> dict[str, str]:
    lines = LISTED.read_text(encoding="utf-8").splitlines()
    entries = [line.split(" # ", 1) for line in lines if line and not line.startswith("#")]
    return {edit.strip(): (reason[0] if reason else "") for edit, *reason in entries}


def test_the_sample_is_large_enough() -> None:
    assert len({one.edit for one in sample()}) >= 300


def test_every_listed_survivor_is_a_mutant_with_a_reason() -> None:
    assert sorted(edit for edit, reason in listed().items() if not reason) == []
    assert sorted(listed().keys() - {one.edit for one in edits(book("shipped"))}) == []


@pytest.mark.parametrize("part", range(SLICES))
def test_small_mistakes_are_noticed_or_change_nothing(part: int) -> None:
    nothing_slips(sample()[part::SLICES])


@pytest.mark.soak
def test_every_small_mistake_is_noticed_or_changes_nothing() -> None:
    nothing_slips(list(edits(book("shipped"))))


def nothing_slips(some: list[Edit]) -> None:
    counts: dict[str, int] = {}
    slipped = set()
    for edit in some:
        mutant = edit.of(book("shipped"))
        how = "load" if mutant.book is None else noticed(mutant.edit, mutant.book)
        counts[how] = counts.get(how, 0) + 1
        if not how:
            slipped.add(mutant.edit)
    assert sorted(slipped - listed().keys()) == [], counts
