"""The structured terms contradict each other nowhere: proved over all of them, and the proof can fail."""

import json
import random
import re

import pytest

from kabao.cases.clauses.documents import structured
from kabao.cli import main
from kabao.shops import ChangedMind, Terms
from kabao.shops.promises import (
    DAY,
    FULL,
    NOTHING,
    PROMISES,
    Clock,
    Fault,
    Promise,
    Situation,
    Window,
    agree,
    applies,
    demanded,
    is_stated,
)
from kabao.shops.proof import Proof, prove
from kabao.shops.rules import TERM_BOUNDS, terms_faults
from kabao.web.render import environment

CLAUSES = (
    # Refund within the warranty is refused, though the claim days give it.
    Promise(
        promise_id="no_refund",
        term="warranty_days",
        opened=True,
        faults=frozenset({Fault.DEAD}),
        window=Window(Clock.OPENING, "warranty_days", DAY),
        refund=NOTHING,
    ),
    # A sealed key is paid back from the deposit, though its money is held.
    Promise(promise_id="other_purse", term="escrow_hours", opened=False, from_escrow=False),
    # Everything is refunded in the first days, whatever fee is stated.
    Promise(
        promise_id="trial",
        term="claim_days",
        opened=True,
        faults=frozenset({Fault.NONE}),
        window=Window(Clock.OPENING, "claim_days", DAY),
        refund=FULL,
    ),
)


def test_no_terms_a_shop_may_state_demand_two_outcomes_in_any_situation(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["terms", "prove", "--json"])
    assert ended.value.code == 0
    assert json.loads(capsys.readouterr().out) == {"promises": len(PROMISES), "clashes": [], "idle": []}
    with pytest.raises(SystemExit):
        main(["terms", "prove"])
    assert f"{len(PROMISES)} 项承诺两两对照" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("clause", "against"),
    [
        (CLAUSES[0], {"dead", "warranty"}),
        (CLAUSES[1], {"sealed", "late"}),
        (CLAUSES[2], {"unwanted_keeps_all", "unwanted_keeps_fee"}),
    ],
    ids=[clause.promise_id for clause in CLAUSES],
)
def test_one_more_term_that_contradicts_is_found_with_both_places_and_an_example(
    clause: Promise, against: set[str]
) -> None:
    found = list(Proof([*PROMISES, clause]).clashes())
    assert {one.first.promise_id for one in found} == against
    for one in found:
        assert one.second is clause
        # The code finds the example as contradictory as the solver does.
        assert one.situation.is_possible
        assert terms_faults(one.terms) == {}
        assert applies(one.first, one.terms, one.situation)
        assert applies(clause, one.terms, one.situation)
        assert not agree(demanded(one.first, one.terms), demanded(clause, one.terms))
    told = prove([*PROMISES, clause]).clashes
    assert len(told) == len(found)
    assert found[0].first.term in told[0]
    assert clause.term in told[0]


def test_only_what_publishing_refuses_can_contradict() -> None:
    """Nothing given back and a fee kept of what is given back: the one pair, and a shop is told at the field."""
    [clash] = Proof(lawful=False).clashes()
    assert (clash.first.term, clash.second.term) == ("changed_mind_after_open", "partial_fee_percent")
    assert "partial_fee_percent" in terms_faults(clash.terms)
    assert "拆封后不退" in terms_faults(Terms(partial_fee_percent=20))["partial_fee_percent"]


def test_a_term_that_never_applies_proves_nothing_and_is_named() -> None:
    never = Promise(promise_id="never", term="claim_days", delivered=False, opened=True, refund=FULL)
    assert prove([*PROMISES, never]).idle == ("never",)


def drawn(chance: random.Random) -> tuple[Terms, Situation]:
    numbers = {
        name: chance.choice([least - 1, least, most, most + 1, chance.randint(least, most)])
        for name, (least, most) in TERM_BOUNDS.items()
    }
    percent = numbers.pop("partial_fee_percent")
    terms = Terms(
        **numbers,
        replacement_offered=chance.random() < 0.5,
        changed_mind_after_open=chance.choice(list(ChangedMind)),
        partial_fee_percent=chance.choice([None, percent]),
    )
    edges = [0, terms.claim_days * DAY, terms.warranty_days * DAY, terms.escrow_hours * 3600, 60]
    times = sorted(max(0, chance.choice(edges) + chance.choice([-1, 0, 1])) for _ in Clock)
    delivered, opened, held = (chance.random() < 0.7 for _ in range(3))
    return terms, Situation(
        delivered=delivered,
        opened=opened,
        held=held,
        fault=chance.choice(list(Fault)),
        since_opening=times[0],
        since_delivery=times[1],
        since_payment=times[2],
    )


def test_the_formulas_say_what_the_code_says() -> None:
    proof, chance = Proof(), random.Random(6)  # noqa: S311  no secret
    formulas = [(promise, proof.applying(promise)) for promise in PROMISES]
    seen: set[tuple[str, bool]] = set()
    allowed = 0
    for _ in range(150):
        terms, now = drawn(chance)
        is_allowed = terms_faults(terms) == {} and now.is_possible
        assert proof.holds(proof.allowed(), terms, now) is is_allowed, (terms, now)
        allowed += is_allowed
        for promise, formula in formulas:
            holds = applies(promise, terms, now)
            assert proof.holds(formula, terms, now) is holds, (promise.promise_id, terms, now)
            seen.add((promise.promise_id, holds))
    assert allowed > 0
    assert len(seen) == 2 * len(PROMISES)


def rows(terms: Terms) -> dict[str, str]:
    """The table that buyers read, its cases with what follows."""
    template = environment().from_string('{% import "_terms.html" as shown with context %}{{ shown.policy(terms) }}')
    cells = re.findall(r'<th scope="row">(.*?)</th>(<td.*?)</tr>', template.render(terms=terms), re.DOTALL)
    return {re.sub(r"<br>.*|<[^>]+>", "", case): re.sub(r"<[^>]+>", " ", said) for case, said in cells}


@pytest.mark.parametrize("offered", [True, False])
@pytest.mark.parametrize("percent", [None, 30])
@pytest.mark.parametrize("warranty", [0, 365])
def test_what_the_proof_reads_is_what_the_page_and_the_checker_tell_a_buyer(
    *, offered: bool, percent: int | None, warranty: int
) -> None:
    terms = Terms(
        claim_days=9,
        warranty_days=warranty,
        replacement_offered=offered,
        changed_mind_after_open=ChangedMind.PARTIAL if percent else ChangedMind.NONE,
        partial_fee_percent=percent,
    )
    told, sentences = rows(terms), structured(terms)
    stated = {promise.promise_id: promise for promise in PROMISES if is_stated(promise, terms)}
    assert stated.keys() - {"sealed", "late", "released", "dead", "mismatch"} == (
        {"unwanted_keeps_fee" if percent else "unwanted_keeps_all"} | ({"warranty"} if warranty else set())
    )
    assert demanded(stated["sealed"], terms).refund == FULL
    assert "全额退" in told["没拆封"]
    for case, promise_id in (("卡密无效或已被用", "dead"), ("和描述不符", "mismatch")):
        demand = demanded(stated[promise_id], terms)
        assert demand.refund == FULL
        assert "全额退" in told[case]
        assert ("补发" in told[case]) is bool(demand.replacement)
        assert "拆封后 9 天" in told[case]
    assert demanded(stated["dead"], terms).replacement is offered
    assert ("质保期内失效" in told) is ("warranty" in stated) is ("质保365天" in sentences)
    unwanted = told["卡密有效，不想要了"]
    if percent:
        assert demanded(stated["unwanted_keeps_fee"], terms).refund == (70, 70)
        assert "扣 30%" in unwanted
        assert "扣30%" in sentences
    else:
        assert demanded(stated["unwanted_keeps_all"], terms).refund == NOTHING
        assert "不退" in unwanted
        assert "不支持无理由退款" in sentences
    assert ("可以换新" in sentences) is offered


def test_demands_agree_where_one_leaves_open_what_the_other_names() -> None:
    sealed = demanded(PROMISES[0], Terms())
    assert agree(sealed, sealed)
    assert agree(sealed, sealed._replace(refund=None, from_escrow=None))
    assert not agree(sealed, sealed._replace(from_escrow=False))
    assert not agree(sealed._replace(replacement=True), sealed._replace(replacement=False))
