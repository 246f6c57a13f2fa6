"""What a pack of a purchase made elsewhere says, in the order an official reads: who, what, when, shown by what.

Pure. What only the person needs (weak demands, what is missing, what would turn it) stays out.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec

from kabao.adjudication.model import Text
from kabao.paper import PaperFact, PaperItem, PaperLine, PaperSection, StoryPaper
from kabao.selfhelp.book import law_rules
from kabao.selfhelp.masks import hide
from kabao.selfhelp.model import (
    CHINA,
    Amount,
    Answer,
    Business,
    EndKind,
    Happening,
    Kind,
    Language,
    Moment,
    Side,
    Story,
)
from kabao.selfhelp.results import Assessment, Strength
from kabao.selfhelp.rules import side_of
from kabao.selfhelp.signs import FIRST
from kabao.selfhelp.words import ADDRESSEES, CHANNELS, GOODS

NONE: Final = frozenset({"", "-"})

HAPPENED: Final = {
    Happening.ORDERED: Text("下单", "ordered"),
    Happening.PAID: Text("付款", "paid"),
    Happening.PROMISED: Text("承诺", "promised"),
    Happening.DELIVERED: Text("收到", "delivered"),
    Happening.OPENED: Text("打开、查看", "opened"),
    Happening.TRIED: Text("试用", "tried"),
    Happening.COMPLAINED: Text("提出问题", "complained"),
    Happening.ANSWERED: Text("答复", "answered"),
    Happening.REFUSED: Text("拒绝", "refused"),
    Happening.REFUNDED: Text("退款到账", "refunded"),
    Happening.CONFIRMED: Text("确认收货", "confirmed"),
    Happening.BLOCKED: Text("被拉黑、封禁", "blocked"),
    Happening.OTHER: Text("", ""),
}
WHO: Final = {
    Side.ME: Text("本人", "I"),
    Side.MERCHANT: Text("商家", "merchant"),
    Side.PLATFORM: Text("平台", "platform"),
    Side.OTHER: Text("", ""),
}
KINDS: Final = {
    Kind.CHAT_RECORD: Text("聊天记录", "chat"),
    Kind.ORDER_RECORD: Text("订单页面", "order page"),
    Kind.TERMS_RECORD: Text("规则、条款", "terms"),
}
ENDINGS: Final = {
    EndKind.REFUNDED: Text("已退款", "refunded"),
    EndKind.PARTLY: Text("部分解决", "settled in part"),
    EndKind.REPLACED: Text("已补发", "replaced"),
    EndKind.REFUSED: Text("被拒绝", "refused"),
    EndKind.STOPPED: Text("不再追究", "not pursued"),
}
CLAIMS: Final = Text(
    "这份材料由本人整理，用本人自己的钥匙签署。它能证明：签署以后没有改动过。它不能证明：是谁签署的、聊天发生在什么"
    "时候、图片是真的。没有公开日志，也没有第三方时间戳。文字里的卡密、验证码、密码都遮住了。",
    "I put these papers together and signed them with a key of my own. That shows that nothing was changed since. It "
    "does not show who signed, when a chat took place, or that a picture is true. There is no public log and no "
    "outside timestamp. Card keys, codes and passwords in texts are blacked out.",
)


class Carried(NamedTuple):
    """How the pack carries an item: its number, and a sentence where the original is not in it."""

    no: int
    why: str


def paper_of(story: Story, found: Assessment, carried: Sequence[Carried]) -> StoryPaper:
    """Write the paper; no secret stands in it."""
    return unsecret(_Writer(story, found).paper(carried), story)


def unsecret(paper: StoryPaper, story: Story) -> StoryPaper:
    """Black out secrets in every text but fingerprints."""

    def clean(value: Any) -> Any:
        if isinstance(value, str):
            return hide(value, story)
        if isinstance(value, list):
            return [clean(one) for one in value]
        if isinstance(value, dict):
            return {name: one if name == "sha256" else clean(one) for name, one in value.items()}
        return value

    return msgspec.convert(clean(msgspec.to_builtins(paper)), StoryPaper)


def plain_of(paper: StoryPaper) -> str:
    """Write the same as text."""
    lines = [paper.title, paper.subtitle, ""]

    def section(one: PaperSection) -> None:
        lines.extend(["", f"== {one.title} ==", ""])
        lines.extend(f"{fact.label}: {fact.text}" if fact.label else fact.text for fact in one.facts)
        lines.extend([one.said] if one.said else [])

    for one in paper.before:
        section(one)
    if paper.timeline:
        lines.extend(["", f"== {paper.timeline_title} ==", ""])
    for line in paper.timeline:
        lines.append("  ".join(part for part in (line.at, line.who, line.text) if part))
        lines.extend(f"    {said}" for said in line.said.splitlines())
    if paper.items:
        lines.extend(["", f"== {paper.items_title} ==", ""])
    for item in paper.items:
        lines.append("  ".join(part for part in (str(item.no), item.name, item.about) if part))
        lines.append(f"    SHA-256 {item.sha256}")
        lines.extend([f"    {item.note}"] if item.note else [])
    for one in paper.after:
        section(one)
    return "\n".join([*lines, "", paper.foot, ""])


def amount_words(amount: Amount) -> str:
    """Write a sum as it is read: ¥268.00."""
    return f"¥{amount.words()}" if amount.currency == "CNY" else amount.words()


class _Writer:
    def __init__(self, story: Story, found: Assessment) -> None:
        self.story, self.found = story, found
        self.book = law_rules().book

    def say(self, zh: str, en: str) -> str:
        return zh if self.story.language is Language.ZH else en

    def words(self, text: Text) -> str:
        return self.say(text.zh, text.en)

    def paper(self, carried: Sequence[Carried]) -> StoryPaper:
        story = self.story
        made = f"{self.found.made_at.astimezone(CHINA):%Y-%m-%d %H:%M}"
        return StoryPaper(
            title=self.say(f"{story.shop.name}：{story.title}", f"{story.shop.name}: {story.title}"),
            subtitle=self.say(f"消费纠纷材料，{made}（北京时间）整理", f"Papers of a purchase, {made} (China)"),
            running=self.say("纠纷材料", "Papers"),
            before=[one for one in self._before() if one.said or one.facts],
            timeline_title=self.say("经过", "What happened"),
            timeline=self._timeline(),
            items_title=self.say("证据目录", "Evidence"),
            items=self._items(carried),
            after=[one for one in self._after() if one.said or one.facts],
            foot=self.words(CLAIMS),
        )

    def _facts(self, *rows: tuple[str, str, str]) -> list[PaperFact]:
        return [PaperFact(self.say(zh, en), value) for zh, en, value in rows if value not in NONE]

    def _before(self) -> Iterator[PaperSection]:
        story, person, paid = self.story, self.story.person, self.story.payment
        claim = self.book.claims.get(story.claim)
        yield PaperSection(
            title=self.say("本人", "Who complains"),
            facts=self._facts(
                ("姓名", "Name", person.name), ("电话", "Telephone", person.phone), ("地址", "Address", person.address)
            ),
        )
        yield PaperSection(title=self.say("商家", "The merchant"), facts=self._business(story.shop))
        yield PaperSection(title=self.say("平台", "The platform"), facts=self._business(story.platform))
        yield PaperSection(
            title=self.say("买了什么", "What was bought"),
            facts=self._facts(
                ("商品", "Goods", story.title),
                ("种类", "Kind", self.words(GOODS[story.goods]) if story.goods else ""),
                ("数量", "Number", str(story.quantity)),
                ("订单号", "Order number", story.order_no),
                ("付款时间", "Paid at", paid.at.words() if paid.at else ""),
                ("付款金额", "Sum paid", amount_words(paid.amount) if paid.amount else ""),
                ("付款方式", "Paid by", self.words(CHANNELS[paid.channel]) if paid.channel else ""),
                ("收款方", "Payee", paid.payee),
                ("交易单号", "Payment number", paid.reference),
                ("问题", "Problem", self.words(claim.label) if claim else ""),
            ),
            said=story.summary,
        )
        yield PaperSection(title=self.say("诈骗迹象", "Signs of fraud"), facts=list(self._signs()))
        yield PaperSection(title=self.say("要求", "What is asked"), facts=list(self._asks()))
        laws = {
            cite.name.zh: cite for ask in self.found.asks if ask.strength is not Strength.WEAK for cite in ask.cites
        }
        yield PaperSection(
            title=self.say("法律依据", "Law"),
            facts=[PaperFact(self.words(cite.name), self.words(cite.says)) for cite in laws.values()],
        )

    def _business(self, one: Business) -> list[PaperFact]:
        if one.name in NONE:
            return []
        return self._facts(
            ("名称", "Name", one.name),
            ("登记名称", "Registered name", one.real_name),
            ("信用代码", "Credit code", one.code),
            ("地址", "Address", one.address),
            ("联系方式", "Contact", one.contact),
            ("网址", "Site", one.site),
        )

    def _signs(self) -> Iterator[PaperFact]:
        for sign in self.found.signs:
            yield PaperFact(self.say("有", "yes"), self.words(sign.text))
        done = {Answer.YES: Text("已做", "done"), Answer.NO: Text("还没有", "not yet")}
        for name, step in FIRST.items() if self.found.first else ():
            if (said := done.get(self.story.signs.get(name, Answer.UNKNOWN))) is not None:
                yield PaperFact(self.words(said), self.words(step.asked))

    def _asks(self) -> Iterator[PaperFact]:
        asks = [ask for ask in self.found.asks if ask.strength is not Strength.WEAK]
        for number, ask in enumerate(asks, 1):
            yield PaperFact(str(number), self.words(ask.text))
        if self.found.offer and not asks:
            yield PaperFact(self.say("商量的方案", "Offer"), self.words(self.found.offer.text))

    def _timeline(self) -> list[PaperLine]:
        lines: list[tuple[datetime, PaperLine]] = []

        def add(at: Moment, who: Side, text: str, said: str = "", name: str = "") -> None:
            lines.append((at.at, PaperLine(at=at.words(), who=self.words(WHO[who]) or name, text=text, said=said)))

        story, paid = self.story, self.story.payment
        if paid.at and all(event.kind is not Happening.PAID for event in story.events):
            add(paid.at, Side.ME, self._happened(Happening.PAID, paid.amount))
        for event in story.events:
            is_quote = bool(event.source) and event.kind is Happening.OTHER
            happened = (
                self.say("聊天里说", "said in the chat") if is_quote else self._happened(event.kind, event.amount)
            )
            add(event.at, side_of(event), happened, event.text, event.name)
        for letter in story.letters:
            whom = self.words(ADDRESSEES[letter.to])
            add(letter.sent, Side.ME, self.say(f"写信给{whom}", f"wrote to {whom}"))
            if letter.answered:
                add(letter.answered, Side.OTHER, self.say(f"{whom}的答复", f"answer of {whom}"), letter.answer)
        if story.ending:
            add(story.ending.at, Side.ME, self.words(ENDINGS[story.ending.kind]))
        return [line for _, line in sorted(lines, key=lambda pair: pair[0])]

    def _happened(self, kind: Happening, amount: Amount | None) -> str:
        return " ".join(part for part in (self.words(HAPPENED[kind]), amount_words(amount) if amount else "") if part)

    def _items(self, carried: Sequence[Carried]) -> list[PaperItem]:
        items = []
        for one in carried:
            item = self.story.evidence[one.no - 1]
            kind = self.words(KINDS.get(item.kind, self.book.evidence_kinds[item.kind.value].label))
            taken = self.say(f"制作于 {item.taken.words()}", f"made {item.taken.words()}") if item.taken else ""
            shows = self.say("、", ", ").join(
                self.words(self.book.facts[fact].label) for fact in item.shows if fact in self.book.facts
            )
            about = (kind, item.about, taken, self.say(f"用来说明：{shows}", f"shows: {shows}") if shows else "")
            items.append(
                PaperItem(
                    no=one.no,
                    name=item.file.rpartition("/")[2],
                    about=self.say("；", "; ").join(part for part in about if part),
                    sha256=item.sha256,
                    note=one.why,
                )
            )
        return items

    def _after(self) -> Iterator[PaperSection]:
        story = self.story
        yield PaperSection(
            title=self.say("规则里的话", "What their terms say"),
            facts=[
                *(
                    PaperFact(
                        self.words(WHO[one.of]) or self.say("支付渠道", "payment channel"),
                        f"{one.where} {one.says}".strip(),
                    )
                    for one in story.clauses
                ),
                *(
                    PaperFact(
                        self.words(WHO[one.of]),
                        self.say(f"“{one.words}”（{one.title}）", f"“{one.words}” ({one.title_en})"),
                    )
                    for one in self.found.terms
                ),
            ],
        )
        yield PaperSection(
            title=self.say("没有核实的", "What nobody has checked"),
            said="\n".join(self.words(one) for one in self.found.unverified),
        )
