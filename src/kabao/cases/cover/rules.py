"""Which covers may be set, and which demands one grants. Pure."""

from datetime import datetime

from kabao.cases.cover.model import LONGEST, OVER_TOTAL, Cover, SetCover
from kabao.cases.machine import Stage
from kabao.cases.model import CaseState, Decision, Remedy, Side, Turn
from kabao.cases.rules import decide_accept_demand
from kabao.kernel import Refused


def wrong_in(wish: SetCover, now: datetime) -> dict[str, str]:
    """Say what is wrong with each field of a cover to be set; empty where nothing is."""
    wrong = {}
    if wish.until_at <= max(now, wish.from_at):
        wrong["until"] = "要晚于开始的时间和现在。"
    elif wish.until_at - max(now, wish.from_at) > LONGEST:
        wrong["until"] = f"一次最多 {LONGEST.days} 天。"
    if wish.each_minor <= 0:
        wrong["each"] = "填多少元以内自动照办。"
    if wish.total_minor < wish.each_minor:
        wrong["total"] = "不能少于每件的上限。"
    return wrong


def decide_cover(case: CaseState, cover: Cover, now: datetime) -> Decision | str | None:
    """Grant a demanded refund within a cover; a word says why it is left to people, None that it is none of its cases.

    Only what waits for the merchant's answer is granted: once he has answered himself, he is there.
    """
    if not cover.from_at <= now < cover.until_at or case.demand is Remedy.REPLACEMENT:
        return None
    if case.stage is not Stage.NEGOTIATION or case.turn is not Turn.MERCHANT or case.answered_at is not None:
        return None
    decision = decide_accept_demand(case, Side.MERCHANT)
    if isinstance(decision, Refused) or decision.refund_minor > cover.each_minor:
        return None
    return decision if cover.spent_minor + decision.refund_minor <= cover.total_minor else OVER_TOTAL
