"""Every golden case of this folder, decided by the shipped rulebook; the files are written for lawyers."""

from functools import cache
from pathlib import Path

import pytest

from kabao.adjudication.commands import shipped_book
from kabao.adjudication.compiler import Compiled, compile_book
from kabao.adjudication.golden import Golden, Runner, load_folder, load_golden
from kabao.adjudication.model import Outcome
from rulebooks import decided_unlike

FOLDER = Path(__file__).parent
BOOK = shipped_book()
CASES = {golden.golden_id: golden for golden in load_folder(FOLDER, BOOK)}
DEVELOPMENT = {golden.golden_id for golden in load_golden(FOLDER / "development.yaml", BOOK)}


@cache
def compiled() -> Compiled:
    return compile_book(BOOK)


@cache
def runner() -> Runner:
    return Runner(compiled())


@pytest.mark.parametrize("golden", CASES.values(), ids=CASES.keys())
def test_the_rulebook_decides_as_a_lawyer_would(golden: Golden) -> None:
    problems = runner().run(golden)
    assert not problems, f"{golden.title}\n{golden.story}\n" + "\n".join(problems)


def test_there_are_enough_cases_and_every_published_one() -> None:
    assert len(DEVELOPMENT) == 20
    assert len(CASES) >= 120


def test_every_article_wins_in_some_case() -> None:
    """An article that no case names could say anything."""
    expected = [golden.expected for golden in CASES.values()]
    expected += [one.law_book for one in expected if one.law_book is not None]
    won = {article for one in expected for article in one.articles}
    assert sorted(set(BOOK.articles) - won) == []


def test_every_outcome_is_met() -> None:
    met = {golden.expected.outcome for golden in CASES.values()}
    assert met == set(Outcome)


def test_every_claim_is_made() -> None:
    assert sorted(set(BOOK.claims) - {golden.case.claim for golden in CASES.values()}) == []


@pytest.mark.parametrize("golden", CASES.values(), ids=CASES.keys())
def test_claims_of_one_family_are_decided_alike(golden: Golden) -> None:
    """How somebody names a trouble decides neither the outcome, nor who answers, nor who pays."""
    assert not decided_unlike(compiled(), golden, BOOK)
