"""Builders for the tests of the rulebook: the sample and the shipped book, edits of their text, drawn cases."""

from functools import cache
from importlib.resources import files
from pathlib import Path

import msgspec
from hypothesis import strategies as st

from kabao.adjudication.compiler import Compiled, compile_book
from kabao.adjudication.decide import Adjudicator
from kabao.adjudication.golden import Golden
from kabao.adjudication.loader import load_book
from kabao.adjudication.model import Case, Demand, Rulebook

SAMPLE_PATH = Path(__file__).parent / "adjudication" / "sample.yaml"
SAMPLE = SAMPLE_PATH.read_text(encoding="utf-8")
SHIPPED_FILE = files("kabao.adjudication") / "rulebook.yaml"
EARLIER = {
    path.name.removesuffix(".yaml"): Path(str(path)) for path in (files("kabao.adjudication") / "editions").iterdir()
}
"""The versions that were shipped before, by their names."""
BOOKS = ["sample", "shipped"] if SHIPPED_FILE.is_file() else ["sample"]

AMOUNTS = {
    "price_minor": 9650, "days_total": 365, "days_used": 100, "uses_total": 10, "uses_used": 3, "face_minor": 10000,
    "balance_minor": 4000, "items_total": 10, "items_failed": 2, "value_received_minor": 5000, "overpaid_minor": 9650,
    "published_fee_minor": 60, "incurred_fee_minor": 58, "promise_multiple": 3, "promised_sum_minor": 1000,
    "late_fee_minor": 500, "granted_minor": 2000, "proven_loss_minor": 300, "interest_minor": 7, "costs_minor": 11,
    "use_value_minor": 100,
}  # fmt: skip


@cache
def text_of(name: str) -> str:
    return SAMPLE if name == "sample" else SHIPPED_FILE.read_text(encoding="utf-8")


@cache
def compiled(name: str = "sample") -> Compiled:
    return compile_book(load_book(text_of(name), name))


def book(name: str = "sample") -> Rulebook:
    return compiled(name).book


def edited(old: str, new: str, text: str = SAMPLE) -> str:
    """Replace what stands exactly once."""
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times"
    return text.replace(old, new)


def renamed(version: str) -> str:
    """Write the shipped book as another version."""
    shipped = text_of("shipped")
    return edited(f'version: "{load_book(shipped).edition.version}"', f'version: "{version}"', shipped)


def edited_book(old: str, new: str) -> Compiled:
    return compile_book(load_book(edited(old, new)))


def case(claim: str, known: dict[str, bool], compiled_book: Compiled | None = None, **changes: object) -> Case:
    on = (compiled_book or compiled()).book.edition.effective
    fields = {
        "claim": claim, "demand": Demand.REFUND, "known": known, "contested": (), "weights": {}, "amounts": AMOUNTS,
        "ordered_on": on, "filed_on": on,
    }  # fmt: skip
    return Case(**{**fields, **changes})  # type: ignore[arg-type]


@st.composite
def known_facts(draw: st.DrawFn, name: str, claim: str) -> dict[str, bool]:
    """Draw statuses of the facts that matter to a claim, contradictions and all."""
    facts = compiled(name).plans[claim].facts
    values = draw(st.lists(st.sampled_from([None, True, False]), min_size=len(facts), max_size=len(facts)))
    return {fact: value for fact, value in zip(facts, values, strict=True) if value is not None}


@st.composite
def consistent_facts(draw: st.DrawFn, name: str, claim: str) -> dict[str, bool]:
    """Draw statuses that contradict nothing."""
    drawn = draw(known_facts(name, claim))
    plan = compiled(name).plans[claim]
    kept: dict[str, bool] = {}
    for fact, value in drawn.items():
        proved, disproved = plan.masks({**kept, fact: value})
        if not proved & disproved:
            kept[fact] = value
    return kept


def claims(name: str) -> st.SearchStrategy[str]:
    return st.sampled_from(list(compiled(name).book.claims))


def decided_unlike(compiled_book: Compiled, golden: Golden, meant: Rulebook) -> bool:
    """Tell whether another claim of the same family decides a golden case otherwise.

    How somebody names a trouble does not decide it; where ``meant`` names single claims in an article, it means to.
    """
    own = golden.case.claim
    named = {article.claims[0] for article in meant.articles.values() if len(article.claims) == 1}
    if own in named:
        return False
    family = meant.claims[own].family
    siblings = [name for name, claim in meant.claims.items() if claim.family == family and name not in named]
    adjudicator = Adjudicator(compiled_book)
    decisions = [adjudicator.decide(msgspec.structs.replace(golden.case, claim=name)) for name in siblings]
    return (
        len(
            {
                (one.outcome, one.shares, one.refund_minor, one.damages_minor, one.payer, one.joint, one.recourse)
                for one in decisions
            }
        )
        > 1
    )
