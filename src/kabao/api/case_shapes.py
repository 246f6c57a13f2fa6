"""What callers get of the ladder above negotiation: questions and rulings."""

from datetime import datetime
from typing import Self

import msgspec

from kabao.cases import CaseView, Question, RulingView, Stage
from kabao.cases.ladder.grounds import Point


class QuestionOut(msgspec.Struct, frozen=True, kw_only=True):
    """A question of those who decide to one party; the number travels as text."""

    question_id: str
    by_role: str
    to_role: str
    body: str
    asked_at: datetime
    answer: str | None
    answered_at: datetime | None
    withdrawn_at: datetime | None

    @classmethod
    def of(cls, question: Question) -> Self:
        """Write a question."""
        fields = {name: getattr(question, name) for name in cls.__struct_fields__}
        return cls(**fields | {"question_id": str(question.question_id)})


class PointOut(msgspec.Struct, frozen=True, kw_only=True):
    """Something a party brought forward, which a ruling answers by its key; `fact` and `shows` of a fact alone."""

    key: str
    by: str
    kind: str
    said: str
    at: datetime
    fact: str | None
    shows: bool | None

    @classmethod
    def of(cls, point: Point) -> Self:
        """Write a point."""
        is_fact = bool(point.fact)
        return cls(
            key=point.key,
            by=point.by,
            kind=point.kind,
            said=point.said,
            at=point.at,
            fact=point.fact if is_fact else None,
            shows=point.shows if is_fact else None,
        )


class RulingsOut(msgspec.Struct, frozen=True, kw_only=True):
    """The rulings of a case, the latest last; `review_until` while a review may still be asked for.

    `executed_at` is when the last word was carried out; one given at once was carried out as it was made.
    """

    ref: str
    stage: str
    rulings: list[RulingView]
    waived_by: list[str]
    review_until: datetime | None
    executed_at: datetime | None

    @classmethod
    def of(cls, view: CaseView) -> Self:
        """Write the rulings of a case."""
        return cls(
            ref=view.ref,
            stage=view.stage,
            rulings=view.rulings,
            waived_by=[side.value for side in view.waived_by],
            review_until=view.due_at if view.stage in {Stage.GREEN, Stage.RULED_OPEN} else None,
            executed_at=view.opened_at if view.stage is Stage.GREEN else view.closed_at,
        )
