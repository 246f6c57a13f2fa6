"""The smaller rules of the grammar: each breach is refused with a sentence of its own."""

import re

import pytest

from kabao.adjudication.loader import load_book
from kabao.adjudication.model import Unreadable
from rulebooks import edited

_WARNED = "    claims: [changed_mind]\n    when: [revealed, warned_and_shown]"
_SHARED = (
    "      price: {outcome: PARTIAL_REFUND, refund: {base: fault, range: [40, 80]}}\n"
    "      responsible: {buyer: 40, merchant: 60}"
)
_CHOICE = "refund: full, remedy: [refund, replace], choice: buyer}"
_WHOLE_CHOICE = "{outcome: FULL_REFUND, refund: full, remedy: [refund, replace], choice: buyer}"
_FEE = "refund: {base: full, less: fee}}"
_OWED = "      damages: [proven_loss, interest]"
_ANY = "    any: [key_failed, sold_before]"
_LABEL = "    zh: 商家已交付卡密\n"
_UNKNOWN = "    if_unknown: disproved\n"
_CLAIM = "  key_invalid: {zh: 卡密无效, en: the key is invalid, kind: merchant, family: key}"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (_WARNED, _WARNED.replace("\n", "\n    not_claims: [all]\n"), "not all"),
        ("  - id: opened_warned\n    number: 9", "  - number: 9\n    id: opened_warned", "begins with its id"),
        ("  - id: opened_warned", "  - id: opened_regret", "stands here twice"),
        ("  - id: opened_warned", "  - id: gates", "is a chapter"),
        ("    favours: nobody\n", "    favours: buyer\n", "if_unknown"),
        ("    burden: nobody\n", "    burden: buyer\n", "nobody's burden"),
        (_UNKNOWN, f"{_UNKNOWN}    shift: [{{to: buyer, when: [delivered]}}]\n", "no burden to shift"),
        ("when: [records_withheld, key_failed]}", "when: [records_withheld, sold_before]}", "its own burden"),
        (_ANY, "    any: [key_failed, bad_key]", "go round"),
        (_ANY, "    any: [key_failed]\n    all: [sold_before]", "either any or all"),
        (_CLAIM, "  key: {zh: 卡, en: k, kind: merchant, family: key}", "is a claim"),
        ("    then:\n      payer: {who: platform, recourse: merchant}", "    then: {}", "at least one issue"),
        (_SHARED, "      price: {outcome: PARTIAL_REFUND, refund: fault}", "needs the responsible"),
        (_CHOICE, "refund: full, remedy: [refund, refund]}", "twice"),
        (_CHOICE, "refund: full, remedy: [replace, refund]}", "first remedy"),
        (_CHOICE, "refund: full, remedy: [replace]}", "go together"),
        (_CHOICE, "refund: {base: full, less: fee}}", "whole price"),
        (_WHOLE_CHOICE, "{outcome: REPLACE, remedy: [refund], refund: full}", "names its remedy first"),
        (_FEE, "refund: share}", "needs its percent"),
        (_FEE, "refund: {base: full, share: 5}}", "share belongs"),
        (_FEE, "refund: {base: none, less: fee}}", "taken off"),
        (_FEE, "refund: {base: full, less: use, at_most: 10}}", "needs less: fee"),
        (_FEE, "refund: {base: full, less: fee, at_most: 0}}", "between 1 and 99|at least 1"),
        ("range: [40, 80]}}", "range: [40]}}", "at least 2"),
        ("range: [40, 80]}}", "range: [40, 50, 80]}}", "more than 2"),
        (_OWED, "      damages: {base: interest, times: 2}", "times belongs"),
        (_OWED, "      damages: {base: interest, floor_minor: 5, cap_minor: 4}", "below the floor"),
        (_OWED, "      damages: {greater_of: [interest]}", "at least 2"),
        (_OWED, "      damages: [[interest]]", "mapping"),
        (_LABEL, "    zh: [商家]\n", "text is expected"),
        (_LABEL, f"    zh: {'长' * 4001}\n", "longer than"),
        ("    standard: balance", "    standard: [balance]", "one word"),
        (
            "    source: platform\n    claims: [key]",
            "    mandatory: true\n    source: platform\n    claims: [key]",
            "law",
        ),
        ("impossible:\n", "impossible: {}\n#", "a list is expected|did not find|expected"),
        ("claims:\n  key_invalid", "claims: {}\nclaimed:\n  key_invalid", "not known"),
    ],
)
def test_a_breach_is_refused_with_its_sentence(old: str, new: str, said: str) -> None:
    with pytest.raises(Unreadable) as caught:
        load_book(edited(old, new))
    assert re.search(said, str(caught.value)), str(caught.value)
