"""Stories of purchases made elsewhere, as values; the cases behind them are the published ones, in our own words."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from kabao.selfhelp import (
    CHINA,
    Amount,
    Answer,
    Business,
    Channel,
    Event,
    EvidenceItem,
    Goods,
    Happening,
    Kind,
    Moment,
    Payment,
    Side,
    Story,
)
from kabao.selfhelp.book import law_rules
from kabao.selfhelp.questions import questions

NOW = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
YES, NO = Answer.YES, Answer.NO


def at(day: int, hour: int = 12) -> Moment:
    return Moment(datetime(2026, 11, day, hour, tzinfo=CHINA))


def happened(kind: Happening, day: int, amount: Amount | None = None) -> Event:
    return Event(at=at(day), kind=kind, by=Side.MERCHANT, amount=amount)


def told(claim: str, *facts: str, yuan: int = 100, **more: Any) -> Story:
    """A complete story; a fact with a minus in front is answered no."""
    answers = {fact.removeprefix("-"): NO if fact.startswith("-") else YES for fact in facts}
    plain: dict[str, Any] = {
        "case_id": "t1",
        "created_at": NOW,
        "goods": Goods.KEY,
        "shop": Business(name="一家店"),
        "platform": Business(name="某平台"),
        "title": "一个卡密",
        "payment": Payment(at=at(14), amount=Amount(yuan * 100), channel=Channel.ALIPAY),
        "claim": claim,
        "answers": answers,
        "signs": {"pay_to_unlock": NO},
    }
    return Story(**(plain | more))


def shown(kind: Kind, *facts: str) -> EvidenceItem:
    return EvidenceItem(file=f"evidence/{kind}.png", kind=kind, shows=facts, sha256="0" * 64)


def asked_out(story: Story) -> Story:
    """The same story after every question was answered no."""
    while open_now := questions(story, law_rules(), NOW):
        name = open_now[0].field.removeprefix("answers.")
        assert name not in story.answers
        story = msgspec.structs.replace(story, answers={**story.answers, name: NO})
    return story
