"""What a buyer or a merchant can claim, as data: the kinds of responsibility and the words for each claim.

A claim says why; what it leads to is decided from facts, not from the name of the claim.
"""

from enum import StrEnum
from typing import Final

import msgspec


class ClaimKind(StrEnum):
    """Where the responsibility for a claim usually lies."""

    MERCHANT = "merchant"
    BUYER = "buyer"
    RULES = "rules"
    CONDUCT = "conduct"
    """What a merchant holds against a buyer."""


KIND_LABELS: Final = {
    ClaimKind.MERCHANT: "商品或商家的问题",
    ClaimKind.BUYER: "我自己的原因",
    ClaimKind.RULES: "规则不清楚或不合理",
    ClaimKind.CONDUCT: "买家的问题",
}


class Claim(msgspec.Struct, frozen=True):
    """One claim: its id, kind, label, and a hint at what helps to show it."""

    claim_id: str
    kind: ClaimKind
    label: str
    hint: str


_ALL: Final = (
    Claim(
        "already_used",
        ClaimKind.MERCHANT,
        "卡密提示已被使用",
        "附上激活时的报错截图，最好带上时间。平台有你的拆封时间，会一起给对方看。",
    ),
    Claim("key_invalid", ClaimKind.MERCHANT, "卡密无效或不存在", "附上激活页面的报错截图，并写明在哪里激活的。"),
    Claim(
        "not_as_described",
        ClaimKind.MERCHANT,
        "和商品页写的不一样",
        "写明差在哪里，例如面值、地区、期限、版本。下单时的商品页已经存好。",
    ),
    Claim("not_delivered", ClaimKind.MERCHANT, "没有收到商品", "写明你少了什么，数量差多少。"),
    Claim(
        "late", ClaimKind.MERCHANT, "发货超过了承诺的时间", "承诺的时间和发货时间平台都有记录，写明对你的影响就可以。"
    ),
    Claim(
        "reclaimed", ClaimKind.MERCHANT, "用了以后被收回或封停", "附上被收回或封停的通知，写明从什么时候开始不能用。"
    ),
    Claim("warranty_refused", ClaimKind.MERCHANT, "质保期内商家不处理", "写明你什么时候找过商家，商家怎么答复的。"),
    Claim(
        "wrong_purchase",
        ClaimKind.BUYER,
        "买错了",
        "还没拆封的可以直接全额退，不用走纠纷。已拆封的要和商家商量。",
    ),
    Claim(
        "description_not_read",
        ClaimKind.BUYER,
        "下单时没看清说明",
        "写明哪一条没看清。如果商家没有做显著提示，责任可能在商家。",
    ),
    Claim("expired", ClaimKind.BUYER, "放太久，卡密过期了", "写明过期日期。有效期没有写在商品页上的，责任可能在商家。"),
    Claim(
        "changed_mind",
        ClaimKind.BUYER,
        "不想要了",
        "还没拆封的可以直接全额退。已拆封的要和商家商量，可能扣一部分费用。",
    ),
    Claim("own_mistake", ClaimKind.BUYER, "自己操作失误", "写明做了哪一步，例如充到了别的账号，商家也许能帮忙处理。"),
    Claim(
        "clause_vague",
        ClaimKind.RULES,
        "条款含糊，说法不一",
        "抄下你认为含糊或互相矛盾的条款。有两种理解时，按不利于写条款一方的理解。",
    ),
    Claim("clause_unfair", ClaimKind.RULES, "条款不公平", "抄下你认为不公平的条款，例如“一经售出概不退换”。"),
    Claim("excessive_hurdle", ClaimKind.RULES, "退款门槛过高", "写明商家要求你提供什么，例如第三方检测报告。"),
    Claim(
        "not_prominent",
        ClaimKind.RULES,
        "重要条款没有提示清楚",
        "写明哪一条你在付款前没有看到。你确认过的提示平台都有记录。",
    ),
    Claim("other", ClaimKind.MERCHANT, "其他问题", "把事情经过按时间写下来，附上能说明问题的截图。"),
    Claim(
        "buyer_false_claim",
        ClaimKind.CONDUCT,
        "买家的退款理由不实",
        "写明哪一句不实，附发行方的兑换记录或聊天记录。记错、说不清楚不算编造。",
    ),
    Claim(
        "buyer_used_it",
        ClaimKind.CONDUCT,
        "买家已经用掉，又要退",
        "附发行方的兑换记录：几点、兑换到哪里。拆封时间平台有记录。",
    ),
    Claim(
        "buyer_pressure", ClaimKind.CONDUCT, "买家拿差评、投诉要挟", "附订单里的对话。平台外的聊天可以作为文件提交。"
    ),
    Claim("fee_due", ClaimKind.CONDUCT, "退款要扣约定的费用", "写明商品页的哪一条、扣多少、怎么算。"),
)

CLAIMS: Final = {claim.claim_id: claim for claim in _ALL}
"""Every claim by its id, in the order pages show them."""
MERCHANT_CLAIMS: Final = {name: claim for name, claim in CLAIMS.items() if claim.kind is ClaimKind.CONDUCT}
"""What a merchant may claim; everything else is a buyer's to claim."""
