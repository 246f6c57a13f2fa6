"""Whom a deadline concerns and what a reminder says, without I/O."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, assert_never
from zoneinfo import ZoneInfo

from kabao.cases import CaseCard, Side, Stage, Turn
from kabao.cases.words import what_if_due
from kabao.reminders.model import TALKS, DueCase, OpenQuestion, Releasing, Talk, Unanswered

BEIJING: Final = ZoneInfo("Asia/Shanghai")
ENDED: Final = timedelta(0)
NEAR: Final = timedelta(hours=12)
"""A case of the queue with less time left is named as near its deadline."""
LISTED: Final = 10
"""Cases that the letter to staff names one by one."""
FROM_HOUR: Final = 9
"""The hour of the day, in Beijing, from which the letter to staff goes out."""


def parties(case: DueCase) -> list[tuple[int, Side]]:
    """List the parties whose turn it is; empty where those who decide are meant."""
    buyer, owner = (case.buyer_id, Side.BUYER), (case.owner_id, Side.MERCHANT)
    match case.turn:
        case Turn.BUYER:
            return [buyer]
        case Turn.MERCHANT:
            return [owner]
        case Turn.PARTIES if case.stage is Stage.GREEN:
            return [owner]
        case Turn.PARTIES:
            return [one for one in (buyer, owner) if one[1] not in case.waived_by]
        case Turn.SUPPORT | Turn.PANEL | Turn.DUTY | Turn.NOBODY:
            return []
        case _:
            assert_never(case.turn)


def clock_text(at: datetime) -> str:
    """Write an instant as reminders do: month, day, hour and minute in Beijing."""
    local = at.astimezone(BEIJING)
    return f"{local.month} 月 {local.day} 日 {local:%H:%M}"


def left_text(left: timedelta) -> str:
    """Write the time that is left, in hours, or in minutes under two hours."""
    minutes = max(int(left.total_seconds()) // 60, 1)
    return f"{minutes} 分钟" if minutes < 120 else f"{minutes // 60} 小时"  # noqa: PLR2004


def case_subject(case: DueCase, side: Side) -> str:
    """Say to whom it concerns until when something waits for him, and what happens then."""
    what = "申请复核的时间快到了" if case.turn is Turn.PARTIES else "轮到你了"
    if case.waited:
        what = f"轮到你已经 {_hours(case.waited)} 小时"
    then = what_if_due(case.stage, case.turn, side, may_stand=case.may_stand)
    return f"「{case.title}」的纠纷：{what}，{_until(case.due_at, case.now)}。{then}"


def question_subject(question: OpenQuestion) -> str:
    """Say until when a question waits for its answer."""
    until = _until(question.due_at, question.now)
    return f"「{question.title}」的纠纷：有一个提问等你回答，{until}。到时没有回答，时限接着走。"


def told_of_talk(talk: Talk, said: Unanswered) -> list[tuple[int, str, str]]:
    """Tell who hears what, and where to look, of words that nobody has answered.

    The other side hears at once, a merchant again after a day and two. After two days the buyer hears what else he can
    do; whoever asks a buyer something waits for him alone.
    """
    is_buyers, link = said.by_role == Side.BUYER.value, f"/o/{said.ref}"
    if talk == TALKS[0]:
        to, by = (said.owner_id, "买家") if is_buyers else (said.buyer_id, "商家")
        return [(to, f"「{said.title}」的{by}在订单里给你留了言", link)]
    if not is_buyers:
        return []
    hours = _hours(talk.after)
    asked = f"「{said.title}」的买家 {hours} 小时前在订单里给你留了言，还没有回复。不回复，买家可以提出纠纷"
    told = [(said.owner_id, asked, link)]
    if talk == TALKS[-1]:
        silent = f"「{said.title}」的商家 {hours} 小时没有回复你的留言。不用再等，订单页上有你还能做的"
        told.append((said.buyer_id, silent, link))
    return told


def release_subject(order: Releasing) -> str:
    """Ask a buyer to try what he bought before the money is paid out."""
    first = "还没有拆封。要用就现在拆开试一下" if order.is_sealed else "还没试过就现在试一下"
    return f"「{order.title}」{clock_text(order.due_at)} 自动确认，钱付给商家。{first}，有问题在那之前申请售后"


def digest_subject(cards: Sequence[CaseCard], now: datetime) -> str:
    """Count in one line what waits."""
    left = [card.due_at - now for card in cards if card.due_at is not None]
    past, near = sum(one <= ENDED for one in left), sum(ENDED < one <= NEAR for one in left)
    return f"今天有 {len(cards)} 件案件等你处理：{past} 件已超时，{near} 件 12 小时内到期"


def digest_text(cards: Sequence[CaseCard], now: datetime, origin: str) -> str:
    """List what waits, by the time left; references only, since a letter lies in a mailbox for years."""
    lines = [f"{digest_subject(cards, now)}。", ""]
    lines += [f"{card.ref}  {_left(card, now)}  {origin}/desk/{card.ref}" for card in cards[:LISTED]]
    lines += [f"还有 {len(cards) - LISTED} 件。"] if len(cards) > LISTED else []
    return "\n".join([*lines, "", f"全部在工作台：{origin}/desk", ""])


def _hours(length: timedelta) -> int:
    return int(length.total_seconds()) // 3600


def _until(due_at: datetime, now: datetime) -> str:
    if due_at <= now:
        return f"时限 {clock_text(due_at)} 已经过了"
    return f"{clock_text(due_at)} 截止，还剩 {left_text(due_at - now)}"


def _left(card: CaseCard, now: datetime) -> str:
    if card.due_at is None:
        return "没有时限"
    return "已超时" if card.due_at <= now else f"还剩 {left_text(card.due_at - now)}"
