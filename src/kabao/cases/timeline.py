"""Merges what happened to the order, to the case, what was said and what was handed in, into one list for all."""

from datetime import UTC, datetime
from typing import Any, NamedTuple

from kabao.cases import words
from kabao.cases.model import OfferView, RulingView, TimelineFile, TimelineLine
from kabao.cases.store import CaseEvent, ErasureRow
from kabao.evidence import Item, Message
from kabao.kernel import digest_of
from kabao.orders import OrderEvent


class CaseSources(NamedTuple):
    """What happened in one case of an order; `opening` is its claim and demand in words."""

    opening: str
    offers: list[OfferView]
    rulings: list[RulingView]
    events: list[CaseEvent]


class Sources(NamedTuple):
    """Everything a timeline is made from: an order with any number of cases."""

    shop_id: int
    order_id: int
    cases: list[CaseSources]
    order_events: list[OrderEvent]
    messages: list[Message]
    items: list[Item]
    erasures: list[ErasureRow]


class _Placed(NamedTuple):
    at: datetime
    rank: int
    number: int
    line: TimelineLine


def merge(sources: Sources) -> list[TimelineLine]:
    """Return every line in the order it happened; at one instant, the case's step stands before its effects."""
    placed = [
        *(placed for case in sources.cases for placed in _case_lines(sources, case)),
        *_order_lines(sources),
        *_message_lines(sources.messages),
        *_file_lines(sources.items),
        *_erasure_lines(sources),
    ]
    placed.sort(key=lambda entry: entry[:3])
    return [entry.line for entry in placed]


def _case_lines(sources: Sources, case: CaseSources) -> list[_Placed]:
    offers = {offer.offer_id: offer for offer in case.offers}
    following = iter(case.rulings)
    lines = []
    for event in case.events:
        # Rulings stand in the order their events do.
        ruling = next(following, None) if event.kind in words.RULINGS else None
        offer = offers.get(event.offer_id) if event.offer_id is not None else None
        body = event.body or ""
        text = words.case_event_text(
            event.kind,
            event.actor_role,
            offer=offer,
            opening=case.opening,
            body=body,
            ruled="" if ruling is None else ruling.label,
            version=event.rulebook_version,
        )
        line = _line(
            event.at,
            event.actor_role,
            event.kind,
            text,
            said=_said(event, body, ruling),
            digest=_digest(
                "case_event",
                sources,
                event.event_id,
                [
                    event.kind,
                    event.from_stage,
                    event.to_stage,
                    event.actor_role,
                    event.body,
                    event.offer_id,
                    *_bound(event.rulebook_version),
                ],
                event.at,
            ),
            due_at=event.due_at,
            offer=offer if event.kind in {"offered", "granted"} else None,
            rulebook_version=event.rulebook_version,
        )
        lines.append(_Placed(event.at, 0, event.event_id, line))
    return lines


def _said(event: CaseEvent, body: str, ruling: RulingView | None) -> str:
    if ruling is not None:
        dissent = f"\n不同意见：{ruling.dissent}" if ruling.dissent else ""
        return f"查明：{ruling.facts}\n理由：{ruling.reasons}{dissent}"
    return "" if event.kind == "rose" else body


def _order_lines(sources: Sources) -> list[_Placed]:
    return [
        _Placed(
            event.at,
            1,
            event.event_id,
            _line(
                event.at,
                event.actor_role,
                event.kind,
                words.order_event_text(
                    event.kind, event.actor_role, amount_minor=event.amount_minor, reason=event.reason
                ),
                digest=_digest(
                    "order_event",
                    sources,
                    event.event_id,
                    [
                        event.kind,
                        event.from_state,
                        event.to_state,
                        event.actor_role,
                        event.reason,
                        event.amount_minor,
                        *_bound(event.rulebook_version),
                    ],
                    event.at,
                ),
                due_at=event.due_at,
                rulebook_version=event.rulebook_version,
            ),
        )
        for event in sources.order_events
    ]


def _message_lines(messages: list[Message]) -> list[_Placed]:
    return [
        _Placed(
            message.at,
            2,
            message.message_id,
            _line(
                message.at,
                message.author_role,
                "message",
                words.message_text(message.author_role),
                said=message.body,
                digest=message.digest,
            ),
        )
        for message in messages
    ]


def _file_lines(items: list[Item]) -> list[_Placed]:
    return [
        _Placed(
            item.at,
            3,
            item.item_id,
            _line(
                item.at,
                item.given_role,
                "file",
                words.file_text(item.given_role, item.item_no),
                digest=item.digest,
                file=TimelineFile(
                    item_id=item.item_id,
                    item_no=item.item_no,
                    file_name=item.file_name,
                    media_type=item.media_type.value,
                    byte_size=item.byte_size,
                    is_image=item.is_image,
                ),
            ),
        )
        for item in items
    ]


def _erasure_lines(sources: Sources) -> list[_Placed]:
    return [
        _Placed(
            erasure.at,
            4,
            erasure.erasure_id,
            _line(
                erasure.at,
                "support",
                "erased",
                words.erased_text(erasure.record_id, erasure.reason),
                digest=_digest("erasure", sources, erasure.erasure_id, [erasure.record_id, erasure.reason], erasure.at),
            ),
        )
        for erasure in sources.erasures
    ]


def _line(
    at: datetime,
    who: str,
    kind: str,
    text: str,
    *,
    digest: bytes,
    said: str = "",
    due_at: datetime | None = None,
    offer: OfferView | None = None,
    file: TimelineFile | None = None,
    rulebook_version: str | None = None,
) -> TimelineLine:
    return TimelineLine(
        at=at,
        who=str(who),
        kind=kind,
        text=text,
        said=said,
        digest=digest,
        due_at=due_at,
        offer=offer,
        file=file,
        rulebook_version=rulebook_version,
    )


def _bound(version: str | None) -> list[str]:
    # A line from before versions were kept has the digest it always had.
    return [] if version is None else [version]


def _digest(what: str, of: Sources, event_id: int, parts: list[Any], at: datetime) -> bytes:
    # Numbers and text only, so that anyone can recompute it from an exported record.
    return digest_of([what, of.shop_id, of.order_id, event_id, *parts, at.astimezone(UTC).isoformat()])
