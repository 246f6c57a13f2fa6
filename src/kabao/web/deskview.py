"""What the desk draws of a case: its key times on one axis, and the evidence of both sides."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from kabao.cases import CaseView, DecisionView, Outcome, OwnView
from kabao.cases.ladder.awards import differs
from kabao.cases.ladder.grounds import Point
from kabao.cases.ladder.model import Award
from kabao.cases.saying import FactsView
from kabao.evidence import Item, hint_sentences
from kabao.kernel import Refused, yuan_text
from kabao.web.render import SHANGHAI

AXIS_WIDTH: Final = 720
EDGE: Final = 44
"""Room at both ends of the axis, so that the words of the first and last mark fit."""


class Mark(NamedTuple):
    """A moment on the axis: when, its name, whose it is (a class), its place, its words, the time since the last."""

    at: datetime
    label: str
    kind: str
    x: int
    day: str
    clock: str
    since: str


def axis_of(case: CaseView, now: datetime) -> list[Mark]:
    """Place a case's key times side by side in their order, not to scale; what has not happened is left out."""
    order, ruling = case.order, case.ruling
    moments: list[tuple[datetime | None, str, str]] = [
        (order.placed_at, "下单", ""),
        (order.paid_at, "付款", ""),
        (order.delivered_at, "送达", "mer"),
        (order.opened_at, "首次拆封", "me"),
        (case.opened_at, "提出纠纷", "me"),
        (case.answered_at, "商家回应", "mer"),
        (case.stage_since if case.stage in {"support", "panel", "review"} else None, "进入本阶段", ""),
        (ruling.made_at if ruling else None, "裁决", "cs"),
        (case.due_at if case.closed_at is None else None, "截止", "bad" if case.is_overdue else "due"),
        (now if case.closed_at is None else None, "现在", "now"),
    ]
    known = sorted((at, place, label, kind) for place, (at, label, kind) in enumerate(moments) if at is not None)
    step = (AXIS_WIDTH - 2 * EDGE) // max(1, len(known) - 1)
    marks: list[Mark] = []
    for place, (at, _, label, kind) in enumerate(known):
        local = at.astimezone(SHANGHAI)
        since = span(at - known[place - 1][0]) if place else ""
        marks.append(
            Mark(at, label, kind, EDGE + place * step, f"{local.month}月{local.day}日", f"{local:%H:%M:%S}", since)
        )
    return marks


def span(length: timedelta) -> str:
    """Write how long lay between two moments, with the two largest units."""
    seconds = int(length.total_seconds())
    units = (("天", 86400), ("小时", 3600), ("分", 60), ("秒", 1))
    parts: list[tuple[int, str]] = []
    for name, size in units:
        count, seconds = divmod(seconds, size)
        if count or parts:
            parts.append((count, name))
    told = [f"{count} {name}" for count, name in parts[:2] if count]
    return " ".join(told) or "不到 1 秒"


class Compared(NamedTuple):
    """One item beside another, with what its file says of itself."""

    item: Item
    hints: list[str]


def compared(items: Sequence[Item], left: str, right: str) -> list[Compared]:
    """Choose two items to lay side by side: those asked for by number, else each party's latest."""
    by_no = {str(item.item_no): item for item in items}
    latest = {item.given_role.value: item for item in items}
    chosen = [by_no.get(left) or latest.get("buyer"), by_no.get(right) or latest.get("merchant")]
    return [Compared(item, hint_sentences(item.hints)) for item in chosen if item is not None]


def suggestion_text(decision: DecisionView) -> str:
    """Say in a few words what the rules come to."""
    refund = f" {yuan_text(decision.refund_minor)}" if decision.refund_minor else ""
    damages = f"，另赔 {yuan_text(decision.damages_minor)}" if decision.damages_minor else ""
    return decision.outcome_label + refund + damages


class ToldPoint(NamedTuple):
    """A party's point on the form of a ruling: its key, whose, what, in whose words, its file's number, and when."""

    key: str
    by: str
    text: str
    said: str
    item_no: int | None
    at: datetime


KINDS: Final = {
    "claim": "提出的诉求",
    "answered": "答复",
    "replied": "回答提问",
    "offered": "提方案时说",
    "review_asked": "申请复核",
}


def told_points(points: Sequence[Point], facts: FactsView | Refused, items: Sequence[Item]) -> list[ToldPoint]:
    """Write the points of the parties for whoever answers them, in the order they came."""
    labels = {} if isinstance(facts, Refused) else {one.fact: one.label for one in facts.said}
    numbers = {item.item_id: item.item_no for item in items}
    return [
        ToldPoint(
            one.key,
            one.by,
            KINDS.get(one.kind) or f"主张「{labels.get(one.fact, one.fact)}」{'成立' if one.shows else '不成立'}",
            one.said,
            None if one.item_id is None else numbers.get(one.item_id),
            one.at,
        )
        for one in points
    ]


def agreements(given: Award, own: OwnView | None, suggested: Award | None) -> list[tuple[bool, str]]:
    """Compare what somebody is about to hand in with his first view and with the rules; for his eyes alone."""
    told: list[tuple[bool, str]] = []
    if own is not None:
        viewed = Award(own.refund_minor, own.damages_minor, own.outcome == Outcome.REPLACEMENT)
        told.append((viewed == given, "和你的初步意见"))
    if suggested is not None:
        told.append((not differs(suggested, given), "和按规则推出的结果"))
    return [(same, text + ("一致" if same else "不同")) for same, text in told]


def typed_of(form_typed: dict[str, list[str]], left_out: frozenset[str]) -> dict[str, str]:
    """Take what was typed into a form, the last value of each field."""
    return {name: values[-1] for name, values in form_typed.items() if values and name not in left_out}
