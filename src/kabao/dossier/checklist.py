"""What proves what in a case: what is there already, what is missing, and what it would change. Pure.

The three elements stand first; then the facts that matter for this claim by the rulebook that bound the order, with
who has to show each. It is a help for gathering, never a verdict.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from kabao.adjudication import Rulebook
from kabao.cases.facts import CORE

FACTS_AT_MOST: Final = 6
GENERAL_SHARE: Final = 2
"""A fact that matters for more than one in so many of all claims is general and helps nobody to gather."""
PARTIES: Final = ("buyer", "merchant")
NAMES: Final = {"buyer": "买家", "merchant": "商家", "support": "客服"}
KEPT_HERE: Final = frozenset({"platform_log", "notice_record", "listing_snapshot", "order_record", "prohibited_list"})
"""Kinds of evidence that the platform keeps itself."""
STATEMENTS: Final = frozenset({"buyer_statement", "merchant_statement"})

EXAMPLES: Final = {
    "platform_log": "平台自己的记录，不用你交。",
    "issuer_record": "发行方客服的书面答复或兑换记录：写明卡号后四位、状态、兑换时间。",
    "listing_snapshot": "下单时的商品页已经存好，不用截图；写明是哪一句就可以。",
    "notice_record": "你勾选过的提示和时间，平台有记录。",
    "guarantee_record": "商品页上的承诺原文，例如“坏卡包换”，写明出现在哪里。",
    "order_record": "订单本身，平台有记录。",
    "order_history": "以前同样的订单号和结果。",
    "payment_record": "付款账单的整页截图：金额、时间、商户单号都看得到。",
    "message_log": "短信或邮件的整屏截图，号码和时间不要裁掉。",
    "chat_record": "在订单里说的话自动保存；别处的聊天，从头到尾连着截，不要只截一句。",
    "screenshot": "激活页面的整屏截图：网址、时间、报错原文都在，不裁剪、不涂改。",
    "recording": "从拆封前开始录，一直录到出现报错，中间不停。",
    "page_record": "把网页整页保存或打印成 PDF，网址和日期要看得到。",
    "terms_record": "抄下条款原文，写明在哪个页面、哪天看到的。",
    "admission": "对方承认的那句话，连前后几句一起截。",
    "court_document": "裁判文书的完整扫描件。",
    "police_record": "报案回执或立案通知的照片。",
    "authority_notice": "主管部门的公告或答复，附网址和日期。",
    "merchant_register": "登记信息查询页，看得到名称和查询日期。",
    "source_record": "进货单或发行方的出库记录，数量、批次、日期对得上。",
    "reseller_contract": "合同里写明转售的那一页和签字页。",
    "test_report": "出具机构、方法、日期齐全的报告。",
    "device_record": "设备和登录记录页的整屏截图，时间和地点看得到。",
    "family_record": "户口簿或出生证明的照片，无关的人遮住。",
    "guardian_statement": "写明孩子几岁、怎么付的款、家长什么时候发现。",
    "employment_record": "在职或收入证明，日期在交易前后。",
    "buyer_statement": "按时间写：几点做了什么，看到什么。",
    "merchant_statement": "按时间写：几点做了什么，依据哪条记录。",
    "request_record": "对方要你提供材料的那条消息，原文完整。",
    "complaint_record": "投诉编号和答复的截图。",
    "prohibited_list": "平台公布的清单，不用你交。",
}
"""A good example for each kind of evidence, in our own words."""


class Element(msgspec.Struct, frozen=True, kw_only=True):
    """One of the three elements: what of it is kept already, and what would round it off (empty: nothing)."""

    label: str
    have: list[str]
    missing: str


class FactLine(msgspec.Struct, frozen=True, kw_only=True):
    """A fact that matters: who has to show it, what shows it, how it stands.

    `state` is recorded (the platform's own records settle it), shown (somebody handed something in), said (words
    alone) or missing. `turns_to` is what the decision would become, empty where it would not change or is not told.
    """

    fact: str
    label: str
    meaning: str
    burden: str
    state: str
    have: list[str]
    proves: list[str]
    example: str
    turns_to: str


class Checklist(msgspec.Struct, frozen=True, kw_only=True):
    """The list as pages and the API show it."""

    elements: list[Element]
    facts: list[FactLine]


class Gathered(msgspec.Struct, frozen=True, kw_only=True):
    """What there is: messages and items by role, keys opened, notices ticked, and whether it was paid and delivered."""

    messages: Mapping[str, int]
    items: Mapping[str, int]
    keys_opened: int
    notices: int
    paid: bool
    delivered: bool


def checklist(
    book: Rulebook, claim: str, facts: Mapping[str, Any], gathered: Gathered, turns: Mapping[str, str] | None
) -> Checklist:
    """Write the list for a claim.

    `facts` are those of the case file the rulebook decides; `turns` names for each fact what the decision would turn
    to, None where the reader may not see it.
    """
    lines = []
    for name in _that_matter(book, claim, facts, turns or {}):
        fact, standing = book.facts[name], facts.get(name)
        kinds = [kind for kind in fact.shown_by if kind in book.evidence_kinds]
        state, have = _standing(book, standing)
        lines.append(
            FactLine(
                fact=name,
                label=fact.label.zh,
                meaning=fact.meaning.zh if fact.meaning else "",
                burden=fact.burden.value,
                state=state,
                have=have,
                proves=[book.evidence_kinds[kind].label.zh for kind in kinds],
                example=_example(kinds),
                turns_to=(turns or {}).get(name, ""),
            )
        )
    return Checklist(elements=_elements(gathered), facts=lines)


def _elements(gathered: Gathered) -> list[Element]:
    said = [f"{name}说了 {gathered.messages[role]} 次" for role, name in NAMES.items() if gathered.messages.get(role)]
    given = [f"{name}交了 {gathered.items[role]} 件证据" for role, name in NAMES.items() if gathered.items.get(role)]
    notices = [f"勾选过的提示 {gathered.notices} 条"] if gathered.notices else []
    trade = ["付款记录"] if gathered.paid else []
    trade += ["交付记录，卡密封存"] if gathered.delivered else []
    trade += [f"拆封记录 {gathered.keys_opened} 张"] if gathered.keys_opened else []
    return [
        Element(label="商品快照与承诺", have=["下单时的商品页", "退款条件", *notices], missing=""),
        Element(
            label="沟通记录",
            have=said,
            missing="" if len(said) > 1 else "和对方在订单里说清楚：发生了什么、要求什么、什么时候前答复。",
        ),
        Element(
            label="交易与使用记录",
            have=[*trade, *given],
            missing="" if given else "用的时候看到了什么：整屏截图，或者从拆封开始的录屏。",
        ),
    ]


def _that_matter(book: Rulebook, claim: str, facts: Mapping[str, Any], turns: Mapping[str, str]) -> list[str]:
    """Name the facts to gather for: the claim's own, those spoken of, those that would change the decision, others."""
    known = book.claims.get(claim)
    if known is None:
        return []
    own = Counter(_named_by(book, {claim, known.family, "all"}))
    spread = Counter(
        name for one in book.claims for name in set(_named_by(book, {one, book.claims[one].family, "all"}))
    )
    core = CORE.get(claim, ("", ""))[0]
    candidates = [
        name
        for name in own
        if name in book.facts
        and book.facts[name].burden.value in PARTIES
        and (spread[name] * GENERAL_SHARE <= len(book.claims) or name == core)
    ]
    touched = {name for name, standing in facts.items() if isinstance(standing, Mapping)}
    candidates.sort(key=lambda name: (name != core, name not in touched, name not in turns, -own[name], name))
    return candidates[:FACTS_AT_MOST]


def _named_by(book: Rulebook, words: set[str]) -> Iterable[str]:
    for article in book.articles.values():
        if words & set(article.claims):
            yield from {literal.fact for literal in (*article.when, *article.unless)}


def _standing(book: Rulebook, standing: Any) -> tuple[str, list[str]]:
    if standing is None:
        return "missing", []
    if isinstance(standing, str):
        return "recorded", ["平台记录：是" if standing == "proved" else "平台记录：否"]
    have: Sequence[Mapping[str, Any]] = standing["evidence"]
    told = [f"{_whose(book, one)}：{'成立' if one['shows'] == 'proved' else '不成立'}" for one in have]
    words_only = all(one["kind"] in STATEMENTS for one in have)
    return ("said" if words_only else "shown"), told


def _whose(book: Rulebook, one: Mapping[str, Any]) -> str:
    """Name a piece of evidence and who brought it; a statement says that itself."""
    named = book.evidence_kinds.get(one["kind"])
    kind = named.label.zh if named else one["kind"]
    return kind if one["kind"] in STATEMENTS else f"{kind}（{NAMES.get(str(one.get('by')), '客服')}）"


def _example(kinds: Sequence[str]) -> str:
    """Take the best kind that a person can hand in; the platform's own records need no example."""
    for kind in kinds:
        if kind not in KEPT_HERE and kind in EXAMPLES:
            return EXAMPLES[kind]
    return EXAMPLES[kinds[0]] if kinds and kinds[0] in EXAMPLES else ""
