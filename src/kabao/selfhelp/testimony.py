"""From a story to the engine's case: each answer becomes evidence of its true kind, or is taken as said.

What a person says against himself, and what helps nobody, is taken as said. What he says for himself is a buyer's
statement, which carries no fact alone; a file counts as what it is, for the facts it is said to show.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from kabao.adjudication import Adjudicator, Case, make_case
from kabao.adjudication.model import Fact, Party
from kabao.selfhelp.model import Answer, EvidenceItem, Goods, Happening, Kind, Story

SEVEN_DAYS: Final = timedelta(days=7)
STALLED: Final = timedelta(days=15)
OWN_WORD: Final = 50
BESIDE_THE_POINT: Final = 20
"""What a file is worth that is not of a kind which could show the fact."""

WORTH: Final = {
    Kind.SCREENSHOT: 70, Kind.RECORDING: 85, Kind.CHAT_RECORD: 70, Kind.ORDER_RECORD: 90, Kind.PAYMENT_RECORD: 90,
    Kind.PAGE_RECORD: 80, Kind.TERMS_RECORD: 80, Kind.ISSUER_RECORD: 90, Kind.TEST_REPORT: 85, Kind.FAMILY_RECORD: 95,
    Kind.POLICE_RECORD: 95, Kind.AUTHORITY_NOTICE: 90, Kind.ADMISSION: 85,
}  # fmt: skip
"""How far a copy in the person's own hands carries; nobody but its maker has checked it."""

STANDS_FOR: Final[Mapping[Kind, frozenset[str]]] = {
    Kind.SCREENSHOT: frozenset({"screenshot", "platform_log", "listing_snapshot", "chat_record", "page_record"}),
    Kind.RECORDING: frozenset({"recording", "screenshot", "platform_log", "listing_snapshot", "chat_record"}),
    Kind.CHAT_RECORD: frozenset({"chat_record", "merchant_statement", "request_record"}),
    Kind.ORDER_RECORD: frozenset({"order_record", "platform_log", "order_history"}),
    Kind.PAYMENT_RECORD: frozenset({"payment_record", "platform_log"}),
    Kind.PAGE_RECORD: frozenset({"page_record", "listing_snapshot", "guarantee_record", "merchant_register"}),
    Kind.TERMS_RECORD: frozenset({"terms_record", "listing_snapshot", "notice_record", "guarantee_record"}),
}
"""The rulebook's kinds of evidence for which a person's own copy may stand."""


def answers_of(story: Story, now: datetime) -> dict[str, Answer]:
    """Give the answers, and those that events and dates already contain; what was answered outright goes first."""
    found: dict[str, Answer] = {}
    by_kind = {event.kind: event for event in reversed(story.events)}  # the first of each kind
    for kind, fact in (
        (Happening.DELIVERED, "delivered"),
        (Happening.OPENED, "opened"),
        (Happening.CONFIRMED, "released"),
        (Happening.REFUNDED, "refund_received"),
        (Happening.REFUSED, "cure_failed_or_refused"),
    ):
        if kind in by_kind:
            found[fact] = Answer.YES
    asked = by_kind.get(Happening.COMPLAINED)
    if asked and Happening.DELIVERED in by_kind:
        within = asked.at.at <= by_kind[Happening.DELIVERED].at.at + SEVEN_DAYS
        found["within_seven_days"] = Answer.YES if within else Answer.NO
    if asked and story.payment.at:
        within = asked.at.at <= story.payment.at.at + SEVEN_DAYS
        found["within_seven_of_payment"] = Answer.YES if within else Answer.NO
    if asked:
        answered = any(event.kind in {Happening.ANSWERED, Happening.REFUSED} for event in story.events)
        stalled = not answered and now > asked.at.at + STALLED
        found["stalled_15_days"] = Answer.YES if stalled else Answer.NO
    if story.goods is Goods.BALANCE:
        found["stored_value"] = Answer.YES
    if story.signs.get("vanished") is Answer.YES:
        found["merchant_unnamed"] = Answer.UNKNOWN  # it may be gone and still be named by the platform
    return found | {fact: answer for fact, answer in story.answers.items() if fact != "crime_suspected"}


def case_of(story: Story, rules: Adjudicator, now: datetime, *, taken_at_word: bool = False) -> Case:
    """Make the case; `taken_at_word` takes all that the person says as shown. Raises ValueError without a price."""
    book = rules.book
    plain: dict[str, Any] = {}
    answers = answers_of(story, now)
    named = {fact for item in story.evidence for fact in (*item.shows, *item.rebuts)}
    for fact_id, fact in book.facts.items():
        answer = answers.get(fact_id, Answer.UNKNOWN)
        if answer is Answer.UNKNOWN and (fact_id not in named or taken_at_word):
            continue
        if answer is not Answer.UNKNOWN and (taken_at_word or not helps_the_buyer(fact, answer)):
            plain[fact_id] = "proved" if answer is Answer.YES else "disproved"
        elif items := _evidence(fact, answer, story.evidence):
            plain[fact_id] = {"evidence": items}
    paid = story.payment
    day = (paid.at.day if paid.at else story.created_at.date()).isoformat()
    if paid.amount is None:
        raise ValueError("a case has a price")
    amounts = {"price_minor": paid.amount.minor, **story.amounts}
    return make_case(
        {
            "claim": story.claim,
            "demand": story.demand.value,
            "facts": plain,
            "amounts": amounts,
            "ordered_on": day,
            "filed_on": now.date().isoformat(),
            "id": story.case_id,
        },
        book,
    )


def helps_the_buyer(fact: Fact, answer: Answer) -> bool:
    """Tell whether the answer is one that the person gives in his own favour."""
    if fact.favours is Party.BUYER:
        return answer is Answer.YES
    return fact.favours in {Party.MERCHANT, Party.PLATFORM} and answer is Answer.NO


def _evidence(fact: Fact, answer: Answer, items: tuple[EvidenceItem, ...]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if answer is not Answer.UNKNOWN:
        found.append(_item(OWN_WORD, "buyer_statement", shows=answer is Answer.YES))
    found.extend(
        _item(worth(item.kind, fact), item.kind.value, shows=fact.fact_id in item.shows)
        for item in items
        if fact.fact_id in item.shows or fact.fact_id in item.rebuts
    )
    return found


def _item(confidence: int, kind: str, *, shows: bool) -> dict[str, Any]:
    shown = "proved" if shows else "disproved"
    return {"shows": shown, "confidence": confidence, "kind": kind, "by": "buyer"}


def worth(kind: Kind, fact: Fact) -> int:
    """Say how far a person's own copy of this kind carries the fact."""
    could = STANDS_FOR.get(kind, frozenset({kind.value}))
    fits = kind in {Kind.ADMISSION, Kind.POLICE_RECORD} or not could.isdisjoint(fact.shown_by)
    return WORTH[kind] if fits else BESIDE_THE_POINT
