"""The machine check finds each kind of fault, shows a small case, and Z3 agrees with trying every combination."""

import pytest

from kabao.adjudication.check import check, notes
from kabao.adjudication.compiler import compile_book
from kabao.adjudication.findings import Finding, Kind, told
from kabao.adjudication.mutate import mutants
from rulebooks import book, compiled, edited, edited_book

_SHOWN = "    when: [revealed, restriction_shown]\n"
_SPARE = "  spare:\n    zh: 多余\n    en: spare\n    favours: buyer\n    burden: buyer\n    standard: high\n"


def found(old: str, new: str) -> list[Finding]:
    return list(check(edited_book(old, new)))


def kinds(findings: list[Finding]) -> set[Kind]:
    return {one.kind for one in findings}


def test_the_sample_is_clean() -> None:
    assert check(compiled()) == ()
    assert notes(compiled()) == ()


def test_a_gap_is_shown_as_a_small_case() -> None:
    gaps = [
        one
        for one in found(
            "    when: [revealed, no restriction_shown]",
            "    when: [revealed, no restriction_shown, warned_buyer_ignored]",
        )
        if one.kind is Kind.GAP
    ]
    assert gaps
    example = gaps[0].example
    assert example is not None
    assert example.claims == ("changed_mind",)
    assert {str(one) for one in example.facts} == {
        "revealed", "no restriction_shown", "no warned_buyer_ignored", "no unlawful_goods",
    }  # fmt: skip
    assert "revealed: proved" in told(gaps[0], book(), "book.yaml")


def test_a_contradiction_names_both_articles() -> None:
    clashes = [one for one in found("    overrides: [bad_on_delivery.price]\n", "") if one.kind is Kind.CONTRADICTION]
    assert [set(one.articles) for one in clashes] == [{"bad_on_delivery", "sold_twice"}]
    assert clashes[0].line > 0


def test_a_broken_duty_is_found() -> None:
    broken = found(
        "    unless: [bad_key, buyer_used_key]\n", "    unless: [bad_key, buyer_used_key]\n    overrides: []\n"
    )
    assert not broken
    text = edited("    when: [no delivered]\n    then:", "    when: [no delivered, revealed]\n    then:")
    assert Kind.UNREACHABLE in kinds(list(check(compile_book(_load(text)))))
    deny = found(
        "      price: {outcome: FULL_REFUND, refund: full}\n      responsible: {merchant: 100}\n      damages: [proven",
        "      price: {outcome: DENY}\n      responsible: {merchant: 100}\n      damages: [proven",
    )
    assert Kind.DUTY in kinds(deny)


def _load(text: str):  # noqa: ANN202 - a Rulebook
    from kabao.adjudication.loader import load_book  # noqa: PLC0415

    return load_book(text)


def test_evidence_that_hurts_its_own_party_is_found_also_across_states_that_cannot_be() -> None:
    hurt = found("    when: [buyer_used_key]\n", "    when: [buyer_used_key, bad_key]\n")
    assert Kind.GAP in kinds(hurt)
    turned = found(
        '      price: {outcome: DENY}\n      responsible: {buyer: 100}\n    cites: ["民法典 509"]',
        '      price: {outcome: FULL_REFUND}\n      responsible: none\n    cites: ["民法典 509"]',
    )
    assert Kind.MONOTONICITY not in kinds(turned)
    worse = found(
        "    favours: buyer\n    burden: buyer\n    standard: beyond_doubt",
        "    favours: merchant\n    burden: merchant\n    standard: beyond_doubt",
    )
    assert Kind.MONOTONICITY in kinds(worse)


_PANEL_IN_DAYS = "  panel: {value: 72, unit: days, zh: 组, en: panel}\n"
_REVIEW_OF_NO_TIME = "  review: {value: 0, unit: hours, zh: 核, en: review}\n"
_PAUSE_TOO_LONG = (
    "  question_pause: {value: 49, unit: hours, zh: 停, en: pause}\n"
    "  support_outcome: {value: 48, unit: hours, zh: 果, en: outcome}\n"
)


@pytest.mark.parametrize(
    ("old", "new", "kind", "said"),
    [
        (_SHOWN, _SHOWN.replace("]", ", no delivered]"), Kind.UNREACHABLE, "never decides"),
        ("  identity_unknown:\n", f"{_SPARE}  identity_unknown:\n", Kind.UNUSED, "spare"),
        ("derived:\n", "derived:\n  idle: {zh: 闲, en: idle, any: [delivered]}\n", Kind.UNUSED, "idle"),
        ("standards:\n", "standards:\n  extra: {percent: 60, zh: 多, en: more}\n", Kind.UNUSED, "standard extra"),
        ("chapters:\n", "chapters:\n  extra: {zh: 多, en: more}\n", Kind.UNUSED, "chapter extra"),
        ('    cites: ["电商法 20"]', '    cites: ["月球法 20"]', Kind.CITATION, "not in the catalogue"),
        ("  effective: 2026-02-01", "  effective: 2026-01-14", Kind.NOTICE, "15 are needed"),
        ("when: [records_withheld, key_failed]}", "when: [delivered]}", Kind.SHIFT_HURTS, "against the party"),
        ("parameters:\n", f"parameters:\n{_PANEL_IN_DAYS}", Kind.PARAMETER, "parameter panel"),
        ("parameters:\n", f"parameters:\n{_REVIEW_OF_NO_TIME}", Kind.PARAMETER, "at least 1 hours"),
        ("parameters:\n", f"parameters:\n{_PAUSE_TOO_LONG}", Kind.PARAMETER, "exceeds support_outcome"),
    ],
)  # fmt: skip
def test_smaller_faults_are_found(old: str, new: str, kind: Kind, said: str) -> None:
    findings = [one for one in found(old, new) if one.kind is kind]
    assert findings
    assert any(said in one.message for one in findings)


def test_a_claim_without_articles_is_a_gap() -> None:
    text = edited("chapters:\n", "  lonely: {zh: 孤, en: lonely, kind: buyer, family: alone}\nchapters:\n")
    text = text.replace("claims: [all]", "claims: [key, regret]")
    findings = list(check(compile_book(_load(text))))
    assert any(one.kind is Kind.UNUSED and "lonely" in one.message for one in findings)
    assert Kind.GAP in kinds(findings)


def test_an_override_of_what_never_holds_beside_it_is_a_note() -> None:
    idle = notes(
        edited_book(
            "    overrides: [bad_on_delivery.price]", "    overrides: [bad_on_delivery.price, not_delivered.price]"
        )
    )
    assert [one.kind for one in idle] == [Kind.NOTE]


def signature(findings: tuple[Finding, ...]) -> set[tuple[Kind, tuple[str, ...]]]:
    return {(one.kind, one.articles) for one in findings}


def test_z3_and_trying_everything_agree_on_mutants() -> None:
    for index, mutant in enumerate(mutants(book())):
        if mutant.book is not None and index % 4 == 0:
            ready = compile_book(mutant.book)
            assert signature(check(ready)) == signature(check(ready, exhaustive_bits=0)), mutant.edit


def test_most_mutants_are_caught_before_any_golden_case() -> None:
    every = list(mutants(book()))
    refused = [one for one in every if one.book is None]
    caught = [one for one in every if one.book is not None and check(compile_book(one.book))]
    assert len(every) > 100
    assert refused
    assert len(caught) + len(refused) > len(every) // 2
