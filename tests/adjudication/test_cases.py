"""Cases as they come in: what is refused by name, how evidence becomes a status, what a contradiction leads to."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kabao.adjudication.casefile import AMOUNTS, make_case, read_case
from kabao.adjudication.decide import Adjudicator, Decision, plain
from kabao.adjudication.evidence import status, strength
from kabao.adjudication.model import Demand, Evidence, Outcome, Party, Shares, Unreadable
from rulebooks import book, compiled, edited_book

BASE = {"claim": "key_invalid", "facts": {"delivered": "proved"}, "amounts": {"price_minor": 9650}}


def decide(**changes: object) -> Decision:
    return Adjudicator(compiled()).decide(make_case({**BASE, **changes}, book()))


def shown(*items: tuple[str, str | None, int]) -> dict[str, object]:
    return {
        "evidence": [
            {"shows": side, "confidence": confidence, **({"kind": kind} if kind else {})}
            for side, kind, confidence in items
        ]
    }


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"claim": "nonsense"}, "nonsense"),
        ({"claim": 5}, "5 is not known"),
        ({"facts": {"delivred": "proved"}}, "the fact delivred .* .did you mean delivered"),
        ({"facts": {"bad_key": "proved"}}, "bad_key is derived"),
        ({"facts": {"delivered": True}}, "not known here"),
        ({"facts": {"delivered": ["proved"]}}, "mapping"),
        ({"facts": {"key_failed": {"evidence": [{"shows": "maybe", "confidence": 5}]}}}, "maybe"),
        ({"facts": {"key_failed": {"evidence": [{"shows": "proved", "confidence": 101}]}}}, "101"),
        ({"facts": {"key_failed": {"evidence": [{"shows": "proved", "confidence": 5, "kind": "rumour"}]}}}, "rumour"),
        ({"facts": {"key_failed": {"evidence": [{"confidence": 5}]}}}, "shows is missing"),
        ({"amounts": {}}, "price_minor is missing"),
        ({"amounts": {"price_minor": -1}}, "price_minor: -1"),
        ({"amounts": {"price_minor": 1.5}}, "price_minor: a whole number"),
        ({"amounts": {"price_minor": 10**12}}, "price_minor"),
        ({"amounts": {"price_minor": 1, "days_total": 3, "days_used": 4}}, "days_used is more than days_total"),
        ({"amounts": {"price_minor": 1, "uses_total": 0}}, "uses_total: 0"),
        ({"amounts": {"price_minor": 1, "failed_minor": 2}}, "failed_minor is more than price_minor"),
        ({"amounts": {"price_minor": 1, "luck": 2}}, "luck is not known"),
        ({"demand": "everything"}, "everything"),
        ({"ordered_on": "2026-13-01"}, "calendar"),
        ({"chosen_share": 101}, "101"),
        ({"conflict_expired": "yes"}, "true or false"),
        ({"verdict": "mine"}, "verdict is not known"),
        ({"facts": {"delivered": object()}}, "object"),
    ],
)
def test_an_impossible_case_is_refused_by_name(changes: dict[str, object], said: str) -> None:
    with pytest.raises(Unreadable, match=said):
        make_case({**BASE, **changes}, book())


def test_a_case_may_be_yaml_or_json_and_dates_default_to_the_book() -> None:
    yaml = "claim: key_invalid\nfacts: {delivered: proved}\namounts: {price_minor: 9650}\nordered_on: 2026-03-01\n"
    found = read_case(yaml, book())
    assert (found.ordered_on, found.filed_on) == (date(2026, 3, 1), date(2026, 3, 1))
    assert make_case(BASE, book()).ordered_on == book().edition.effective
    assert make_case({**BASE, "ordered_on": date(2026, 3, 1)}, book()).ordered_on == date(2026, 3, 1)


def test_every_amount_is_taken() -> None:
    amounts = dict.fromkeys(AMOUNTS, 1)
    assert make_case({**BASE, "amounts": amounts}, book()).amounts == amounts


items = st.lists(
    st.builds(Evidence, st.just(value=True), st.integers(0, 100), st.sampled_from([None, "platform_log", "screenshot"]))
)
CAPS = {"platform_log": 99, "screenshot": 70}


@given(items, st.integers(0, 100), st.sampled_from([None, "platform_log", "screenshot"]))
def test_more_evidence_never_weakens_its_side(some: list[Evidence], more: int, kind: str | None) -> None:
    extra = Evidence(shows=True, confidence=more, kind=kind)
    assert strength([*some, extra], CAPS) >= strength(some, CAPS)


def test_kinds_of_evidence_have_caps_and_corroborate_each_other() -> None:
    log, picture = Evidence(True, 60, "platform_log"), Evidence(True, 90, "screenshot")  # noqa: FBT003
    assert strength([], CAPS) == 0
    assert strength([picture], CAPS) == 70
    assert strength([picture, picture], CAPS) == 70
    assert strength([picture, log], CAPS) == 80
    assert strength([picture, Evidence(True, 29, "platform_log")], CAPS) == 70  # noqa: FBT003
    assert strength([Evidence(True, 100), picture], CAPS) == 100  # noqa: FBT003
    assert [status(pair, 75) for pair in ((75, 0), (0, 75), (75, 75), (74, 74))] == [
        True,
        False,
        "contested",
        "unknown",
    ]


def test_an_unknown_fact_settles_against_its_bearer_and_the_reasons_say_so() -> None:
    found = decide(facts={"delivered": "unknown"})
    assert found.outcome is Outcome.FULL_REFUND
    assert found.articles == ("not_delivered",)
    assert any("由商家承担举证责任" in text.zh for text in found.reasons)
    assert any("the merchant bears the burden" in text.en for text in found.reasons)


def test_withheld_records_shift_the_burden() -> None:
    calm = decide(facts={"delivered": "proved", "key_failed": "proved"})
    shifted = decide(facts={"delivered": "proved", "key_failed": "proved", "records_withheld": "proved"})
    assert (calm.damages_minor, shifted.damages_minor) == (0, 50000)
    assert "records_withheld" in {one.fact for one in calm.missing}
    assert shifted.payer is Party.PLATFORM


def test_what_follows_from_a_fact_is_known_too() -> None:
    found = decide(facts={"revealed": "proved", "key_failed": "proved"})
    assert found.articles[0] == "bad_on_delivery"
    assert "delivered" not in {one.fact for one in found.missing}


def test_the_buyer_chooses_among_the_remedies() -> None:
    facts = {"delivered": "proved", "key_failed": "proved"}
    replaced = decide(facts=facts, demand="replace")
    assert (replaced.outcome, replaced.refund_minor, replaced.remedy) == (Outcome.REPLACE, 0, "replace")
    assert replaced.payer is not Party.NOBODY
    assert decide(facts=facts, demand="perform").outcome is Outcome.FULL_REFUND


def test_both_sides_of_a_fact_shown_is_a_conflict_that_ends_for_the_stronger() -> None:
    both = shown(("proved", "issuer_record", 90), ("disproved", "platform_log", 80))
    facts = {"delivered": "proved", "key_failed": both}
    found = decide(facts=facts)
    assert found.outcome is Outcome.CONFLICT
    assert (found.refund_minor, found.shares, found.payer) == (0, Shares(), Party.NOBODY)
    assert found.conflict is not None
    assert (found.conflict.facts, found.conflict.hours, found.conflict.then) == (("key_failed",), 48, "FULL_REFUND")
    assert plain(found)["conflict"] == {"facts": ["key_failed"], "hours": 48, "then": "FULL_REFUND"}
    assert [one.fact for one in found.missing] == ["key_failed"]
    ended = decide(facts=facts, conflict_expired=True)
    assert ended.outcome is Outcome.FULL_REFUND


def test_a_tie_ends_as_unknown_and_so_does_every_conflict_under_burden() -> None:
    tie = shown(("proved", "platform_log", 80), ("disproved", "platform_log", 80))
    facts = {"delivered": "proved", "key_failed": tie}
    assert decide(facts=facts, conflict_expired=True).outcome is Outcome.DENY
    other = edited_book("then: stronger", "then: burden")
    stronger = shown(("proved", "issuer_record", 95), ("disproved", "platform_log", 80))
    wanted = {**BASE, "facts": {"delivered": "proved", "key_failed": stronger}, "conflict_expired": True}
    assert Adjudicator(other).decide(make_case(wanted, other.book)).outcome is Outcome.DENY
    assert any(
        "按未能证明处理" in t.zh
        for t in Adjudicator(other).decide(make_case({**wanted, "conflict_expired": False}, other.book)).reasons
    )


def test_facts_that_cannot_be_together_conflict_and_the_weaker_yields() -> None:
    facts = {
        "delivered": shown(("disproved", "platform_log", 80)),
        "revealed": shown(("proved", "platform_log", 95)),
        "key_failed": "proved",
    }
    assert decide(facts=facts).outcome is Outcome.CONFLICT
    assert decide(facts=facts, conflict_expired=True).articles[0] == "bad_on_delivery"
    equal = {**facts, "delivered": shown(("disproved", "platform_log", 95))}
    assert decide(facts=equal, conflict_expired=True).articles[0] == "not_delivered"
    reverse = {**facts, "delivered": shown(("disproved", "platform_log", 99))}
    assert decide(facts=reverse, conflict_expired=True).articles[0] == "not_delivered"


def test_a_contradiction_on_what_does_not_matter_does_not_stall() -> None:
    both = shown(("proved", None, 90), ("disproved", None, 90))
    found = decide(claim="changed_mind", facts={"delivered": "proved", "revealed": "disproved", "sold_before": both})
    assert found.outcome is Outcome.FULL_REFUND


def test_a_person_chooses_inside_the_range_and_the_shares_follow() -> None:
    facts = {"revealed": "proved", "restriction_shown": "disproved"}
    usual = decide(claim="changed_mind", facts=facts)
    assert (usual.refund_minor, usual.refund_share, usual.share_range) == (5790, 0.6, (40, 80))
    chosen = decide(claim="changed_mind", facts=facts, chosen_share=55)
    assert (chosen.refund_minor, chosen.shares) == (5308, Shares(45, 55, 0))
    assert decide(claim="changed_mind", facts=facts, chosen_share=99).refund_minor == 7720


def test_unlawful_goods_are_routed_out_with_nothing_decided() -> None:
    found = plain(decide(facts={"unlawful_goods": "proved", "delivered": "disproved"}))
    assert (found["outcome"], found["payer"], found["refund_minor"]) == ("ROUTE_OUT", None, 0)
    assert found["responsible"] == {"buyer": 0, "merchant": 0, "platform": 0}
    assert {"article": "not_delivered", "issue": "price", "by": ["unlawful"]} in found["defeated"]


def test_a_false_claim_costs_the_buyer_what_was_granted() -> None:
    facts = {"revealed": "proved", "buyer_used_key": "proved"}
    found = decide(facts=facts, amounts={"price_minor": 4075, "granted_minor": 2000})
    assert (found.outcome, found.buyer_pays_minor, found.payer) == (Outcome.BUYER_PAYS, 2000, Party.BUYER)


def test_cites_come_with_the_law_in_force_when_the_order_was_made() -> None:
    facts = {"delivered": "proved", "key_failed": "proved"}
    now = plain(decide(facts=facts, ordered_on="2026-03-01"))["cites"]
    assert {"law": "中华人民共和国民法典", "article": "577"}.items() <= now[1].items()
    assert all(not one["fault"] for one in now)
    before = plain(decide(facts=facts, ordered_on="2020-03-01"))["cites"]
    assert [one.get("fault") for one in before if one["cite"].startswith("民法典")] == ["not_in_force"]


def test_a_price_of_nothing_has_a_share_of_nothing() -> None:
    assert decide(amounts={"price_minor": 0}, facts={"delivered": "disproved"}).refund_share == 0.0


def test_an_amount_that_a_formula_needs_is_asked_for() -> None:
    other = edited_book("refund: {base: full, less: fee}}", "refund: unused_days}")
    wanted = {"claim": "changed_mind", "facts": {"revealed": "proved", "restriction_shown": "proved"},
              "amounts": {"price_minor": 9650}}  # fmt: skip
    found = Adjudicator(other).decide(make_case(wanted, other.book))
    assert found.outcome is Outcome.NEEDS_PERSON
    assert [one.fact for one in found.missing[:2]] == ["days_total", "days_used"]
    assert found.undecided == "amount"
    full = {**wanted, "amounts": {"price_minor": 9650, "days_total": 365, "days_used": 100}}
    assert Adjudicator(other).decide(make_case(full, other.book)).refund_minor == 7007
    assert Demand.REFUND.value == "refund"


def test_a_gap_and_a_clash_go_to_a_person() -> None:
    gap = edited_book(
        "    when: [revealed, no restriction_shown]", "    when: [revealed, no restriction_shown, warned_buyer_ignored]"
    )
    wanted = {**BASE, "claim": "changed_mind", "facts": {"revealed": "proved", "restriction_shown": "disproved"}}
    found = Adjudicator(gap).decide(make_case(wanted, gap.book))
    assert (found.outcome, found.undecided) == (Outcome.NEEDS_PERSON, "gap")
    clash = edited_book("    overrides: [bad_on_delivery.price]\n", "")
    sold = {**BASE, "facts": {"delivered": "proved", "sold_before": "proved"}}
    found = Adjudicator(clash).decide(make_case(sold, clash.book))
    assert (found.outcome, found.undecided) == (Outcome.NEEDS_PERSON, "clash")
