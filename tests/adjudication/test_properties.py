"""What must hold of every book, whoever writes it: on the sample, and on the shipped one where it is there."""

import io
import random
import re
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from kabao.adjudication.batch import BatchDecider, batch_of
from kabao.adjudication.compiler import ClaimPlan, Compiled, Verdict, compile_book, only_law
from kabao.adjudication.decide import Adjudicator, Decision
from kabao.adjudication.diff import Change, diff
from kabao.adjudication.findings import for_buyer
from kabao.adjudication.loader import load_book
from kabao.adjudication.model import Demand, Outcome, Party, Unreadable
from kabao.adjudication.mutate import mutants
from kabao.adjudication.naive import Naive
from kabao.adjudication.replay import replay
from rulebooks import AMOUNTS, BOOKS, book, case, claims, compiled, consistent_facts, edited, known_facts, text_of

pytestmark = pytest.mark.parametrize("name", BOOKS)


def decided(name: str, claim: str, known: dict[str, bool], **changes: object) -> Decision:
    return Adjudicator(compiled(name)).decide(case(claim, known, compiled(name), **changes))


@given(data=st.data())
def test_every_consistent_case_gets_a_whole_answer(name: str, data: st.DataObject) -> None:
    claim = data.draw(claims(name))
    known = data.draw(consistent_facts(name, claim))
    found = decided(name, claim, known, demand=data.draw(st.sampled_from(list(Demand))))
    total = found.shares.buyer + found.shares.merchant + found.shares.platform
    assert found.outcome is not Outcome.CONFLICT
    assert total in {0, 100}
    assert not found.undecided
    assert found.refund_minor >= 0
    assert found.reasons
    if found.outcome in {Outcome.ROUTE_OUT, Outcome.NEEDS_PERSON}:
        assert (total, found.refund_minor, found.damages_minor, found.payer) == (0, 0, 0, Party.NOBODY)


def shuffled(text: str, seed: int) -> str:
    head, _, tail = text.partition("\narticles:\n")
    parts = re.split(r"(?m)^(?=  - id:)", tail)
    first, articles = parts[0], parts[1:]
    articles = [part if part.endswith("\n") else f"{part}\n" for part in articles]
    random.Random(seed).shuffle(articles)  # noqa: S311 - a fixed draw
    return f"{head}\narticles:\n{first}{''.join(articles)}"


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000))
def test_the_order_of_articles_means_nothing(name: str, seed: int) -> None:
    other = load_book(shuffled(text_of(name), seed))
    found = diff(book(name), other)
    assert found.changes == ()
    plans = compile_book(other).plans
    dice = random.Random(seed)  # noqa: S311 - a fixed draw
    for claim, plan in compiled(name).plans.items():
        known = {fact: dice.random() < 0.5 for fact in plan.facts if dice.random() < 0.5}
        assert plans[claim].bare(known) == plan.bare(known)


def better(verdict: Verdict, than: Verdict) -> bool:
    """Tell whether a verdict is certainly better for the buyer than another, on any issue."""
    pairs = [(verdict.price, than.price), (verdict.damages, than.damages)]
    if Outcome.ROUTE_OUT in {verdict.price.outcome, than.price.outcome}:
        return False
    if Outcome.NEEDS_PERSON in {verdict.price.outcome, than.price.outcome}:
        return False
    for one, two in [*pairs, (verdict.shares, than.shares)]:
        mine, other = for_buyer(one), for_buyer(two)
        if mine is not None and other is not None and mine[0] > other[1]:
            return True
    return False


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_better_evidence_never_hurts_its_party(name: str, data: st.DataObject) -> None:
    claim = data.draw(claims(name))
    plan = compiled(name).plans[claim]
    known = data.draw(consistent_facts(name, claim))
    fact = data.draw(st.sampled_from(plan.facts))
    favours = book(name).facts[fact].favours
    if favours not in {Party.BUYER, Party.MERCHANT}:
        return
    rest = {one: value for one, value in known.items() if one != fact}
    steps = [plan.bare({**rest, fact: False}), plan.bare(rest), plan.bare({**rest, fact: True})]
    if favours is Party.MERCHANT:
        steps.reverse()
    steps = [step for step in steps if step.price.outcome is not Outcome.CONFLICT]
    for worse_evidence, better_evidence in pairwise(steps):
        assert not better(worse_evidence, better_evidence)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_batch_single_and_oracle_agree(name: str, data: st.DataObject) -> None:
    claim = data.draw(claims(name))
    rows = data.draw(st.lists(known_facts(name, claim), min_size=1, max_size=5))
    plan = compiled(name).plans[claim]
    decider = BatchDecider(plan)
    numbers = decider.decide(batch_of(claim, [(row, ()) for row in rows])).tolist()
    naive = Naive(book(name))
    demand = data.draw(st.sampled_from(list(Demand)))
    chosen = data.draw(st.none() | st.integers(0, 100))
    amounts = {**AMOUNTS, "price_minor": data.draw(st.integers(5000, 1_000_000))}
    for row, number in zip(rows, numbers, strict=True):
        assert decider.verdict(number) == plan.bare(row)
        slow = naive.decide(claim, row, amounts, demand, chosen)
        found = decided(name, claim, row, demand=demand, chosen_share=chosen, amounts=amounts)
        assert slow == (
            found.outcome, found.shares, found.refund_minor, found.damages_minor, found.buyer_pays_minor,
            found.payer, frozenset(found.articles),
        )  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_the_law_alone_agrees_with_the_oracle(name: str, data: st.DataObject) -> None:
    law = law_of(name)
    claim = data.draw(claims(name))
    row = data.draw(known_facts(name, claim))
    slow = Naive(law.book).decide(claim, row, AMOUNTS)
    found = Adjudicator(law).decide(case(claim, row, compiled(name)))
    assert (slow.outcome, slow.shares, slow.refund_minor) == (found.outcome, found.shares, found.refund_minor)


@cache
def law_of(name: str) -> Compiled:
    return compile_book(only_law(book(name)))


@given(data=st.data())
def test_every_conclusion_is_carried_by_an_article_or_a_declared_default(name: str, data: st.DataObject) -> None:
    claim = data.draw(claims(name))
    found = decided(name, claim, data.draw(consistent_facts(name, claim)))
    issues = {issue for issues in found.decided.values() for issue in issues}
    assert "price" in issues
    if found.shares.buyer + found.shares.merchant + found.shares.platform:
        assert "responsible" in issues
    if found.damages_minor:
        assert "damages" in issues
    if found.payer not in {Party.NOBODY, Party.MERCHANT, Party.BUYER}:
        assert "payer" in issues


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_what_is_not_listed_as_missing_cannot_alone_change_the_decision(name: str, data: st.DataObject) -> None:
    claim = data.draw(claims(name))
    known = data.draw(consistent_facts(name, claim))
    plan = compiled(name).plans[claim]
    listed = {one.fact: one for one in decided(name, claim, known).missing}
    before = plan.bare(known)
    for fact in book(name).facts:
        for value in (True, False):
            after = plan.bare({**known, fact: value})
            if known.get(fact, value) is not value or after.price.outcome is Outcome.CONFLICT:
                continue
            if after != before:
                assert fact in listed
                assert (listed[fact].if_proved if value else listed[fact].if_disproved) is not None
            elif fact in listed:
                assert (listed[fact].if_proved if value else listed[fact].if_disproved) is None


def relevant(plan: ClaimPlan) -> list[str]:
    return list(plan.facts)


@given(data=st.data())
def test_contradictory_evidence_is_always_a_conflict_with_a_way_out(name: str, data: st.DataObject) -> None:
    claim = data.draw(claims(name))
    known = data.draw(consistent_facts(name, claim))
    plan = compiled(name).plans[claim]
    fact = data.draw(st.sampled_from(relevant(plan)))
    weights = {fact: (data.draw(st.integers(80, 99)), data.draw(st.integers(80, 99)))}
    rest = {one: value for one, value in known.items() if one != fact}
    found = decided(name, claim, rest, contested=(fact,), weights=weights)
    assert found.outcome is Outcome.CONFLICT
    assert found.conflict is not None
    assert fact in found.conflict.facts
    after = decided(name, claim, rest, contested=(fact,), weights=weights, conflict_expired=True)
    assert after.outcome is not Outcome.CONFLICT
    assert found.conflict.then == after.outcome


def test_a_book_saved_again_decides_the_same_and_keeps_its_comments(name: str) -> None:
    yaml = YAML(typ="rt")
    yaml.width = 4000
    yaml.preserve_quotes = True
    out = io.StringIO()
    yaml.dump(yaml.load(text_of(name)), out)
    assert diff(book(name), load_book(out.getvalue())).empty
    for line in text_of(name).splitlines():
        if line.strip().startswith("#"):
            assert line.strip() in out.getvalue()


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_a_diff_names_the_cases_that_replay_otherwise(name: str, data: st.DataObject) -> None:
    new, flagged = data.draw(st.sampled_from(some_edits(name)))
    claim = data.draw(claims(name))
    old = compiled(name)
    known = {fact: data.draw(st.booleans()) for fact in old.plans[claim].facts}
    found = replay(old, new, [case(claim, known, old)])
    if old.plans[claim].bare(known) == new.plans[claim].bare(known):
        assert not found.moved
        return
    assert any(
        claim in change.claims and all(known.get(one.fact, one.holds) is one.holds for one in change.facts)
        for change in flagged
    )


@cache
def some_edits(name: str) -> tuple[tuple[Compiled, tuple[Change, ...]], ...]:
    found = [mutant.book for mutant in mutants(book(name)) if mutant.book is not None]
    random.Random(3).shuffle(found)  # noqa: S311 - a fixed draw
    return tuple((compile_book(other), diff(book(name), other, at_most=100_000).changes) for other in found[:6])


def one_edit(text: str, place: int, kind: str, char: str) -> str:
    if kind == "insert":
        return text[:place] + char + text[place:]
    if kind == "delete":
        return text[:place] + text[place + 1 :]
    return text[:place] + char + text[place + 1 :]


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_one_character_edit_loads_or_names_a_line(name: str, data: st.DataObject) -> None:
    text = text_of(name)
    place = data.draw(st.integers(0, len(text) - 1))
    kind = data.draw(st.sampled_from(["insert", "delete", "replace"]))
    char = data.draw(st.sampled_from(list(" \n\t:-[]{},'\"#&*!|>%@`?~0a中\x00\u2028\ufeff")) | st.characters())
    changed = one_edit(text, place, kind, char)
    try:
        compile_book(load_book(changed))
    except Unreadable as error:
        lines = changed.count("\n") + 1
        for problem in error.problems:
            assert 1 <= problem.line <= lines
            assert problem.column >= 1
            assert problem.message


def test_an_edit_is_blamed_on_its_own_line(name: str) -> None:
    text = text_of(name)
    for index, line in enumerate(text.splitlines(), 1):
        if re.match(r"    source: (law|platform|merchant)$", line):
            lines = text.splitlines()
            lines[index - 1] = line + "x"
            with pytest.raises(Unreadable) as caught:
                load_book("\n".join(lines))
            assert [problem.line for problem in caught.value.problems] == [index]
            return


def test_the_sample_edit_helper_wants_one_place(name: str) -> None:
    with pytest.raises(AssertionError):
        edited("zh", "x", text_of(name))
