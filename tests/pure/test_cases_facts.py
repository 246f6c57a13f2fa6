"""What the records know of a case becomes facts; what people say stays evidence."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from kabao.adjudication import Adjudicator, compile_book, make_case
from kabao.adjudication.service import packaged_book
from kabao.cases import CLAIMS, MERCHANT_CLAIMS, MERCHANTS_CORE, Remedy
from kabao.cases.facts import CORE, CaseRecord, Said, as_return, case_file
from kabao.cases.judging import decided, is_without_fault
from kabao.orders import EscrowView, KeySlot, Move, OrderEvent
from kabao.orders.model import ClaimView
from market import NOON
from orderviews import NOTICES, TERMS, order, slot

EMPTY = ("from_state", "to_state", "reason", "amount_minor", "due_at")


def say(fact: str, *, hours: float = 0, **more: Any) -> Said:
    values: dict[str, Any] = {"shows": True, "kind": "buyer_statement", "confidence": 50, "by": "buyer"}
    return Said(fact=fact, at=NOON + timedelta(hours=hours), **(values | more))


def record(**more: Any) -> CaseRecord:
    values: dict[str, Any] = {
        "order": order(),
        "claim": "already_used",
        "demand": Remedy.FULL_REFUND,
        "opened_at": NOON + timedelta(hours=1),
        "answered_at": None,
        "case_ref": "7-C",
        "said": [],
        "conflict_for": timedelta(hours=48),
        "key_opened_before": False,
        "had_before": False,
    }
    return CaseRecord(**(values | more))


def facts(**more: Any) -> dict[str, Any]:
    found: dict[str, Any] = case_file(record(**more))["facts"]
    return found


def test_the_records_speak_for_themselves() -> None:
    known = facts()
    assert {known[name] for name in ("delivered", "opened", "exclusion_confirmed", "within_seven_days")} == {"proved"}
    assert {known[name] for name in ("released", "late", "refund_received", "only_part_failed", "work_begun")} == {
        "disproved"
    }
    assert known["bad_key_replaced_promised"] == "proved"
    assert "stalled_15_days" not in known
    assert "surplus_returned" not in known
    # What no record proves stays open to people.
    assert not known.keys() & {"merchant_unnamed", "lured_off_platform", "shop_transferred", "not_consumer"}


def weight(fact: str, claim: str = "already_used", **more: Any) -> bool | str:
    """Tell how the rulebook takes a fact of a case."""
    book = packaged_book()
    made = make_case(case_file(record(claim=claim, **more)), book)
    return made.known.get(fact, "contested" if fact in made.contested else "unknown")


@pytest.mark.parametrize(("claim", "fact"), CORE.items())
def test_a_claim_is_a_statement_and_a_file_shows_only_what_its_giver_says_that_it_shows(claim: str, fact: str) -> None:
    """Any picture of the buyer's once counted as proof of whatever he claimed, and his own word made it surer."""
    [alone] = facts(claim=claim)[fact]["evidence"]
    assert (alone["kind"], alone["confidence"]) == ("buyer_statement", 50)
    assert weight(fact, claim) == "unknown"
    elsewhere = say("deceit", kind="screenshot", confidence=65)
    assert facts(claim=claim, said=[elsewhere])[fact]["evidence"] == [alone]
    # Shown at first sight is enough for a key that fails; what has to be highly probable waits for a person.
    shown = say(fact, kind="screenshot", confidence=65)
    first_sight = packaged_book().facts[fact].standard == "basic"
    for said in ([shown], [shown, say(fact)], [shown, shown]):
        kept = facts(claim=claim, said=said)[fact]["evidence"]
        assert {item["kind"] for item in kept} == {"screenshot"}
        assert weight(fact, claim, said=said) == (True if first_sight else "unknown")
    looked = [shown, say(fact, kind="screenshot", confidence=70, by="support")]
    assert weight(fact, claim, said=looked) is True
    # The other side's word is its own, and its picture stands against the buyer's.
    against = {"shows": False, "by": "merchant"}
    word = [shown, say(fact, kind="merchant_statement", **against)]
    assert weight(fact, claim, said=word) == (True if first_sight else "unknown")
    picture = [shown, say(fact, kind="screenshot", confidence=65, **against)]
    assert weight(fact, claim, said=picture) == ("contested" if first_sight else "unknown")
    assert fact not in facts(claim="changed_mind")


def test_keys_that_nobody_opened_go_back_whatever_is_claimed_and_opened_ones_do_not() -> None:
    sealed = order(keys=[slot("sealed", opened=False)])
    mixed = order(quantity=2, keys=[slot("sealed", opened=False), slot("opened", opened=True)])
    swapped = replaced(slot("sealed", opened=False))
    for claim in CLAIMS:
        back = as_return(case_file(record(claim=claim, order=sealed)))
        is_buyers = claim not in MERCHANT_CLAIMS and claim != "changed_mind"
        assert (back is not None) is is_buyers
        assert back is None or (back["claim"], "clauses" in back) == ("changed_mind", False)
        # Neither where one of several was opened, nor where a sealed key took the place of one that was.
        for held in (mixed, swapped, order(), order(keys=[], delivered_at=None)):
            assert as_return(case_file(record(claim=claim, order=held))) is None


async def test_whatever_is_claimed_of_sealed_keys_the_rules_give_the_price_back_for_no_fault() -> None:
    """A sealed key claimed as used was once foreseen as no refund at all, with the buyer to blame."""
    judge = Adjudicator(compile_book(packaged_book()))
    for terms in (TERMS, {**TERMS, "refund_while_sealed": "always"}):
        sealed = order(keys=[slot("sealed", opened=False)], document={"terms": terms, "notices": NOTICES})
        for claim in CLAIMS.keys() - MERCHANT_CLAIMS.keys():
            for demand in (Remedy.FULL_REFUND, Remedy.PARTIAL_REFUND):
                beside = await decided(judge, case_file(record(claim=claim, order=sealed, demand=demand)))
                assert beside.decision is not None
                assert (beside.decision["outcome"], beside.decision["refund_minor"]) == ("FULL_REFUND", 9650), claim
                reasons = "".join(reason["zh"] for reason in beside.decision["reasons"])
                if claim not in {"expired", "description_not_read"}:
                    assert is_without_fault(beside.decision), claim
                    assert "责任：不涉及谁的过错" in reasons
                    assert "商家 100%" not in reasons
        unlawful = say("goods_unlawful", kind="authority_notice", confidence=97, by="support")
        routed = await decided(judge, case_file(record(order=sealed, said=[unlawful])))
        assert routed.decision is not None
        assert routed.decision["outcome"] == "ROUTE_OUT"
        invented = say("buyer_fabricated", kind="platform_log", confidence=99, by="support")
        denied = await decided(judge, case_file(record(order=sealed, said=[invented])))
        assert denied.decision is not None
        assert denied.decision["outcome"] == "DENY"
    opened = await decided(judge, case_file(record()))
    assert opened.decision is not None
    assert (opened.decision["outcome"], is_without_fault(opened.decision)) == ("DENY", False)


def test_what_the_records_prove_is_not_weighed_against_words() -> None:
    said = [
        say("opened", shows=False),
        say("good_when_opened", shows=True, kind="screenshot", confidence=65, by="merchant"),
        say("good_when_opened", shows=False),
    ]
    found = facts(said=said)
    assert found["opened"] == "proved"
    assert [item["shows"] for item in found["good_when_opened"]["evidence"]] == ["proved", "disproved"]


def test_lateness_refunds_and_second_payments_are_read_from_the_order() -> None:
    late = order(delivered_at=NOON + timedelta(minutes=2))
    assert facts(order=late)["late"] == "proved"
    waits = order(delivered_at=None, keys=[])
    assert facts(order=waits)["late"] == "proved"
    assert "late" not in facts(order=waits, opened_at=NOON + timedelta(seconds=60))
    unpaid = order(paid_at=None, delivered_at=None, escrow=None, keys=[])
    assert facts(order=unpaid)["delivered"] == "disproved"
    twice = [
        Move(kind="payment", amount_minor=9650, state="done", outcome="second_payment", at=NOON),
        Move(kind="refund", amount_minor=9650, state="pending", outcome=None, at=NOON),
    ]
    found = facts(order=order(money_moves=twice))
    assert (found["surplus_paid"], found["surplus_returned"]) == ("proved", "disproved")
    assert case_file(record(order=order(money_moves=twice)))["amounts"]["overpaid_minor"] == 9650


def test_terms_and_time_are_read_as_published() -> None:
    terms = {**TERMS, "changed_mind_after_open": "partial", "partial_fee_percent": 20, "validity_text": "一年"}
    escrow = EscrowView(
        state="split", held_minor=0, released=8650, refunded=1000, fee=0, due_at=None, remaining_seconds=None
    )
    rich = order(document={"terms": terms, "notices": NOTICES}, escrow=escrow, claim=ClaimView(left_minor=8650))
    made = case_file(record(order=rich, answered_at=NOON + timedelta(days=20), demand=Remedy.REPLACEMENT))
    assert made["demand"] == "replace"
    assert made["amounts"] == {
        "price_minor": 9650,
        "items_total": 1,
        "published_fee_minor": 1930,
        "granted_minor": 1000,
    }
    known = made["facts"]
    assert {known[name] for name in ("fee_published", "validity_prominent", "released", "stalled_15_days")} == {
        "proved"
    }


def test_what_was_given_back_after_the_release_counts_as_given() -> None:
    escrow = EscrowView(
        state="released", held_minor=0, released=9650, refunded=0, fee=193, due_at=None, remaining_seconds=None
    )
    untouched = case_file(record(order=order(escrow=escrow, claim=ClaimView(left_minor=9650))))
    assert (untouched["facts"]["refund_received"], "granted_minor" in untouched["amounts"]) == ("disproved", False)
    gift = case_file(record(order=order(escrow=escrow, claim=ClaimView(left_minor=7650, paid_minor=2000))))
    assert (gift["facts"]["refund_received"], gift["amounts"]["granted_minor"]) == ("proved", 2000)
    assert order(escrow=None).given_back_minor == 0


def test_a_promise_the_terms_lack_is_left_to_people() -> None:
    terms = {"replacement_offered": False, "changed_mind_after_open": "none"}
    known = facts(order=order(document={"terms": terms, "notices": NOTICES}))
    promises = {"bad_key_replaced_promised", "fee_published", "return_promised", "within_cover", "notified_in_time"}
    assert not known.keys() & promises
    said = [say("bad_key_replaced_promised", kind="chat_record", confidence=80, by="support")]
    bare = order(document={"terms": terms, "notices": NOTICES})
    assert facts(order=bare, said=said)["bad_key_replaced_promised"]["evidence"]


@pytest.mark.parametrize(("term", "fact"), [("warranty_days", "within_cover"), ("claim_days", "notified_in_time")])
@pytest.mark.parametrize(("days", "runs"), [(2, True), (3, False)])
def test_a_time_that_runs_from_opening_is_counted_to_the_case(term: str, fact: str, days: int, runs: bool) -> None:  # noqa: FBT001
    bought = order(document={"terms": {term: 2}, "notices": []})
    late = timedelta(minutes=5) if runs else timedelta(0)
    known = facts(order=bought, opened_at=NOON + timedelta(days=days) + late)
    assert known.get(fact) == ("proved" if runs else None)
    sealed = order(document={"terms": {term: 2}, "notices": []}, keys=[slot("sealed", opened=False)])
    assert facts(order=sealed, opened_at=NOON + timedelta(days=90))[fact] == "proved"


def test_a_sealed_key_was_not_redeemed_by_its_buyer_and_may_go_back() -> None:
    terms = {**TERMS, "refund_while_sealed": "always"}
    document = {"terms": terms, "notices": NOTICES}
    sealed = facts(order=order(keys=[slot("sealed", opened=False)], document=document))
    assert (sealed["opened"], sealed["redeemed_by_buyer"], sealed["return_promised"]) == (
        "disproved",
        "disproved",
        "proved",
    )
    opened = facts(order=order(document=document))
    assert not opened.keys() & {"redeemed_by_buyer", "return_promised"}


def replaced(*held: KeySlot) -> Any:
    """Give an order whose first key was opened and replaced two days later, with the keys it holds now."""
    at = {"delivered": NOON + timedelta(seconds=5), "replaced": NOON + timedelta(days=2)}
    events = [
        OrderEvent(event_id=no, kind=kind, actor_role="system", at=when, **dict.fromkeys(EMPTY))
        for no, (kind, when) in enumerate(at.items())
    ]
    return order(keys=[slot("replaced", opened=True), *held], delivered_at=at["replaced"], events=events)


def test_a_replacement_does_not_make_a_delivery_in_time_late() -> None:
    """The new key's delivery was once taken for the order's, so that every replaced order counted as late."""
    assert facts(order=replaced(slot("sealed", opened=False)))["late"] == "disproved"


def test_days_run_anew_from_the_delivery_and_the_opening_of_a_replacement() -> None:
    """After the release the order's own delivery stands as it was, so the replacement's line in the history counts."""
    document = {"terms": {**TERMS, "warranty_days": 3, "claim_days": 3}, "notices": NOTICES}
    for delivered in (NOON, NOON + timedelta(days=2)):
        known = [
            facts(
                order=replace(replaced(slot("sealed", opened=False)), document=document, delivered_at=delivered),
                opened_at=NOON + timedelta(days=days),
            )
            for days in (9, 10)
        ]
        assert [one["within_seven_days"] for one in known] == ["proved", "disproved"]
        assert {one[fact] for one in known for fact in ("within_cover", "notified_in_time")} == {"proved"}
    newer = replace(slot("opened", opened=True), opened_at=NOON + timedelta(days=4), generation=1)
    other = slot("opened", opened=True)
    for days, held, runs in ((7, [newer], True), (8, [newer], False), (7, [newer, other], False)):
        found = facts(order=replace(replaced(*held), document=document), opened_at=NOON + timedelta(days=days))
        assert [found.get(fact) for fact in ("within_cover", "notified_in_time")] == ["proved" if runs else None] * 2


def test_seven_days_are_counted_from_the_day_after_the_delivery() -> None:
    """Delivered at 20:00 in Beijing: the seventh day ends at midnight, not at 20:00."""
    ends = NOON + timedelta(days=7, hours=4)
    assert [facts(opened_at=at)["within_seven_days"] for at in (ends - timedelta(seconds=1), ends)] == [
        "proved",
        "disproved",
    ]


def test_a_complaint_after_a_replacement_is_about_the_new_key_and_the_old_one_is_not_forgotten() -> None:
    sealed, opened = replaced(slot("sealed", opened=False)), replaced(slot("opened", opened=True))
    complaint = facts(order=sealed)
    assert complaint["opened"] == "disproved"
    assert facts(order=opened)["opened"] == "proved"
    # Whether the first key was used is for people, and who has seen one key of the price may not go back unheard.
    assert not complaint.keys() & {"redeemed_by_buyer", "return_promised"}
    for claim in ("changed_mind", "own_mistake", "buyer_used_it", "other"):
        assert facts(order=sealed, claim=claim)["opened"] == "proved"


def test_what_was_opened_or_had_before_is_proved_and_never_disproved() -> None:
    assert not facts().keys() & {"key_opened_before", "same_service_before"}
    found = facts(key_opened_before=True, had_before=True)
    assert (found["key_opened_before"], found["same_service_before"]) == ("proved", "proved")


def test_fifteen_days_of_silence_are_a_stall_and_an_answer_is_not_yet_a_cure() -> None:
    silent = order(now=NOON + timedelta(days=17))
    assert facts(order=silent)["stalled_15_days"] == "proved"
    assert "stalled_15_days" not in facts(order=silent, answered_at=NOON + timedelta(days=1))


def test_a_merchants_claim_is_his_own_statement_and_proves_nothing_by_itself() -> None:
    assert set(MERCHANTS_CORE) == set(MERCHANT_CLAIMS)
    for claim, fact in MERCHANTS_CORE.items():
        [alone] = facts(claim=claim)[fact]["evidence"]
        assert (alone["kind"], alone["confidence"], alone["by"]) == ("merchant_statement", 50, "merchant")
        assert weight(fact, claim) == "unknown"
        # A picture of the merchant's own is a claim with material: what has to be highly probable waits for people.
        assert weight(fact, claim, said=[say(fact, kind="screenshot", confidence=65, by="merchant")]) == "unknown"
        assert weight(fact, claim, said=[say(fact, kind="issuer_record", confidence=90, by="support")]) is True
    against = [say("fee_incurred", hours=3, shows=False)]
    late = order(now=NOON + timedelta(hours=52))
    assert case_file(record(claim="fee_due", order=late, said=against))["conflict_expired"]


def test_in_a_merchants_case_what_is_held_is_the_price_and_what_he_would_keep_the_fee() -> None:
    terms = {**TERMS, "changed_mind_after_open": "partial", "partial_fee_percent": 20}
    part = {"claim": "fee_due", "demand": Remedy.PARTIAL_REFUND, "demand_minor": 9000}

    def amounts(**more: Any) -> dict[str, int]:
        found: dict[str, int] = case_file(record(**(part | more)))["amounts"]
        return found

    published = order(document={"terms": terms, "notices": NOTICES})
    assert amounts(order=published) == {
        "price_minor": 9650, "items_total": 1, "published_fee_minor": 1930, "incurred_fee_minor": 650,
    }  # fmt: skip
    assert facts(order=published, **part)["fee_agreed"] == "proved"
    # A fee that the listing's own words name is shown by people; then it is the one claimed.
    assert amounts() == {"price_minor": 9650, "items_total": 1, "published_fee_minor": 650, "incurred_fee_minor": 650}
    assert "fee_agreed" not in facts(**part)
    # Of two keys one went back sealed: what is left is at issue, and what went back before is not claimed back.
    left = EscrowView(
        state="disputed", held_minor=5000, released=0, refunded=4650, fee=0, due_at=None, remaining_seconds=None
    )
    held = amounts(order=order(escrow=left, document=published.document), demand_minor=4800)
    assert held == {"price_minor": 5000, "items_total": 1, "published_fee_minor": 1000, "incurred_fee_minor": 200}
    assert amounts(demand=Remedy.RELEASE, demand_minor=0)["incurred_fee_minor"] == 9650


def test_money_was_held_where_a_merchants_case_was_opened_whatever_became_of_it_since() -> None:
    over = EscrowView(
        state="released", held_minor=0, released=9650, refunded=0, fee=193, due_at=None, remaining_seconds=None
    )
    assert facts()["money_held"] == facts(claim="buyer_used_it")["money_held"] == "proved"
    settled = order(escrow=over, now=NOON + timedelta(hours=9))
    assert facts(claim="buyer_used_it", order=settled)["money_held"] == "proved"
    # Foreseen after the release, or claimed by a buyer then, it was not.
    assert facts(claim="buyer_used_it", order=settled, opened_at=settled.now)["money_held"] == "disproved"
    assert facts(order=settled)["money_held"] == facts(order=order(escrow=None))["money_held"] == "disproved"


def test_every_fact_of_the_book_stands_in_the_table_once_as_the_records_state_it() -> None:
    """Who edits the rulebook reads there which facts are stated without anybody saying so."""
    text = (Path(__file__).parents[2] / "docs" / "rulebook.md").read_text("utf-8")
    by_records, by_people = text.split("### What the records prove")[1].split("### What only people can show")
    proved = set(re.findall(r"^\| `([a-z_0-9]+)`", by_records, re.MULTILINE))
    shown = re.findall(r"`([a-z_0-9]+)`", by_people.split("\n## ")[0])
    assert sorted([*proved, *shown]) == sorted(packaged_book().facts)
    terms = {
        "warranty_days": 9, "claim_days": 9, "replacement_offered": True, "changed_mind_after_open": "partial",
        "refund_while_sealed": "always", "validity_text": "一年",
    }  # fmt: skip
    moves = [Move(kind="payment", amount_minor=1, state="done", outcome="second_payment", at=NOON)]
    much = {"key_opened_before": True, "had_before": True}
    stalled = order(
        document={"terms": terms, "notices": []},
        keys=[slot("sealed", opened=False)],
        money_moves=moves,
        now=NOON + timedelta(days=17),
    )
    stated = {fact for fact, found in facts(order=stalled, claim="other", **much).items() if isinstance(found, str)}
    assert stated == proved


def test_of_several_keys_only_some_may_have_failed() -> None:
    assert "only_part_failed" not in facts(order=order(quantity=2))


@pytest.mark.parametrize("notices", [[], [{"notice_id": "adult"}]])
def test_a_notice_that_was_not_shown_was_not_confirmed(notices: list[dict[str, str]]) -> None:
    bare = order(document={"terms": TERMS, "notices": notices})
    assert facts(order=bare)["exclusion_confirmed"] == "disproved"


def test_a_case_file_is_plain_values() -> None:
    assert msgspec.json.encode(case_file(record()))


def test_a_contradiction_holds_a_case_up_for_its_time_and_no_longer() -> None:
    said = [say("late", hours=1), say("late", hours=2, shows=False), say("late", hours=60)]

    def expired(hours: float, **more: Any) -> bool:
        held: bool = case_file(record(order=order(now=NOON + timedelta(hours=hours)), **more))["conflict_expired"]
        return held

    assert not expired(49, said=said)
    assert expired(51, said=said)
    assert not expired(500, said=said[:1])
    against_the_claim = [say("key_failed", hours=3, shows=False, by="merchant")]
    assert not expired(50, said=against_the_claim)
    assert expired(52, said=against_the_claim)
