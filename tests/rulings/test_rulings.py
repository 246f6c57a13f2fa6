"""Every golden case of this folder, decided by the shipped rulebook; the files are written for lawyers."""

from collections import Counter
from functools import cache
from hashlib import sha256
from itertools import product
from pathlib import Path

import msgspec
import pytest

import kabao.web
from kabao.adjudication.commands import shipped_book
from kabao.adjudication.compiler import Compiled, compile_book
from kabao.adjudication.decide import Adjudicator
from kabao.adjudication.golden import Golden, Runner, load_folder, load_golden
from kabao.adjudication.model import Issue, Less, Outcome, Price
from kabao.cases import MERCHANT_CLAIMS
from rulebooks import EARLIER, case, decided_unlike

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


def test_a_shipped_version_never_changes_again() -> None:
    """Orders are bound to it: what it says of them is what it said when they were placed."""
    digests = {path.stem: sha256(path.read_bytes()).hexdigest() for path in EARLIER.values()}
    assert digests == {"2026.1": "cd9f3e36e75e7c4e992e385ddbf87ac4966e5ee7248bfd302b71380ef300f5bf"}
    assert BOOK.edition.version not in EARLIER


def test_a_fee_ends_at_the_limit_that_the_book_names_and_its_merchant_reads_it() -> None:
    cap = BOOK.parameters["buyer_fault_fee_cap"].value
    prices = {name: article.values.get(Issue.PRICE) for name, article in BOOK.articles.items()}
    limits = {
        name: price.fee_percent for name, price in prices.items() if isinstance(price, Price) and price.less is Less.FEE
    }
    # The law's article on leaving a service decides purchases made elsewhere too, where our limit does not hold.
    assert limits == {"regret_fee": cap, "merchant_fee_due": cap, "prepaid_exit_early": None}
    editor = (Path(kabao.web.__file__).parent / "templates" / "m_listing.html").read_text("utf-8")
    assert f"最多扣价款的 {cap}%" in editor


def test_merchants_claims_are_looked_at_from_every_side() -> None:
    made = Counter(golden.case.claim for golden in CASES.values())
    assert all(made[claim] >= 6 for claim in MERCHANT_CLAIMS), made
    for claim in MERCHANT_CLAIMS:
        met = {golden.expected.outcome for golden in CASES.values() if golden.case.claim == claim}
        assert {Outcome.DENY, Outcome.FULL_REFUND} <= met, claim


def test_whoever_complains_first_the_same_facts_of_a_key_give_the_same_money() -> None:
    """A merchant who came first, showing nothing, once had the rules on his side whatever the key did."""
    judge = Adjudicator(compiled())
    names = (
        "key_failed", "good_when_opened", "redeemed_by_buyer", "key_opened_before", "wrong_use", "records_withheld",
        "bad_key_replaced_promised",
    )  # fmt: skip
    held = {"money_held": True, "opened": True, "exclusion_confirmed": True, "delivered": True}
    for values in product((None, True, False), repeat=len(names)):
        known = held | {name: value for name, value in zip(names, values, strict=True) if value is not None}
        facts = case("key_invalid", known, compiled())
        buyers = judge.bare(facts)[1]
        for claim in ("buyer_used_it", "buyer_pressure", "buyer_false_claim"):
            merchants = judge.bare(msgspec.structs.replace(facts, claim=claim))[1]
            assert merchants.refund_minor == buyers.refund_minor, (claim, known)
            assert merchants.damages_minor == merchants.buyer_pays_minor == 0


def test_every_claim_is_made() -> None:
    assert sorted(set(BOOK.claims) - {golden.case.claim for golden in CASES.values()}) == []


@pytest.mark.parametrize("golden", CASES.values(), ids=CASES.keys())
def test_claims_of_one_family_are_decided_alike(golden: Golden) -> None:
    """How somebody names a trouble decides neither the outcome, nor who answers, nor who pays."""
    assert not decided_unlike(compiled(), golden, BOOK)
