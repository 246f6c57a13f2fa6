"""What a shop's page says before anything is bought: what it promises, what it leaves out, how it wants to be paid.

Words are looked for, not understood: each sighting quotes the place, so that a reader judges for themselves. What a
clause is worth by law is the terms checker's business.
"""

import re
from typing import Final, NamedTuple

from kabao.adjudication.model import Text

_AROUND: Final = 24
_MOST_QUOTED: Final = 3
_DENIED: Final = re.compile(
    r"(?:不|无|没有?|非|未|勿|谢绝|拒绝|禁止|\bno|\bnot|n't)[^，。；！？,;!?\n]{0,6}$", re.IGNORECASE
)
_BREAK: Final = re.compile(r"[。；！？;!?\n]")


class Topic(NamedTuple):
    """Something a page may say; `ask` is what to ask the shop where it says nothing or says no."""

    topic_id: str
    title: Text
    words: "re.Pattern[str]"
    ask: Text


class Sighting(NamedTuple):
    """A topic and the words it was found in; `denied` are those that say no."""

    topic: Topic
    said: tuple[str, ...]
    denied: tuple[str, ...]


class Danger(NamedTuple):
    """A way of selling or being paid that leaves the buyer without help; `words` as they stand on the page."""

    title: Text
    instead: Text
    words: tuple[str, ...]


class Beforehand(NamedTuple):
    """What was seen on a page."""

    sightings: tuple[Sighting, ...]
    dangers: tuple[Danger, ...]


def _topic(topic_id: str, title: Text, words: str, ask: Text) -> Topic:
    return Topic(topic_id, title, re.compile(words, re.IGNORECASE), ask)


TOPICS: Final = (
    _topic(
        "delivery",
        Text("什么时候到货", "When it is delivered"),
        r"发货|交付|发卡|到账|秒发|deliver",
        Text("付款后多久到？超时能不能马上退？", "How long after paying? Can I cancel at once when it is late?"),
    ),
    _topic(
        "fault",
        Text("卡密无效、被用过、和描述不符怎么办", "What happens when a key is invalid, used or not as described"),
        r"包换|补发|补卡|换卡|坏卡|退款(?!率)|退换|refund|replace",
        Text("卡密无效能退款吗，还是只补？", "Is there a refund for an invalid key, or only another key?"),
    ),
    _topic(
        "guarantee",
        Text(
            "保障：保证金、质保、假一赔几、无理由退款", "Guarantees: deposit, warranty, compensation, no-reason refund"
        ),
        r"保证金|质保|假一赔|先行赔付|担保|无理由|guarantee|warranty",
        Text("有没有保证金或者质保？质保几天，从哪天算？", "Is there a deposit or warranty? How many days, from when?"),
    ),
    _topic(
        "trial",
        Text("能不能先试", "A trial"),
        r"试用|体验|先用后付|trial",
        Text("能先买一张小面额的试吗？", "Can I try one of small value first?"),
    ),
    _topic(
        "partial",
        Text("部分退款怎么算", "How a partial refund is worked out"),
        r"部分退|按比例|按天|剩余(?:价值|天数|时长)|扣除?.{0,8}(?:手续费|%|％)|partial refund|pro rata",
        Text("用了一部分、改主意了，退多少，怎么算？", "How much comes back after partial use or a change of mind?"),
    ),
    _topic(
        "history",
        Text("纠纷记录：纠纷率、退款率、怎么处理的", "Dispute history: rates and how they ended"),
        r"纠纷率|投诉率|退款率|纠纷记录|投诉记录|dispute rate",
        Text(
            "这家店有多少纠纷，怎么解决的？平台上查得到吗？",
            "How many disputes, and how did they end? Can I look it up?",
        ),
    ),
    _topic(
        "who",
        Text("卖家是谁", "Who sells"),
        r"营业执照|统一社会信用代码|有限公司|个体工商户|经营者|证照|registered company|business licen[cs]e",
        Text("营业执照在哪里看？收款的是同一个主体吗？", "Where is the licence? Is the payee the same business?"),
    ),
    _topic(
        "validity",
        Text("有效期、地区、版本", "Validity, region, edition"),
        r"有效期|到期|区服|国区|港区|美区|地区限制|版本|expir|region|edition",
        Text("有效期到哪天？哪个地区、哪个版本能用？", "Until when is it valid, in which region and edition?"),
    ),
)

_DANGERS: Final = (
    (
        r"加.{0,4}(?:微信|qq|群|v信|威信|飞机|电报)|私聊|私下|telegram|whatsapp",
        Text("让你离开平台去聊、去付", "It wants you to talk or pay outside the platform"),
        Text("就在平台的订单里聊和付。离开平台付的钱，平台追不回来。",
             "Talk and pay inside the platform's order; it cannot get back what was paid elsewhere."),
    ),
    (
        r"转账|收款码|个人码|红包|口令|打款|bank transfer",
        Text("要直接转账、发红包或扫个人收款码", "It wants a transfer, red packet or a personal code"),
        Text("走有担保的付款：确认收货之后钱才给卖家。", "Use a payment that is held until you confirm."),
    ),
    (
        r"usdt|泰达|虚拟币|数字货币|比特币|bitcoin|crypto",
        Text("收虚拟币", "It takes crypto"),
        Text("付出去就追不回来，别付。", "It cannot be called back: do not pay."),
    ),
    (
        r"(?:先|提前).{0,4}确认收货|先.{0,4}好评|好评.{0,6}(?:返现|后发|再发)|confirm (?:receipt )?first",
        Text("要你先确认收货或先给好评", "It wants you to confirm or praise first"),
        Text("拿到并试过再确认。", "Confirm after you have it and have tried it."),
    ),
    (
        r"验证码(?:发|给|告诉)|(?:发|给|告诉).{0,4}验证码|远程协助|屏幕共享|刷流水|解冻金|保证金.{0,4}(?:解冻|退还)后",
        Text("要验证码、远程协助、刷流水或先交“解冻金”", "It asks for codes, remote help or money to release money"),
        Text("这是诈骗常用的办法。停下，别付；已经付了就打 110 或 96110。",
             "This is how fraud works. Stop; if you paid, call 110 or 96110."),
    ),
)  # fmt: skip
_DANGER_WORDS: Final = tuple((re.compile(words, re.IGNORECASE), title, instead) for words, title, instead in _DANGERS)

PAYING: Final = (
    Text(
        "付在平台里，选确认收货后才放款的方式。",
        "Pay inside the platform, by a way that pays the seller after you confirm.",
    ),
    Text(
        "先买一份、小额的，试过再多买。",
        "Buy one of small value first, try it, then buy more.",
    ),
    Text(
        "收款方的名字和店铺主体对不上，就别付。",
        "Do not pay where the payee's name is not the shop's.",
    ),
    Text(
        "付款页、订单号、付款流水号都留一份。",
        "Keep the payment page, the order number and the payment reference.",
    ),
)
CAPTURING: Final = (
    Text(
        "商品页从头到尾，露出标题、价格、规格、承诺和网址。",
        "The whole goods page, with title, price, edition, promises and address.",
    ),
    Text(
        "售后说明、店铺公告、平台规则里讲退款的部分。",
        "The shop's after-sales notice and the platform's rules on refunds.",
    ),
    Text(
        "店铺主体：营业执照或证照信息页。",
        "Who runs the shop: the licence page.",
    ),
    Text(
        "问客服的话和客服的答复，带名字和时间。",
        "What you asked and what was answered, with names and times.",
    ),
    Text(
        "付款页和付款成功页。",
        "The payment page and the page that says it went through.",
    ),
    Text(
        "开始录屏，再拆封、再兑换，中间不停。",
        "Start a screen recording, then open the key, then redeem it, without a break.",
    ),
)


def look(text: str) -> Beforehand:
    """Read a page; the work grows in step with it."""
    sightings = tuple(
        Sighting(topic, *_quotes(topic.words, text))
        for topic in TOPICS
    )  # fmt: skip
    dangers = tuple(
        Danger(title, instead, said)
        for words, title, instead in _DANGER_WORDS
        if (said := _quotes(words, text)[0])
    )  # fmt: skip
    return Beforehand(sightings, dangers)


def _quotes(words: "re.Pattern[str]", text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Quote the places where words stand, those that say yes and those that say no, each but a few times."""
    said: dict[str, None] = {}
    denied: dict[str, None] = {}
    for found in words.finditer(text):
        low = max(0, found.start() - _AROUND)
        before = _BREAK.split(text[low : found.start()])[-1]
        after = _BREAK.split(text[found.end() : found.end() + _AROUND])[0]
        into = denied if _DENIED.search(before) or after.startswith("不了") else said
        if len(into) < _MOST_QUOTED:
            into[(before + found.group() + after).strip()] = None
        if len(said) == len(denied) == _MOST_QUOTED:
            break
    return tuple(said), tuple(denied)
