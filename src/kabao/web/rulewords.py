"""A rulebook in words people read: when an article applies, what follows, the law behind it. Nothing here decides."""

from collections.abc import Iterable, Mapping
from typing import Final, Literal

import msgspec

from kabao.adjudication.authority import authorities
from kabao.adjudication.model import (
    Article,
    Base,
    Component,
    Damages,
    Issue,
    Less,
    Loss,
    Party,
    Payer,
    Price,
    Recourse,
    Remedy,
    Rulebook,
    Shares,
    Source,
    Text,
    Value,
)
from kabao.adjudication.model import Literal as FactLiteral
from kabao.adjudication.reasons import OUTCOMES, PARTIES
from kabao.kernel import yuan_text

Language = Literal["zh", "en"]

LABELS: Final[Mapping[str, Text]] = {
    "chapters": Text("章", "Chapters"),
    "when": Text("同时符合这些才适用", "Applies where all of these hold"),
    "unless": Text("有其中一项就不适用", "Does not apply where any of these holds"),
    "claims": Text("哪些诉求用它", "For these claims"),
    "outcome": Text("结果", "What follows"),
    "law": Text("背后的法律", "The law behind it"),
    "examples": Text("例子", "Examples"),
    "yields": Text("和别的条文冲突时，让位于", "Yields, where they conflict, to"),
    "all_claims": Text("任何诉求", "any claim"),
    "search": Text("在规则里找", "Search the rules"),
    "found": Text("找到的条文", "Articles found"),
    "none": Text("没有找到。换个词，或者直接写条号。", "Nothing found. Try another word, or an article's number."),
    "more": Text("适用条件、法律和例子", "Conditions, law and examples"),
    "all": Text("看全部条文", "All articles"),
    "go": Text("搜索", "Search"),
    "now": Text("现在施行", "in force"),
    "coming": Text("还没施行", "not yet in force"),
    "past": Text("以前的版本", "an earlier version"),
    "version": Text("版", "edition"),
    "since": Text("起施行", "from"),
    "versions": Text("历次版本", "All versions"),
    "replaced": Text(
        "这一版已经换掉。在它施行期间下的订单，仍按它判。",
        "Another version has taken its place; orders placed while this one was in force are still decided by it.",
    ),
    "current": Text("看现在的规则", "Read the rules in force"),
    "announced": Text("已经公布", "Published"),
    "read_new": Text("看新版", "Read it"),
    "changes": Text("看改了什么", "What changes (in Chinese)"),
    "not": Text("不成立", "not"),
    "not_final": Text(
        "裁决不是终局：不服的，可以打 12315、找消协调解、申请仲裁或者起诉。",
        "No ruling is final: 12315, mediation, arbitration and the courts stay open to you.",
    ),
    "chinese": Text("以中文为准，英文只供参考。", "The Chinese text prevails; the English is for orientation only."),
}

ISSUES: Final[Mapping[Issue, Text]] = {
    Issue.PRICE: Text("价款", "The price"),
    Issue.RESPONSIBLE: Text("责任", "Responsible"),
    Issue.DAMAGES: Text("赔偿", "Damages"),
    Issue.PAYER: Text("谁付", "Who pays"),
}

SOURCES: Final[Mapping[Source, Text]] = {
    Source.LAW: Text("法律规定", "law"),
    Source.PLATFORM: Text("平台规则", "platform rule"),
    Source.MERCHANT: Text("商家条款", "merchant's term"),
}

_BASES: Final[Mapping[Base, Text]] = {
    Base.FAULT: Text("扣去买家自己责任的那一份", "less the buyer’s own share of responsibility"),
    Base.UNUSED: Text("退没用掉的部分", "for the unused part"),
    Base.UNUSED_DAYS: Text("按剩下的天数退", "for the days left"),
    Base.UNUSED_USES: Text("按剩下的次数退", "for the uses left"),
    Base.UNUSED_BALANCE: Text("按剩下的余额退", "for the balance left"),
    Base.FAILED_ITEMS: Text("退无效的那几件", "for the items that failed"),
    Base.DIFFERENCE: Text("退差价", "of the difference in value"),
    Base.OVERPAID: Text("退多付的钱", "of what was overpaid"),
}
_LESS: Final[Mapping[Less, Text]] = {
    Less.FEE: Text("扣除事先公示并且真的发生的费用", "less a fee published before and really incurred"),
    Less.USE: Text("扣除已经用掉的价值", "less the value of the use had"),
}
_REMEDIES: Final[Mapping[Remedy, Text]] = {
    Remedy.REFUND: Text("退款", "a refund"),
    Remedy.REPLACE: Text("补发", "a replacement"),
    Remedy.PERFORM: Text("继续履行", "performance"),
}
_LOSSES: Final[Mapping[Loss, Text]] = {
    Loss.PROMISE: Text("按承诺的倍数赔", "the promised multiple of the price"),
    Loss.PROMISED_SUM: Text("承诺赔付的金额", "the sum promised"),
    Loss.LATE_FEE: Text("约定的迟延赔付", "the agreed sum for delay"),
    Loss.PROVEN_LOSS: Text("证明了的损失", "loss that is proven"),
    Loss.INTEREST: Text("利息", "interest"),
    Loss.COSTS: Text("合理的费用", "reasonable costs"),
}
_RECOURSES: Final[Mapping[Recourse, Text]] = {
    Recourse.MERCHANT: Text("商家", "the merchant"),
    Recourse.PLATFORM: Text("平台", "the platform"),
    Recourse.BUYER: Text("买家", "the buyer"),
    Recourse.UPSTREAM: Text("上游供货方", "the supplier"),
}
_JOINTS: Final[Mapping[Language, tuple[str, str]]] = {"zh": ("，", "、"), "en": ("; ", ", ")}


class Law(msgspec.Struct, frozen=True):
    """A provision by its name and in one sentence of our own."""

    name: str
    summary: str


class ArticleWords(msgspec.Struct, frozen=True, kw_only=True):
    """An article in one language; conditions are (holds, statement), what follows is (issue, words)."""

    number: int
    heading: str
    chapter: str
    title: str
    message: str
    source: str
    outcome: str
    claims: str
    when: list[tuple[bool, str]]
    unless: list[tuple[bool, str]]
    follows: list[tuple[str, str]]
    law: list[Law]
    examples: list[str]
    yields: list[int]

    @property
    def everything(self) -> str:
        """All its words, for a search."""
        lines = [self.heading, self.title, self.message, self.source, self.claims, *self.examples]
        lines += [statement for _, statement in (*self.when, *self.unless)]
        lines += [words for _, words in self.follows]
        lines += [f"{one.name} {one.summary}" for one in self.law]
        return "\n".join(lines).casefold()


def say(text: Text, language: Language) -> str:
    """Pick a language."""
    return text.zh if language == "zh" else text.en


def article_words(book: Rulebook, article: Article, language: Language) -> ArticleWords:
    """Write an article in words."""
    number = article.number
    price = article.values.get(Issue.PRICE)
    return ArticleWords(
        number=number,
        heading=say(Text(f"第 {number} 条", f"Article {number}"), language),
        chapter=article.chapter,
        title=say(article.title, language),
        message=say(article.message, language),
        source=say(SOURCES[article.source], language),
        outcome=say(OUTCOMES[price.outcome], language) if isinstance(price, Price) else "",
        claims=_claims(book, article, language),
        when=_conditions(book, article.when, language),
        unless=_conditions(book, article.unless, language),
        follows=[(say(ISSUES[issue], language), value_words(value, language)) for issue, value in _ordered(article)],
        law=_law(book, article, language),
        examples=[say(one, language) for one in article.examples],
        yields=sorted(
            {book.articles[name].number for issue in article.values for name in _beaten_by(book, issue, article)}
        ),
    )


def found(articles: Iterable[ArticleWords], words: str) -> list[ArticleWords]:
    """Find the articles that hold every word; a number, or 第12条, finds that article."""
    wanted = words.casefold().replace("第", " ").replace("条", " ").split()
    numbers = {int(word) for word in wanted if word.isascii() and word.isdigit()}
    if numbers and len(numbers) == len(wanted):
        return [one for one in articles if one.number in numbers]
    return [one for one in articles if all(word in one.everything for word in words.casefold().split())]


def value_words(value: Value, language: Language) -> str:
    """Write what an article decides on one issue."""
    match value:
        case Price():
            return _price(value, language)
        case Shares():
            return _shares(value, language)
        case Damages():
            joint = " + " if language == "en" else "＋"
            return joint.join(_loss(part, language) for part in value.parts) or say(Text("没有", "none"), language)
        case Payer():
            return _payer(value, language)


def _ordered(article: Article) -> list[tuple[Issue, Value]]:
    return [(issue, article.values[issue]) for issue in Issue if issue in article.values]


def _beaten_by(book: Rulebook, issue: Issue, article: Article) -> tuple[str, ...]:
    return book.beaten_by.get(issue, {}).get(article.article_id, ())


def _claims(book: Rulebook, article: Article, language: Language) -> str:
    if len(article.claims) == len(book.claims):
        return say(LABELS["all_claims"], language)
    return _JOINTS[language][1].join(say(book.claims[name].label, language) for name in article.claims)


def _conditions(book: Rulebook, literals: Iterable[FactLiteral], language: Language) -> list[tuple[bool, str]]:
    return [(one.holds, say((book.facts.get(one.fact) or book.derived[one.fact]).label, language)) for one in literals]


def _law(book: Rulebook, article: Article, language: Language) -> list[Law]:
    named: dict[str, Law] = {}
    for cite in article.cites:
        for one in authorities(cite, book.edition.effective):
            if one.citation is None:
                named[one.cite] = Law(one.cite, "")
            elif language == "zh":
                named[one.cite] = Law(one.citation.text_zh(), one.citation.summary_zh)
            else:
                named[one.cite] = Law(one.citation.text_en(), one.citation.summary_en)
    return list(named.values())


def _price(price: Price, language: Language) -> str:
    said = [OUTCOMES[price.outcome]]
    if price.low is not None and price.high is not None:
        said.append(
            Text(
                f"比例由人在 {price.low}% 到 {price.high}% 之间定",
                f"a person sets the share between {price.low}% and {price.high}%",
            )
        )
    if price.base is Base.SHARE:
        said.append(Text(f"退价款的 {price.share}%", f"{price.share}% of the price"))
    elif price.base in _BASES:
        said.append(_BASES[price.base])
    if price.less in _LESS:
        said.append(_LESS[price.less])
    if price.fee_percent is not None:
        said.append(Text(f"最多扣价款的 {price.fee_percent}%", f"at most {price.fee_percent}% of the price"))
    if len(price.remedy) > 1:
        choices = [_REMEDIES[one] for one in price.remedy]
        who = PARTIES[Party.BUYER if price.buyer_chooses else Party.MERCHANT]
        said.append(
            Text(
                f"{who.zh}可以选{'、'.join(one.zh for one in choices)}",
                f"{who.en} may choose {' or '.join(one.en for one in choices)}",
            )
        )
    return _JOINTS[language][0].join(say(one, language) for one in said)


def _shares(shares: Shares, language: Language) -> str:
    parts = [
        (PARTIES[party], share)
        for party, share in (
            (Party.MERCHANT, shares.merchant),
            (Party.BUYER, shares.buyer),
            (Party.PLATFORM, shares.platform),
        )
        if share
    ]
    if not parts:
        return say(Text("谁都没有责任", "nobody"), language)
    return _JOINTS[language][0].join(f"{say(party, language)} {share}%" for party, share in parts)


def _loss(part: Component, language: Language) -> str:
    if part.base is Loss.GREATER_OF:
        options = "、".join(_loss(one, "zh") for one in part.options)
        english = "; ".join(_loss(one, "en") for one in part.options)
        said = Text(f"以下取高的：{options}", f"the greater of: {english}")
    elif part.base is Loss.MULTIPLE:
        said = Text(f"价款的 {part.times} 倍", f"{part.times} times the price")
    else:
        said = _LOSSES[part.base]
    limits = []
    if part.floor_minor:
        least = yuan_text(part.floor_minor)
        limits.append(Text(f"不足 {least} 的按 {least}", f"at least {least}"))
    if part.cap_minor is not None:
        most = yuan_text(part.cap_minor)
        limits.append(Text(f"最多 {most}", f"at most {most}"))
    if part.less_refund:
        limits.append(Text("退款算在里面", "the refund counts towards it"))
    if not limits:
        return say(said, language)
    inside = _JOINTS[language][0].join(say(one, language) for one in limits)
    return f"{said.zh}（{inside}）" if language == "zh" else f"{said.en} ({inside})"


def _payer(payer: Payer, language: Language) -> str:
    said = [PARTIES[payer.who]]
    if payer.joint is not Party.NOBODY:
        other = PARTIES[payer.joint]
        said.append(Text(f"{other.zh}连带承担", f"jointly with {other.en}"))
    if payer.recourse in _RECOURSES:
        other = _RECOURSES[payer.recourse]
        said.append(Text(f"之后可以向{other.zh}追偿", f"who may have it back from {other.en}"))
    return _JOINTS[language][0].join(say(one, language) for one in said)
