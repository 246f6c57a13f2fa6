"""What a record says, in the same Chinese words as the timeline, read back from its body. Pure."""

from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from kabao.cases.claims import CLAIMS
from kabao.cases.model import OfferState, OfferView, Outcome, Remedy, Side
from kabao.cases.words import (
    WHO,
    case_event_text,
    erased_text,
    file_text,
    message_text,
    order_event_text,
    outcome_label,
    remedy_label,
)

BEIJING: Final = ZoneInfo("Asia/Shanghai")
ERASED: Final = "内容已删除"
KINDS: Final = {
    "order_event": "订单",
    "case_event": "纠纷",
    "message": "对话",
    "item": "证据",
    "mask": "遮盖",
    "fact": "事实",
    "erasure": "删除",
}
"""What each kind of record is called."""


def moment(at: datetime) -> str:
    """Write an instant as papers do: Beijing's time, to the second, and whose time it is."""
    return at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S")


def moment_of(instant: str) -> str:
    """Write an instant that a record's body tells."""
    return moment(datetime.fromisoformat(instant))


def record_text(kind: str, body: bytes | None) -> str:
    """Say in one sentence what a record says; that it was erased where its body is gone."""
    if body is None:
        return f"{KINDS[kind]}：{ERASED}，日志里的位置还在"
    said = msgspec.json.decode(body)
    who, content = said["by"], said["content"]
    match kind:
        case "order_event":
            text = order_event_text(
                content["event"], who, amount_minor=content["amount_minor"], reason=content["reason"]
            )
        case "case_event":
            text = _case_text(who, content)
        case "message":
            text = f"{message_text(who)}{content['text']}"
        case "item":
            text = file_text(who, content["no"])
        case "mask":
            text = f"{WHO[who]}遮盖了证据 {content['item']} 的一部分。"
        case "fact":
            text = f"{WHO[who]}说了一个事实{'成立' if content['shows'] else '不成立'}。"
        case _:
            text = erased_text(content["record"], content["reason"])
    return text


def _case_text(who: str, content: dict[str, Any]) -> str:
    claim, offer, ruling = content.get("claim"), content.get("offer"), content.get("ruling")
    opening = ""
    if claim is not None:
        demand = remedy_label(Remedy(claim["demand"]), claim["demand_minor"])
        opening = f"{CLAIMS[claim['claim']].label}，要求{demand}"
    view = None
    if offer is not None:
        remedy = Remedy(offer["kind"])
        view = OfferView(
            offer_id=0,
            by_role=Side(offer["by"]),
            kind=remedy,
            label=remedy_label(remedy, offer["refund_minor"]),
            refund_minor=offer["refund_minor"],
            note=offer["note"],
            state=OfferState.OPEN,
            made_at=datetime.fromtimestamp(0, UTC),
            decided_at=None,
        )
    ruled = ""
    if ruling is not None:
        ruled = outcome_label(Outcome(ruling["outcome"]), ruling["refund_minor"], ruling.get("damages_minor", 0))
    return case_event_text(content["event"], who, offer=view, opening=opening, body=content["said"] or "", ruled=ruled)
