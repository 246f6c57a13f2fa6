"""Books that must not load, each with the line that is to blame; and the traps of YAML."""

import re
from pathlib import Path

import pytest

from kabao.adjudication.loader import load_book, load_file
from kabao.adjudication.model import Issue, Literal, Unreadable
from kabao.adjudication.overrides import OverrideCycle
from kabao.adjudication.yamlread import MAX_BYTES, parse
from rulebooks import SAMPLE, edited


def problem_of(text: str | bytes) -> tuple[int, str]:
    with pytest.raises(Unreadable) as caught:
        load_book(text)
    first = caught.value.problems[0]
    return first.line, f"{first.message} ({first.hint})"


def blame(old: str, new: str) -> str:
    """Make one edit, load, and return the message; the blamed line must be the edited one."""
    line, message = problem_of(edited(old, new))
    assert line == SAMPLE[: SAMPLE.index(old)].count("\n") + 1 + old[: len(old) - len(old.lstrip("\n"))].count("\n")
    return message


def test_no_before_a_fact_means_its_denial_and_nothing_else_does() -> None:
    book = load_book(SAMPLE)
    assert book.articles["not_delivered"].when == (Literal("delivered", holds=False),)
    for broken in ("nodelivered", "not delivered", "no  delivered", "No delivered", "no_delivered", "-delivered"):
        with pytest.raises(Unreadable):
            load_book(edited("    when: [delivered, bad_key]", f"    when: [{broken}, bad_key]"))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("  - [no delivered, revealed]", "  - [no delivered, revealed, key_failed]", "pair"),
        ("  - [no delivered, revealed]", "  - [no delivered]", "pair"),
        ("  - [no delivered, revealed]", "  - [delivered, no delivered]", "two different facts"),
        ("  - [no delivered, revealed]", "  - [no delivered, bad_key]", "not declared"),
        ("    when: [delivered, bad_key]", "    when: delivered", "a list is expected"),
        ("    when: [delivered, bad_key]", "    when: []", "empty"),
        ("    when: [delivered, bad_key]", "    when: [delivered, delivered]", "twice"),
        ("    when: [delivered, bad_key]", "    when: [deliverd, bad_key]", "did you mean delivered"),
        ("    when: [delivered, bad_key]", "    when: [delivered, bad_key, buyer_used_key]", "in when already"),
        ("    overrides: [bad_on_delivery.price]", "    overrides: [bad_on_delivery.prize]", "not an issue"),
        ("    overrides: [bad_on_delivery.price]", "    overrides: [bad_on_delivery.responsible]", "does not decide"),
        ("    overrides: [bad_on_delivery.price]", "    overrides: [bad_on_delivry]", "did you mean bad_on_delivery"),
        ("    overrides: [bad_on_delivery.price]", "    overrides: [sold_twice]", "itself"),
        ("    overrides: [bad_on_delivery.price]", "    overrides: [platform_answers.price]", "none of the issues"),
        ("    overrides: [bad_on_delivery.price]", "    overrides: [chapter/nowhere]", "not declared"),
        ("    overrides: [bad_on_delivery.price]", "    overrides: [chapter:key]", "colon"),
        ("    number: 4", "    number: 3", "taken"),
        ("    number: 4", "    number: 04", "whole number"),
        ("    number: 4", '    number: "4"', "whole number"),
        ("    number: 4", "    number: 1000", "between"),
        ("  major: true", "  major: yes", "true or false"),
        ("  published: 2026-01-01", "  published: 2026-02-30", "calendar"),
        ("  published: 2026-01-01", "  published: yesterday", "a date"),
        ("  effective: 2026-02-01", "  effective: 2025-02-01", "before it is published"),
        ('  version: "sample-1"', "  version: 2026.1", "ambiguous"),
        ('  version: "sample-1"', "  version: on", "ambiguous"),
        ('  version: "sample-1"', "  version:", "empty"),
        ("  delivered_or_repaid:", "  on:", "cannot be an id|an id is expected"),
        ("  delivered_or_repaid:", "  Delivered:", "small letters"),
        ("    never: [DENY, BUYER_PAYS]", "    never: [DENIED, BUYER_PAYS]", "did you mean DENY"),
        ("conflict: {hours: 48,", "conflict: {hours: 0,", "between"),
        ("    if_unknown: disproved", "    set_by: party", "twice|if_unknown"),
        ("      damages: {base: multiple, times: 3, floor_minor: 50000}", "      damages: multiple", "times"),
        ("      damages: [proven_loss, interest]", "      damages: []", "empty"),
        ("      payer: {who: merchant, joint: platform}", "      payer: {who: platform, joint: platform}", "itself"),
        ("      responsible: {buyer: 40, merchant: 60}", "      responsible: {buyer: 40, merchant: 61}", "sum to 101"),
        ("      responsible: {buyer: 40, merchant: 60}", "      responsible: some", "not known"),
        ("range: [40, 80]}}", "range: [80, 40]}}", "low to high"),
        ("base: fault, range", "base: full, range", "range belongs|PARTIAL"),
        ("      price: {outcome: BUYER_PAYS, returns: granted}", "      price: {outcome: BUYER_PAYS}", "returns"),
        ("      price: {outcome: ROUTE_OUT}", "      price: {outcome: ROUTE_OUT, refund: full}", "no refund"),
        ("refund: {base: full, less: fee}}", "refund: full}", "a part"),
        ("  bad_key:\n", "  delivered:\n", "fact already"),
        ("    any: [key_failed, sold_before]", "    any: [key_failed, warned_and_shown]", ""),
        ("  platform_log: {cap: 99,", "  platform_log: {cap: 101,", "between"),
        (
            "    source: platform\n    claims: [key]",
            "    mandatory: true\n    source: platform\n    claims: [key]",
            "law",
        ),
        (
            "    claims: [key]\n    when: [buyer_used_key]",
            "    claims: [kee]\n    when: [buyer_used_key]",
            "did you mean",
        ),
    ],
)
def test_a_fault_is_told_with_a_hint(old: str, new: str, said: str) -> None:
    text = edited(old, new)
    if not said:
        load_book(text)
        return
    line, message = problem_of(text)
    assert re.search(said, message), message
    assert line > 0


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("standards:\n", "standards:\n  high: {percent: 75, zh: a, en: b}\n", "twice"),
        ("parameters:\n", "parameters: &a\n", "anchors"),
        ("parameters:\n", "parameters: !!map\n", "tags"),
        ("format: 1\n", "format: 1\nextra: 1\n", "extra is not known"),
        ("format: 1\n", "", "format is missing"),
        ("format: 1\n", "format: 2\n", "between"),
        ("format: 1\n", "%TAG ! x:\n---\nformat: 1\n", "directive"),
        ("format: 1\n", "<<: 1\nformat: 1\n", "merge|not known"),
        ("format: 1\n", "? [a]\n: 1\nformat: 1\n", "plain word"),
        ("parameters:\n", "parameters: *x\n", "anchors|expected"),
    ],
)
def test_yaml_traps_get_a_clear_error(old: str, new: str, said: str) -> None:
    _, message = problem_of(edited(old, new))
    assert re.search(said, message), message


def test_what_is_no_yaml_is_refused_with_a_line() -> None:
    assert problem_of("")[0] == 1
    assert problem_of("a: [1")[0] == 1
    assert problem_of('a: "x')[0] == 1
    for quote in "\"'":
        text = f"a: {quote}x{quote}\nb: [{quote}y, {quote}z{quote}]\nc: {quote}w{quote}\n"
        assert problem_of(text)[0] == 2, "a quote left out is told where it is missing, not at the end of the file"
    assert problem_of("a: it's so\nb: 'x\nc: y\n")[0] == 2
    assert problem_of("a: 1\n--- \nb: 2")[1].startswith("a second document")
    assert problem_of(b"a: 1\nb: \xff")[0] == 2
    assert problem_of("a: 1\nb: \x07")[0] == 2
    assert problem_of("a:\r\n  b: \u2028")[0] == 2
    assert "deeper" in problem_of("a: " + "[" * 13 + "]" * 13)[1]
    assert problem_of("[" * 100_000)[0] == 1
    assert problem_of("- 1\n- 2")[1].startswith("a mapping is expected")
    bomb = "a: &a [x]\nb: &b [*a,*a,*a,*a]\nc: [*b,*b,*b,*b]"
    assert "anchors" in problem_of(bomb)[1]


def test_a_huge_file_is_refused_without_being_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "huge.yaml"
    with path.open("wb") as file:
        file.truncate(100_000_000)
    with pytest.raises(Unreadable, match="larger"):
        load_file(path)
    with pytest.raises(Unreadable, match="cannot be read"):
        load_file(tmp_path / "nowhere.yaml")
    with pytest.raises(Unreadable, match="larger"):
        parse("x" * (MAX_BYTES + 1))


def test_the_rest_of_the_grammar_loads() -> None:
    damages = "      damages: {greater_of: [late_fee, {base: promise, less: refund, cap_minor: 9}]}"
    book = load_book(edited("      damages: [proven_loss, interest]", damages))
    found = book.articles["not_delivered"].values[Issue.DAMAGES]
    assert [part.base for part in found.parts[0].options] == ["late_fee", "promise"]  # type: ignore[union-attr]
    assert load_book(edited("      damages: [proven_loss, interest]", "      damages: none"))
    assert load_book(
        edited(
            "  platform_answers\n",
            "  platform_answers\n    summary: {zh: 简, en: short}\n",
            SAMPLE.replace("id: platform_answers", "id:  platform_answers"),
        )
    )
    assert load_book(
        edited("refund: full, remedy: [refund, replace], choice: buyer}", "refund: {base: full}, choice: merchant}")
    )
    share = load_book(edited("refund: {base: full, less: fee}}", "refund: {base: share, share: 50, range: [30, 60]}}"))
    assert share.articles["opened_regret"].values[Issue.PRICE].share == 50  # type: ignore[union-attr]
    payer = load_book(edited("      payer: buyer", "      payer: none"))
    assert payer.articles["used_by_buyer"].values[Issue.PAYER].who == "nobody"  # type: ignore[union-attr]
    everything = load_book(edited("    overrides: [all]", "    overrides: [chapter/key, chapter/regret.price]"))
    assert "unlawful" not in everything.beaten_by[Issue.RESPONSIBLE].get("restriction_hidden", ())


def test_overrides_never_go_round() -> None:
    text = edited(
        "    unless: [buyer_used_key]\n    then:\n      price: {outcome: FULL_REFUND, refund: full, remedy",
        "    unless: [buyer_used_key]\n    overrides: [sold_twice]\n    then:\n"
        "      price: {outcome: FULL_REFUND, refund: full, remedy",
    )
    with pytest.raises(OverrideCycle, match="overrides go round on price"):
        load_book(text)


def test_a_platform_article_overrides_law_only_where_the_law_leaves_it_open() -> None:
    override = (
        "    when: [revealed, restriction_shown]\n",
        "    when: [revealed, restriction_shown]\n    overrides: [%s]\n",
    )
    with pytest.raises(Unreadable, match="mandatory"):
        load_book(edited(override[0], override[1] % "restriction_hidden"))
    book = load_book(edited(override[0], override[1] % "sealed_regret"))
    assert "opened_regret" in book.beaten_by[Issue.PRICE]["sealed_regret"]
    assert "sealed_regret" not in book.beaten_by[Issue.PRICE]["opened_regret"]


def test_a_law_article_beats_a_lower_one_that_says_otherwise() -> None:
    beaten = load_book(SAMPLE).beaten_by[Issue.PRICE]
    assert "bad_on_delivery" in beaten["key_was_good"]
    assert "key_was_good" not in beaten.get("bad_on_delivery", ())


def test_a_pair_that_burdens_alone_would_make_true_is_refused() -> None:
    _, message = problem_of(edited("  - [no delivered, revealed]", "  - [identity_unknown, no delivered]"))
    assert "would both hold while neither is known" in message


def test_pairs_that_forbid_a_fact_altogether_are_refused() -> None:
    pairs = "  - [no delivered, revealed]\n  - [delivered, revealed]"
    _, message = problem_of(edited("  - [no delivered, revealed]", pairs))
    assert "can never hold" in message


def test_every_fault_of_a_file_is_told_at_once() -> None:
    text = edited("    number: 4", "    number: x").replace("    standard: balance\n", "    standard: baalance\n")
    with pytest.raises(Unreadable) as caught:
        load_book(text, "book.yaml")
    assert len(caught.value.problems) >= 2
    assert str(caught.value).startswith("book.yaml:")
