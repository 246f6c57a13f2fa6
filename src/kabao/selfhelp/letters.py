"""Letters about a purchase made elsewhere: fact, demand, date, next step; in the order in which one goes.

A letter says what the story holds and nothing more: the person's own part too, the law whose text was read, and what
nobody has checked. Card keys and passwords are blacked out. Who gets none hears why, and what comes first.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from kabao.adjudication.model import Demand, Party, Text
from kabao.law import in_english
from kabao.selfhelp.blanks import Blank, blank, blanks_in
from kabao.selfhelp.chatfacts import KINDS as CHAT_KINDS
from kabao.selfhelp.chatfacts import quoted
from kabao.selfhelp.masks import hide
from kabao.selfhelp.model import CHINA, Answer, Channel, Event, Happening, Language, Moment, Side, Story, To
from kabao.selfhelp.phrases import Frame, Phrases, chosen, phrases
from kabao.selfhelp.provisions import provisions
from kabao.selfhelp.results import Ask, Assessment, Cite, Field, Letter, NoLetter, Offer, Path, Strength
from kabao.selfhelp.rules import NO_PLATFORM, THEIRS, first_steps_answered, returned_minor, side_of
from kabao.selfhelp.words import ADDRESSEES

CHILDS: Final = "minor_purchase"
"""The claim of a parent: the child bought, the parent writes."""
MOST_EVENTS: Final = 20
QUOTED: Final = 80
"""Characters that a letter quotes of a message of a chat."""
MOST_LAWS: Final = 4
MOST_TERMS: Final = 2
QUOTE: Final = "quoted"
"""How words of a chat are told of which nothing more is said."""
_CLEAR: Final = frozenset({Strength.STRONG, Strength.FAIR})
_TALKS: Final = frozenset({To.PLATFORM, To.SUPPORT, To.PANEL, To.ASSOCIATION, To.OFFICE, To.COURT})
"""Letters that tell which letters went before."""
_RULES_OF: Final = {To.MERCHANT: Side.MERCHANT, To.PLATFORM: Side.PLATFORM, To.SUPPORT: Side.PLATFORM,
                    To.PANEL: Side.PLATFORM}  # fmt: skip
_WANTED: Final = {Demand.REPLACE: "replace", Demand.PERFORM: "perform", Demand.COMPENSATION: "damages"}
_OFFICIAL: Final = frozenset({To.OFFICE, To.REPORT, To.COURT})
_HEADINGS: Final = {
    To.OFFICE: (Text("投诉请求", "Request"), Text("争议事实", "Facts")),
    To.REPORT: (Text("举报事项", "Request"), Text("事实", "Facts")),
    To.COURT: (Text("诉讼请求", "Claims"), Text("事实和理由", "Facts and reasons")),
}

_WHY_NOT: Final = {
    Path.FRAUD: Text("这像诈骗。先报警、止付，再写信。", "This looks like fraud: police and payment first."),
    Path.UNLAWFUL: Text("这类东西法律不许买卖，写不了这样的信。", "These goods may not be traded: no letter."),
    Path.INCOMPLETE: Text("还有问题没答完，答完才写得出信。", "Questions are open; a letter needs their answers."),
    Path.BUYER: Text(
        "照你说的，主要是你自己的责任，没有可以向这里提的要求。",
        "As told it is your own matter: nothing to ask here.",
    ),
}
_NOT_THIS: Final = Text(
    "这件事用不上这封信：没有这一方，或者这条路不管这类事。",
    "This letter does not fit the case: there is no such party, or this way is not for such matters.",
)


def letter(story: Story, assessment: Assessment, to: To, language: Language, now: datetime) -> Letter | NoLetter:
    """Write a letter, or say why there is none now."""
    if to not in assessment.letters:
        first = assessment.first if assessment.path is Path.FRAUD and not first_steps_answered(story) else ()
        return NoLetter(to=to, why=_WHY_NOT.get(assessment.path, _NOT_THIS), first=first)
    return _Writer(story, assessment, to, language, now).letter()


class _Writer:
    """One letter in the making."""

    def __init__(self, story: Story, assessment: Assessment, to: To, language: Language, now: datetime) -> None:
        self.story, self.found, self.to, self.language, self.now = story, assessment, to, language, now
        self.words: Phrases = phrases()
        self.frame: Frame = self.words.letters[to.value]
        self.zh = language is Language.ZH
        self.cites: dict[str, Cite] = {}
        self.ask = _main_ask(story, assessment)
        self.due = _due(now, self.frame.hours)
        self.slots: Mapping[str, str] = self._slots()

    def letter(self) -> Letter:
        parts = [part for part in self._parts() if part]
        body = hide("\n\n".join(parts), self.story)
        return Letter(
            to=self.to,
            language=self.language,
            title=hide(self._say(self._title()), self.story),
            body=body,
            due=self.due,
            fields=tuple(Field(one.label, hide(one.value, self.story)) for one in self._fields()),
            attachments=tuple(range(1, len(self.story.evidence) + 1)),
            cites=tuple(self.cites.values()),
            unverified=tuple(chosen(one, self.language) for one in self.found.unverified),
            blanks=blanks_in(body),
            notes=tuple(self._notes()),
        )

    def _notes(self) -> Iterator[str]:
        yield from (chosen(one, self.language) for one in self.words.notes[self.to.value])
        if (count := len(self.story.events)) > MOST_EVENTS:
            yield self._t(
                f"记下的事有 {count} 件，信里只写 {MOST_EVENTS} 件；其余的在证据包里。",
                f"Of {count} events the letter tells {MOST_EVENTS}; the others are in the pack.",
            )

    def _title(self) -> Text:
        if self._is_urgent():
            return self.words.urgent_title
        return self.words.offer_title if self._own_offer() else self.frame.title

    # -- parts

    def _parts(self) -> Iterator[str]:
        if self.to in _OFFICIAL:
            if self.to in {To.OFFICE, To.REPORT}:
                yield self._say(self.frame.to)
            yield self._heads()
            asked, facts = _HEADINGS[self.to]
            yield chosen(asked, self.language) + "\n" + self._demand()
            yield chosen(facts, self.language) + "\n" + self._opening()
        else:
            yield self._say(self.frame.to)
            yield self._opening()
        yield self._course()
        yield " ".join(self._told()) if not self.zh else "".join(self._told())
        yield self._letters_before()
        if self.to is not To.PAYMENT:
            yield self._terms()
            yield self._basis()
        if self.to in {To.OFFICE, To.COURT}:
            yield self._reckoned()
        if self.to not in _OFFICIAL:
            yield "\n".join(one for one in (self._reckoned(), self._demand()) if one)
        if not self._is_urgent():
            yield self._say(self.words.offer_next if self._own_offer() else self.frame.next)
        yield self._attachments()
        yield self._signed()
        # What nobody checked is a note beside the letter, and no part of what is signed.
        yield self._not_checked()

    def _opening(self) -> str:
        """Say who bought what where for how much; that it was for one's own use; and what is wrong, in a sentence."""
        story, paid = self.story, self.story.payment
        when = self._when(paid.at) if paid.at else blank(Blank.PAID_AT, self.language)
        channel = chosen(self.words.channels[(paid.channel or Channel.OTHER).value], self.language)
        number = story.order_no or blank(Blank.ORDER, self.language)
        where = self._where()
        amount = self.slots["paid"]
        reference = self._t(f"，流水号 {paid.reference}", f", reference {paid.reference}") if paid.reference else ""
        me = self.slots["me"]
        who = Text(me, me)
        if story.claim == CHILDS:
            who = Text(f"{me}的孩子", "my child" if me == "I" else f"the child of {me}")
        text = self._t(
            f"{who.zh}于 {when} {where}购买“{story.title}”，订单号 {number}，用{channel}付了 {amount} 元{reference}。",
            f"On {when} {who.en} bought “{story.title}” {where}, order {number}, and paid {amount} yuan by "
            f"{channel}{reference}.",
        )
        private = story.answers.get("not_consumer") is not Answer.YES and story.claim != CHILDS
        if private and self.to is not To.REPORT and not self._is_urgent():
            text += self._t(f"{me}是为自己生活消费购买的。", " It was bought for personal use.")
        problem = self.words.claims.get(story.claim)
        return text + ("" if self.zh or problem is None else " ") + (self._say(problem) if problem else "")

    def _course(self) -> str:
        """Tell what happened, in its order."""
        lines = [line for one in _weightiest(self.story.events) if (line := self._event(one))]
        if not lines:
            return self.story.summary
        listed = "\n".join(f"{number}. {line}" for number, line in enumerate(lines, 1))
        return (
            self._t("经过：", "What happened:")
            + "\n"
            + listed
            + ("\n" + self.story.summary if self.story.summary else "")
        )

    def _event(self, event: Event) -> str:
        is_quote = bool(event.source)
        kind = event.kind if not is_quote or event.kind in CHAT_KINDS else Happening.OTHER
        words = self.words.events[QUOTE if is_quote and kind is Happening.OTHER else kind.value]
        amount = ""
        if event.amount is not None:
            amount = self._t(f" {_yuan(event.amount.minor)} 元", f" {_yuan(event.amount.minor)} yuan")
        by = {Side.ME: self.slots["me"], Side.MERCHANT: self.slots["m"], Side.PLATFORM: self.slots["p"]}
        usual = f"“{event.name}”" if event.name else self._t("对方", "the other side") if kind in THEIRS else ""
        text = f"“{quoted(event, self.story, QUOTED).rstrip('。.')}”" if is_quote else event.text.rstrip("。.")
        slots = {
            "when": self._when(event.at), "text": text, "amount": amount, "by": by.get(side_of(event), usual),
        }  # fmt: skip
        line = self._say(words.said if event.text else words.bare, slots)
        return line + self._t("。", ".") if line else ""

    def _told(self) -> Iterator[str]:
        """Say what was answered and matters, one's own part included; nothing twice."""
        opening = self._opening()
        for one in self.words.facts:
            answer = self.story.answers.get(one.fact)
            if answer is (Answer.YES if one.holds else Answer.NO):
                said = self._say(Text(one.zh, one.en))
                if said not in opening:
                    yield said

    def _letters_before(self) -> str:
        if self.to not in _TALKS or not self.story.letters:
            return ""
        lines = []
        for sent in self.story.letters:
            whom = chosen(ADDRESSEES[sent.to], self.language)
            when = self._when(sent.sent)
            is_due = sent.due is None or sent.due.at <= self.now
            came = self._t("没有答复", "no answer came") if is_due else self._t("还没有答复", "no answer yet")
            if sent.answered is not None:
                said = sent.answer.rstrip("。.") or self._t("没有同意", "it did not agree")
                came = self._t(f"{self._when(sent.answered)} 答复：{said}", f"{self._when(sent.answered)}: {said}")
            lines.append(
                self._t(f"{when} 写信给{whom}，{came}。", f"{when}: {self.slots['me']} wrote to {whom}; {came}.")
            )
        return self._t("此前协商：", "Talks so far:") + "\n" + "\n".join(lines)

    def _terms(self) -> str:
        """Quote the addressee's own rules, then clauses that do not stand, each at its words."""
        if self.to is To.REPORT:
            return ""  # there they are the conduct that is reported
        lines = [
            self._t(
                f"{one.where or '规则'}写明：“{one.says.rstrip('。')}”。", f"{one.where or 'The rules'}: “{one.says}”."
            )
            for one in self.story.clauses
            if one.of is _RULES_OF.get(self.to)
        ]
        for one in [one for one in self.found.terms if one.kind in {"VOID", "CONFLICT", "HURDLE"}][:MOST_TERMS]:
            whose = self.slots["m"] if one.of is Side.MERCHANT else self.slots["p"]
            law = self._law(one.law)
            lines.append(
                self._t(
                    f"{whose}的条款写着“{one.words}”。{one.why.rstrip('。')}{f'（{law}）' if law else ''}。",
                    f"A clause of {whose} says “{one.words}” ({one.title_en}" + (f"; {law})." if law else ")."),
                )
            )
        return "\n".join(lines)

    def _basis(self) -> str:
        asked = self.ask.cites[:MOST_LAWS] if self.ask and self.to is not To.REPORT else ()
        on = self.now.astimezone(CHINA).date()
        for one in (*asked, *provisions(self.words.procedure.get(self.to.value, ()), on)):
            self.cites.setdefault(one.cite, one)
        if not self.cites:
            return ""
        lines = [
            self._t(f"{one.name.zh}：{one.says.zh}", f"{one.name.en}: {one.says.en}") for one in self.cites.values()
        ]
        return self._t("依据：", "Law:") + "\n" + "\n".join(lines)

    def _demand(self) -> str:
        """Ask for what can be asked for; where it is the person's own matter, make the honest offer instead."""
        if self._is_urgent() and self.frame.urgent is not None:
            called = self.story.signs.get("police_called") is Answer.YES
            said = Text("，已经报警", " and went to the police") if called else Text("", "")
            return self._say(self.frame.urgent, {"police": chosen(said, self.language)})
        offer = self._own_offer()
        if offer is not None:
            published = self.story.amounts.get("published_fee_minor") == offer.keep_minor
            basis = chosen(offer.basis, self.language) + self._t("", " ") if published else ""
            sums = {"keep": _yuan(offer.keep_minor), "back": _yuan(offer.back_minor)}
            return self._say(self.words.offer, {**sums, "basis": basis})
        if self.to is To.REPORT:
            return "\n".join([self._say(self.frame.ask), *self._conduct()])
        return self._say(self.frame.ask)

    def _is_urgent(self) -> bool:
        return self.found.path is Path.FRAUD and self.frame.urgent is not None

    def _reckoned(self) -> str:
        """Say how the sum comes about where it is not the whole price."""
        told, asked, price = self.found.as_told, self.ask, self.story.payment.amount
        if told is None or asked is None or price is None or asked.what != "refund" or self._own_offer():
            return ""
        returned = returned_minor(self.story)
        if returned:
            due_minor = asked.amount_minor + returned
            due, back, sum_asked = _yuan(due_minor), _yuan(returned), _yuan(asked.amount_minor)
            why = Text("", "")
            if told.shares.buyer:
                me = self.slots["me"], self.slots["me_object"]
                why = Text(f"{me[0]}自己承担 {told.shares.buyer}%，", f", {told.shares.buyer} % falling to {me[1]},")
            elif due_minor < price.minor:
                why = Text("只算有问题的部分，", ", for the part at fault,")
            return self._t(
                f"价款 {_yuan(price.minor)} 元，{why.zh}应退 {due} 元，已退 {back} 元，还应退 {sum_asked} 元。",
                f"Of the price of {_yuan(price.minor)} yuan{why.en} {due} is due; {back} came back, {sum_asked} is "
                "still due.",
            )
        if not asked.amount_minor < price.minor:
            return ""
        paid, sum_asked, share = _yuan(price.minor), _yuan(asked.amount_minor), told.shares.buyer
        if share:
            return self._t(
                f"价款 {paid} 元，{self.slots['me']}自己承担 {share}%，请求退还其余 {sum_asked} 元。",
                f"Of the price of {paid} yuan {share} % falls to {self.slots['me_object']}; {sum_asked} is asked.",
            )
        return self._t(
            f"价款 {paid} 元，只请求退还有问题的部分，{sum_asked} 元。",
            f"Of the price of {paid} yuan only the part at fault is asked for, {sum_asked} yuan.",
        )

    def _law(self, named: Sequence[str]) -> str:
        return self._t(_joined(named[:MOST_TERMS]), "; ".join(map(in_english, named[:MOST_TERMS])))

    def _conduct(self) -> Iterator[str]:
        """Name the conduct that is reported: each clause at its words, and what the person told."""
        for one in [one for one in self.found.terms if one.kind == "VOID"][:MOST_TERMS]:
            law = self._law(one.law)
            yield self._t(f"在条款里写“{one.words}”（{law}）。", f"A clause of its terms says “{one.words}” ({law}).")
        for fact, said in self.words.conduct.items():
            if self.story.answers.get(fact) is Answer.YES:
                yield self._say(said)

    def _own_offer(self) -> Offer | None:
        return self.found.offer if self.found.path is Path.BUYER else None

    def _attachments(self) -> str:
        if not self.story.evidence:
            return ""
        lines = []
        for number, item in enumerate(self.story.evidence, 1):
            kind = chosen(self.words.kinds[item.kind.value], self.language)
            about = item.about or item.file.rpartition("/")[2]
            about = self._t(f"，{about}", f", {about}") if about else ""
            lines.append(self._t(f"证据 {number}：{kind}{about}", f"Exhibit {number}: {kind}{about}"))
        return self._t("附件：", "Enclosed:") + "\n" + "\n".join(lines)

    def _not_checked(self) -> str:
        lines = [chosen(one, self.language) for one in self.found.unverified]
        return self._t("附：说明（没有核实的）", "Annex: not verified") + "\n" + "\n".join(lines) if lines else ""

    def _signed(self) -> str:
        person = self.story.person
        name = person.name or blank(Blank.NAME, self.language)
        phone = person.phone or blank(Blank.PHONE, self.language)
        day = self._when(Moment(self.now, exact=False))
        if self.to is To.COURT:
            return self._t(f"具状人：{name}\n{day}", f"Plaintiff: {name}\n{day}")
        return f"{name}\n{phone}\n{day}"

    # -- official papers

    def _heads(self) -> str:
        return "\n".join(
            f"{chosen(one.label, self.language)}{self._t('：', ': ')}{one.value}" for one in self._fields()
        )

    def _fields(self) -> Iterator[Field]:
        """Give the labelled lines of an official paper: a complaint's are those of its rules, Art. 10."""
        if self.to not in _OFFICIAL:
            return
        story = self.story
        mine, other = {
            To.OFFICE: (Text("投诉人", "Complainant"), Text("被投诉人", "Respondent")),
            To.REPORT: (Text("举报人", "Reported by"), Text("被举报人", "Reported")),
            To.COURT: (Text("原告", "Plaintiff"), Text("被告", "Defendant")),
        }[self.to]
        yield Field(mine, story.person.name or blank(Blank.NAME, self.language))
        yield Field(Text("电话", "Phone"), story.person.phone or blank(Blank.PHONE, self.language))
        yield Field(Text("通讯地址", "Postal address"), story.person.address or blank(Blank.ADDRESS, self.language))
        is_platform = self.ask is not None and self.ask.of == (Party.PLATFORM,)
        business = story.platform if is_platform else story.shop
        shop = self._t(f"“{business.name}”", f"“{business.name}”")
        named = self._t(f"店铺{shop}，真实名称不详", f"the shop {shop}, real name not known")
        if is_platform:
            named = business.name
        if business.real_name:
            named = business.real_name
            if business.name and business.name != business.real_name:
                named += self._t(f"（{'平台' if is_platform else '店铺'}{shop}）", f" ({shop})")
        yield Field(other, named)
        if business.code:
            yield Field(Text("统一社会信用代码", "Registration code"), business.code)
        yield Field(
            Text(f"{other.zh}地址", "Its address"), business.address or blank(Blank.THEIR_ADDRESS, self.language)
        )

    # -- words

    def _slots(self) -> dict[str, str]:
        voice = self.words.voices[self.to.value]
        spoken = voice.zh if self.zh else voice.en
        story = self.story
        kind = story.goods.value if story.goods else "other"
        goods = self.words.goods.get(kind, self.words.goods["other"])
        number = story.order_no
        third = spoken.me != "I"
        slots = {
            "me": spoken.me, "m": spoken.m, "p": spoken.p, "Me": _capital(spoken.me), "M": _capital(spoken.m),
            "P": _capital(spoken.p), "me_object": spoken.me if third else "me",
            "mine": f"{spoken.me}’s" if third else "mine", "want": "wants" if third else "want",
            "goods": chosen(goods, self.language), "sh": story.shop.name, "pf": story.platform.name,
            "payee": chosen(self.words.payees[(story.payment.channel or Channel.OTHER).value], self.language),
            "gives": chosen(self.words.gives.get(kind, self.words.gives["other"]), self.language),
            "channel": chosen(self.words.channels[(story.payment.channel or Channel.OTHER).value], self.language),
            "order": (f"订单 {number}" if self.zh else f"Order {number}") if number else f"“{story.title}”",
            "due": self._when(self.due) if self.due else "",
            "paid": _yuan(story.payment.amount.minor) if story.payment.amount else blank(Blank.PAID, self.language),
        }  # fmt: skip
        slots["ask"] = self._asked(slots)
        slots["next"] = self._next(slots)
        return slots

    def _asked(self, slots: Mapping[str, str]) -> str:
        what, amount = ("refund", 0) if self.ask is None else (self.ask.what, self.ask.amount_minor)
        price = self.story.payment.amount
        figure = _yuan(amount or max(price.minor - returned_minor(self.story), 0)) if price else slots["paid"]
        if self.ask is None and self.story.unknown:
            # What cannot be reckoned is not asked for as the whole.
            figure = blank(Blank.SUM, self.language)
        asked = self._ask_words(what).format(**slots, amount=figure)
        extra = [one for one in self.found.asks if one.what == "damages" and one.strength is Strength.STRONG]
        if what == "refund" and extra:
            more = self._ask_words("damages").format(amount=_yuan(extra[0].amount_minor))
            asked += self._t("，并", " and ") + more
        return asked

    def _ask_words(self, what: str) -> str:
        """Word a demand as its addressee is used to hear it."""
        asks = self.words.asks
        return chosen(asks.get(f"{what}_{self.to.value}", asks[what]), self.language)

    def _next(self, slots: Mapping[str, str]) -> str:
        order = list(To)
        after = [to for to in self.found.letters if order.index(to) > order.index(self.to)]
        later = [to for to in after if to not in {To.PAYMENT, To.REPORT}]
        return chosen(self.words.nexts[later[0].value if later else "none"], self.language).format(**slots)

    def _where(self) -> str:
        shop, platform = self.story.shop.name, self.story.platform.name
        if platform in {"", NO_PLATFORM}:
            return self._t(f"在店铺“{shop}”", f"from the shop “{shop}”")
        return self._t(f"在{platform}的店铺“{shop}”", f"from the shop “{shop}” on {platform}")

    def _when(self, moment: Moment) -> str:
        local = moment.at.astimezone(CHINA)
        if not self.zh:
            return moment.words()
        day = f"{local.year}年{local.month}月{local.day}日"
        return f"{day} {local:%H:%M}" if moment.exact else day

    def _say(self, text: Text, more: Mapping[str, Any] | None = None) -> str:
        return chosen(text, self.language).format(**{**getattr(self, "slots", {}), **(more or {})})

    def _t(self, zh: str, en: str) -> str:
        return zh if self.zh else en


def _main_ask(story: Story, found: Assessment) -> Ask | None:
    """Choose the demand: what the person wants where it stands, else the best that does."""
    clear = [one for one in found.asks if one.strength in _CLEAR]
    wanted = _WANTED.get(story.demand, "refund")
    return next((one for one in clear if one.what == wanted), clear[0] if clear else None)


def _due(now: datetime, hours: int) -> Moment | None:
    """Give the full hour after so many hours, in China; None where the law has its own times."""
    if not hours:
        return None
    end = now.astimezone(CHINA) + timedelta(hours=hours)
    return Moment(end.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1))


def _yuan(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02}"


def _weightiest(events: Iterable[Event]) -> list[Event]:
    """Choose the events a letter has room for, in their order: bare quotations go first, the oldest of them before."""
    told = sorted(events, key=lambda one: one.at)
    over = len(told) - MOST_EVENTS
    bare = [place for place, one in enumerate(told) if one.source and one.kind is Happening.OTHER]
    left_out = set(bare[: max(over, 0)])
    return [one for place, one in enumerate(told) if place not in left_out][-MOST_EVENTS:]


def _joined(named: Sequence[str]) -> str:
    """Name provisions in a row; a law's name stands once before all of its own."""
    parts: list[str] = []
    law = ""
    for one in named:
        name, end, place = one.partition("》")
        parts.append(place if end and place and name == law else one)
        law = name
    return "、".join(parts)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
