"""Templates for what staff writes: fact, demand, date, next step, filled from the order, to be read and changed."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from kabao.cases import CaseView, Side, Stage
from kabao.kernel import yuan_text
from kabao.web.render import stamp, when

TO_ANSWER: Final = timedelta(hours=12)
"""How long a party is given; the clock pauses no longer than that."""
SUMMARY_BLANKS: Final = ("（写一句）", "（哪几样）")
"""What the prefilled summary leaves to be said."""


class Macro(NamedTuple):
    """A template: its key, what it is called, whom it asks ("" for a word to both), its text."""

    key: str
    label: str
    to: str
    text: str


def macros_of(case: CaseView, now: datetime) -> list[Macro]:
    """Fill the templates from a case."""
    order = case.order
    until = now + TO_ANSWER if case.due_at is None or case.due_at < now else min(now + TO_ANSWER, case.due_at)
    by, due = when(until, now), when(case.due_at, now) if case.due_at else ""
    goods = f"订单 {order.ref}（{order.title}，{yuan_text(order.amount_minor)}）"
    opened = f"卡密 {stamp(order.opened_at)} 拆封" if order.opened_at else "卡密还没有拆封"
    sent = f"卡密 {stamp(order.delivered_at)} 送达" if order.delivered_at else "还没有送达"
    paid = f"{stamp(order.paid_at)} 付款" if order.paid_at else "没有付款记录"
    then = "没有结论会自动转给争议组" if case.stage is Stage.SUPPORT else "没有结论由值班长裁决"
    conclusion = f"客服最晚 {due} 给结论，{then}" if due else "客服会尽快给结论"
    is_merchants = case.opened_by is Side.MERCHANT
    who = "商家" if is_merchants else "买家"
    demand = f"{who}说“{case.claim_label}”，要求{case.demand_label}"
    to_buyer, to_merchant = ("商家", "你") if is_merchants else ("你", "买家")
    records = (
        "能证明它的记录：发行方的兑换记录、订单里的对话、扣费的凭据"
        if is_merchants
        else "这张卡发卡前的校验记录和来源凭证"
    )
    otherwise = "到时没有，就按现有的证据判断。"
    return [
        Macro(
            "first_word",
            "告知进展",
            "",
            f"{goods}：{opened}，{demand}。客服已接手，正在看双方的材料。"
            f"还有材料的，请在 {by} 前交到本页。{conclusion}。",
        ),
        Macro(
            "settle",
            "请双方再谈",
            "",
            f"{goods}：{demand}。请双方在 {by} 前看一看能不能谈成：可以全额退、部分退或补发，拒绝方案不影响后面的处理。"
            f"谈不成，{conclusion}。",
        ),
        Macro(
            "ask_record",
            "问买家：截图或录屏",
            "buyer",
            f"{goods}：{opened}，{to_buyer}说“{case.claim_label}”。"
            f"请在 {by} 前交激活时的完整截图或录屏，要看得到时间、账号和提示。{otherwise}",
        ),
        Macro(
            "ask_account",
            "问买家：在哪里用的",
            "buyer",
            f"{goods}：{opened}。请在 {by} 前说明在哪个平台、哪个区服、什么时候用的，有没有给过别人。{otherwise}",
        ),
        Macro(
            "ask_check",
            "问商家：证明诉求的记录" if is_merchants else "问商家：发卡前的校验",
            "merchant",
            f"{goods}：{sent}，{to_merchant}说“{case.claim_label}”。请在 {by} 前交{records}。{otherwise}",
        ),
        Macro(
            "ask_delivery",
            "问商家：送达经过",
            "merchant",
            f"{goods}：{paid}，{sent}。请在 {by} 前说明什么时候、怎样送达的，并交记录。{otherwise}",
        ),
    ]


def summary_of(case: CaseView, items: int) -> str:
    """Write the beginning of a summary for the panel: what is quarrelled about, what was looked at, what is open."""
    order = case.order
    opened = stamp(order.opened_at) if order.opened_at else "没有拆封"
    answered = stamp(case.answered_at) if case.answered_at else "没有回应"
    who, other = ("商家", "买家") if case.opened_by is Side.MERCHANT else ("买家", "商家")
    return (
        f"交接摘要。{who}说“{case.claim_label}”，要求{case.demand_label}；{other}回应：{answered}。\n"
        f"已核对：商品快照第 {order.snapshot_no} 版；首次拆封 {opened}；双方证据 {items} 份；"
        f"另外核对了{SUMMARY_BLANKS[1]}。\n"
        f"争点：{SUMMARY_BLANKS[0]}。\n"
        f"还没弄清：{SUMMARY_BLANKS[0]}。"
    )
