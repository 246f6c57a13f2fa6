"""Texts to begin with, each fact, demand, date and next step. Values only; the platform's own stand here."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec

from kabao.cases.model import Side

TEXTS_AT_MOST: Final = 30
"""Texts of its own that a shop keeps."""
MAX_NAME_CHARS: Final = 40
MAX_BODY_CHARS: Final = 1000
MAX_NOTE_CHARS: Final = 500
"""Of a text that goes with an offer."""
MAX_DRAFT_CHARS: Final = 2000

FIELDS: Final[Mapping[str, str]] = {
    "订单": "订单号",
    "商品": "商品名",
    "金额": "这单付的钱",
    "可退": "最多还能退的钱",
    "案由": "买家说的问题",
    "要求": "买家的要求",
    "付款": "付款的时间",
    "送达": "送达的时间",
    "拆封": "拆封的时间，或者还没有拆封",
    "依据": "按现有事实支持你的那一条，没有就不写",
    "时限": "现在该回应的最晚时间",
}
"""What a text may ask of a case by ``{name}``, and what that is."""


class TextKind(StrEnum):
    """Where a text is used."""

    MESSAGE = "message"
    ANSWER = "answer"
    OFFER = "offer"


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """A text to begin with; `claims` names those it is for (none: all). A shop's own key is its number."""

    key: str
    side: Side
    kind: TextKind
    name: str
    body: str
    claims: frozenset[str] = frozenset()


class WriteText(msgspec.Struct, frozen=True, kw_only=True):
    """A shop's own text as its owner writes it."""

    kind: str
    name: str
    body: str


_KEYS: Final = frozenset({"already_used", "key_invalid", "not_as_described"})
_TIME: Final = frozenset({"not_delivered", "late"})

PLATFORM: Final = (
    Text(
        key="urge",
        side=Side.BUYER,
        kind=TextKind.MESSAGE,
        name="说清事实，请对方办",
        body="订单 {订单} 的卡密{拆封}，（几点几分）提示“（看到的原话）”（附证据几）。\n"
        "{依据}请在 {时限} 前{要求}；逾期将请客服介入。",
        claims=frozenset({"already_used", "key_invalid", "reclaimed", "warranty_refused"}),
    ),
    Text(
        key="urge-other",
        side=Side.BUYER,
        kind=TextKind.MESSAGE,
        name="说清事实，请对方办（别的情况）",
        body="订单 {订单}（{商品}）：（发生了什么、几点几分，附证据几）。\n"
        "{依据}请在 {时限} 前{要求}；逾期将请客服介入。",
    ),
    Text(
        key="evidence",
        side=Side.BUYER,
        kind=TextKind.MESSAGE,
        name="说明一份证据",
        body="订单 {订单}：证据（编号）是（几点几分）在（哪里）截的，看得到（什么）。\n"
        "所以我要求{要求}。请在 {时限} 前核对；有不同意见，请附上你的记录。谈不拢，请客服看。",
    ),
    Text(
        key="counter",
        side=Side.BUYER,
        kind=TextKind.OFFER,
        name="还价的理由",
        body="订单 {订单}：（哪一部分能用、哪一部分不能用）。\n"
        "我要这个数，是因为（怎么算的）。请在 {时限} 前答复；不同意，请客服按规则处理。",
    ),
    Text(
        key="answer",
        side=Side.MERCHANT,
        kind=TextKind.ANSWER,
        name="回应买家",
        body="订单 {订单}：我方核对（看了什么记录、结果是什么）。\n"
        "我方意见：（同意、部分同意或不同意，为什么）。\n"
        "我方会在（日期、几点前）办到（什么）；谈不拢的话，请客服介入。",
    ),
    Text(
        key="answer-key",
        side=Side.MERCHANT,
        kind=TextKind.ANSWER,
        name="卡密有问题：核对入库和供货记录",
        body="订单 {订单} 的{商品}{送达} 送达，{拆封}。我方核对了入库和供货记录（记录编号、时间），"
        "这张卡密（核对的结果）（附证据几）。\n"
        "对{要求}，我方意见：（同意、部分同意或不同意，为什么）。\n"
        "我方会在（日期、几点前）办到（什么）；谈不拢的话，请客服介入。",
        claims=_KEYS,
    ),
    Text(
        key="answer-time",
        side=Side.MERCHANT,
        kind=TextKind.ANSWER,
        name="没收到、来晚了：说清时间",
        body="订单 {订单}：{付款} 付款，{送达} 送达（附证据几）。（晚了多久、为什么）。\n"
        "对{要求}，我方意见：（同意、部分同意或不同意，为什么）。\n"
        "我方会在（日期、几点前）办到（什么）；谈不拢的话，请客服介入。",
        claims=_TIME,
    ),
    Text(
        key="answer-mind",
        side=Side.MERCHANT,
        kind=TextKind.ANSWER,
        name="不想要了：说清条款和提示",
        body="订单 {订单} 的{商品}{拆封}。商品页写明（哪一条），下单时买家确认了（哪条提示）。\n"
        "对{要求}，我方意见：（同意、部分同意或不同意，为什么）。\n"
        "我方能在（日期、几点前）办到（什么）；谈不拢的话，请客服介入。",
        claims=frozenset({"changed_mind", "wrong_purchase", "own_mistake"}),
    ),
    Text(
        key="part",
        side=Side.MERCHANT,
        kind=TextKind.OFFER,
        name="部分退款的理由",
        body="订单 {订单}：（核对出来的事实）。\n"
        "提出这个数，是按（怎么算的）。接受就马上退到原付款账户；不接受，请在答复里说明，或者请客服介入。",
    ),
    Text(
        key="again",
        side=Side.MERCHANT,
        kind=TextKind.OFFER,
        name="补发",
        body="订单 {订单}：（核对出来的事实）。\n"
        "接受后马上补发一张新的{商品}，封存送达；再有问题，照样能提。不接受，请在答复里说明，或者请客服介入。",
    ),
)
"""The platform's texts; a blank stands in full-width brackets."""
