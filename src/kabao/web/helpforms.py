"""From the fields of a step to the story: read with limits, each wrong field with its sentence."""

from collections.abc import Iterable
from datetime import date, datetime, time
from enum import StrEnum
from typing import Final, NamedTuple, TypeVar

import msgspec

from kabao.adjudication.model import Demand, Text
from kabao.selfhelp import (
    CHINA,
    Amount,
    Answer,
    Business,
    Channel,
    ChatText,
    Event,
    Goods,
    Happening,
    Moment,
    RuleClause,
    Side,
    Story,
    TermsKind,
    TermsText,
)
from kabao.selfhelp.answering import answered
from kabao.selfhelp.chatfacts import moved
from kabao.selfhelp.folder import SHORTEST_SECRET
from kabao.selfhelp.questions import AMOUNTS
from kabao.selfhelp.rules import NO_PLATFORM, THEIRS, side_of
from kabao.selfhelp.signs import FIRST, NONE, SIGNS
from kabao.selfhelp.storyfile import Mistake, UnreadableCaseError, amount_of, is_likely
from kabao.web.helpchat import take_kinds, take_names, take_ticks
from kabao.web.http import Form

NAME: Final = 100
LINE: Final = 200
SUMMARY: Final = 2_000
EVENT: Final = 500
PASTED: Final = 60_000
"""Characters of chat, and of terms, in all: what still travels in a hidden field."""
ONCE: Final = 25_000
"""Characters of one paste: what a stranger may send beside the story."""
EVENTS: Final = 60
BLANK_EVENTS: Final = 3
SECRETS: Final = 30
NOT_KNOWN: Final = frozenset({"不知道", "不清楚", "unknown", "not sure"})
"""What a person writes for a figure that he cannot give."""
TEXTS: Final = 10
"""Texts of terms, and clauses."""
HOURS_MOST: Final = 24 * 366

_CHOICE = TypeVar("_CHOICE", bound=StrEnum)

NO_DAY: Final = Text("写日期，比如 2026-11-14。", "Give the day, such as 2026-11-14.")
FAR_DAY: Final = Text("这天太早或太晚，看看年份。", "This day is too early or too late; look at the year.")
NO_TIME: Final = Text("时间写成 20:51 这样，不记得就空着。", "Write the time as 20:51, or leave it empty.")
NO_CHOICE: Final = Text("选一个。", "Choose one.")
NO_WORDS: Final = Text("写几个字。", "Write a few words.")
NO_HOURS: Final = Text(f"写小时数，1 到 {HOURS_MOST}。", f"Give hours, from 1 to {HOURS_MOST}.")
TOO_LONG: Final = Text(
    f"一次最多 {ONCE} 个字，聊天和条款合起来最多 {PASTED} 个字。先贴要紧的部分，其余的作为文件留着。",
    f"At most {ONCE} characters at once, {PASTED} of chat and terms in all. Paste what matters; keep the rest.",
)
TOO_SHORT: Final = Text(
    f"卡密、密码至少 {SHORTEST_SECRET} 个字符，太短的遮不住，没有记下。",
    f"A key or password of fewer than {SHORTEST_SECRET} characters cannot be blacked out and was not noted.",
)
TOO_MANY: Final = Text(f"最多记 {EVENTS} 件事。", f"At most {EVENTS} events.")


class Taken(NamedTuple):
    """The story with what was read, and what could not be read, by field."""

    story: Story
    errors: dict[str, Text]


class Fields:
    """Reads the fields of one step and remembers what was wrong."""

    def __init__(self, form: Form) -> None:
        self._form = form
        self.errors: dict[str, Text] = {}

    def words(self, name: str, limit: int = LINE, *, needed: bool = False) -> str:
        """Read a line or a text without what cannot be printed."""
        text = "".join(one for one in self._form.text(name)[:limit] if one.isprintable() or one == "\n")
        if needed and not text:
            self.errors[name] = NO_WORDS
        return text

    def choice(self, name: str, among: type[_CHOICE], *, needed: bool = False) -> _CHOICE | None:
        """Read one of several; None where nothing was chosen."""
        text = self._form.text(name)
        if text in set(among):
            return among(text)
        if needed or text:
            self.errors[name] = NO_CHOICE
        return None

    def moment(self, name: str, *, needed: bool = False) -> Moment | None:
        """Read a day and, beside it, the time; None where no day was given."""
        day_text, time_text = self._form.text(name), self._form.text(f"{name}_time")
        if not day_text and not needed and not time_text:
            return None
        try:
            day = date.fromisoformat(day_text)
        except ValueError:
            self.errors[name] = NO_DAY
            return None
        if not is_likely(day):
            self.errors[name] = FAR_DAY
            return None
        if not time_text:
            return Moment(datetime.combine(day, time(), CHINA), exact=False)
        try:
            clock = time.fromisoformat(time_text).replace(second=0, microsecond=0, tzinfo=None)
        except ValueError:
            self.errors[f"{name}_time"] = NO_TIME
            return None
        return Moment(datetime.combine(day, clock, CHINA))

    def amount(self, name: str, *, needed: bool = False) -> Amount | None:
        """Read a sum with its currency, yuan where it names none."""
        text = self._form.text(name)
        if not text and not needed:
            return None
        try:
            return amount_of(text)
        except Mistake as mistake:
            self.errors[name] = mistake.text
            return None


def take_start(story: Story, form: Form) -> Taken:
    """Step 0: where, what, when, how it was paid, and signs of fraud."""
    from_form = Fields(form)
    signs = {name: Answer.YES for name in form.every("sign") if name in SIGNS} or {NONE: Answer.YES}
    new = msgspec.structs.replace(
        story,
        shop=msgspec.structs.replace(story.shop, name=from_form.words("shop_name", NAME, needed=True)),
        platform=msgspec.structs.replace(story.platform, name=from_form.words("platform_name", NAME) or NO_PLATFORM),
        goods=from_form.choice("goods", Goods, needed=True),
        payment=msgspec.structs.replace(
            story.payment,
            at=from_form.moment("paid_at", needed=True),
            amount=from_form.amount("amount", needed=True),
            channel=from_form.choice("channel", Channel, needed=True),
        ),
        signs={**{name: one for name, one in story.signs.items() if name in FIRST}, **signs},
    )
    return Taken(new, from_form.errors)


def take_first(story: Story, form: Form) -> Taken:
    """After signs of fraud: whether the police and the payment's institution were told."""
    answers = {name: form.text(f"first_{name}") for name in FIRST}
    errors = {f"first_{name}": NO_CHOICE for name, answer in answers.items() if answer not in set(Answer)}
    told = {name: Answer(answer) for name, answer in answers.items() if answer in set(Answer)}
    return Taken(msgspec.structs.replace(story, signs={**story.signs, **told}), errors)


def take_events(story: Story, form: Form, *, now: datetime) -> Taken:
    """Step 1: what happened, the chat and what of it matters, and what must be blacked out."""
    from_form = Fields(form)
    story = _with_chat_facts(story, form, from_form)
    kept, added = story.events, _new_events(form, from_form)
    if len(kept) + len(added) > EVENTS:
        from_form.errors["event1_at"] = TOO_MANY
    secrets = [line.strip()[:LINE] for line in form.raw("secrets")[: SECRETS * LINE].split("\n")]
    if any(0 < len(one) < SHORTEST_SECRET for one in secrets):
        from_form.errors["secrets"] = TOO_SHORT
    new = msgspec.structs.replace(
        _with_pasted(story, form, from_form, now),
        title=from_form.words("title", NAME, needed=True),
        order_no=from_form.words("order_no", NAME),
        summary=from_form.words("summary", SUMMARY),
        secrets=tuple(dict.fromkeys([*story.secrets, *(one for one in secrets if len(one) >= SHORTEST_SECRET)]))[
            :SECRETS
        ],
    )
    # A form that comes back holds what was typed: it is taken once it is right.
    events = new.events if from_form.errors else sorted((*new.events, *added), key=lambda event: event.at)
    return Taken(msgspec.structs.replace(new, events=tuple(events)), from_form.errors)


def _with_chat_facts(story: Story, form: Form, from_form: Fields) -> Story:
    """Take out the events that are to go, then take who is who in the chats and what of them was ticked."""
    numbers = {int(number) for number in form.every("drop_event")[:EVENTS] if number.isascii() and number.isdigit()}
    dropped = {event.source for number, event in enumerate(story.events, 1) if number in numbers and event.source}
    kept = [event for number, event in enumerate(take_kinds(story, form).events, 1) if number not in numbers]
    story = take_names(msgspec.structs.replace(story, events=tuple(kept)), form)
    chosen = take_ticks(story, form, dropped)
    if len(chosen.events) > EVENTS:
        from_form.errors["tick"] = TOO_MANY
        return story
    return chosen


def _new_events(form: Form, from_form: Fields) -> list[Event]:
    added = []
    for number in range(1, BLANK_EVENTS + 1):
        name = f"event{number}"
        if not any(form.text(f"{name}_{part}") for part in ("at", "text", "amount")):
            continue
        at = from_form.moment(f"{name}_at", needed=True)
        text = from_form.words(f"{name}_text", EVENT)
        amount = from_form.amount(f"{name}_amount")
        kind = from_form.choice(f"{name}_kind", Happening) or Happening.OTHER
        # Whose doing it was is never guessed where only another can have done it.
        by = from_form.choice(f"{name}_by", Side, needed=kind in THEIRS) or Side.OTHER
        if at:
            event = Event(at=at, kind=kind, by=by, text=text, amount=amount)
            added.append(msgspec.structs.replace(event, by=side_of(event)))
    return added


def _with_pasted(story: Story, form: Form, from_form: Fields, now: datetime) -> Story:
    if form.ticked("drop_chat"):
        return msgspec.structs.replace(moved(story, {}), chats=())
    pasted = form.raw("chat")
    if not pasted.strip():
        return story
    if not _fits(story, pasted):
        from_form.errors["chat"] = TOO_LONG
        return story
    file = f"chat/{len(story.chats) + 1}.txt"
    new = ChatText(file=file, text=pasted, seen=now.astimezone(CHINA).date())
    return msgspec.structs.replace(story, chats=(*story.chats, new))


def _fits(story: Story, pasted: str) -> bool:
    return len(pasted) <= min(ONCE, _left(story))


def _left(story: Story) -> int:
    """Say how many characters of chats and terms there is room for."""
    held: Iterable[str] = [chat.text for chat in story.chats] + [one.text for one in story.terms]
    return max(PASTED - sum(map(len, held)), 0)


def room_for_text(story: Story) -> dict[str, int]:
    """Give how much may be pasted at once, and how much there is room for in all."""
    left = _left(story)
    return {"pasted": min(ONCE, left), "text_left": left}


def take_claim(story: Story, form: Form, *, claims: Iterable[str], facts: Iterable[str]) -> Taken:
    """Step 2: what is complained of, what is asked, and the answers to what the law asks about."""
    from_form = Fields(form)
    claim = form.text("claim")
    if claim not in set(claims):
        from_form.errors["claim"] = NO_CHOICE
        claim = story.claim
    answers = dict(story.answers)
    for fact in facts:
        answer = form.text(f"answer_{fact}")
        if answer in set(Answer):
            answers[fact] = Answer(answer)
    new = msgspec.structs.replace(
        take_names(story, form), claim=claim, demand=from_form.choice("demand", Demand) or story.demand, answers=answers
    )
    for name in AMOUNTS:
        text = form.text(f"figure_{name}")
        if not text:
            continue
        try:
            new = answered(new, f"amounts.{name}", Answer.UNKNOWN if text.lower() in NOT_KNOWN else text)
        except UnreadableCaseError as error:
            from_form.errors[f"figure_{name}"] = error.wrongs[0].text
    return Taken(new, from_form.errors)


def take_parties(story: Story, form: Form) -> Taken:
    """Who stands behind the shop and the platform, as far as it is known."""
    from_form = Fields(form)

    def business(prefix: str, old: Business) -> Business:
        since = from_form.moment(f"{prefix}_since")
        return msgspec.structs.replace(
            old,
            real_name=from_form.words(f"{prefix}_real_name", NAME),
            code=from_form.words(f"{prefix}_code", NAME),
            address=from_form.words(f"{prefix}_address"),
            contact=from_form.words(f"{prefix}_contact"),
            site=from_form.words(f"{prefix}_site"),
            since=since.day if since else None,
        )

    new = msgspec.structs.replace(
        story, shop=business("shop", story.shop), platform=business("platform", story.platform)
    )
    return Taken(new, from_form.errors)


def take_terms(story: Story, form: Form, *, now: datetime) -> Taken:
    """Step 4: the other side's rules as they were pasted, and a clause that sets a time."""
    from_form = Fields(form)
    dropped = set(form.every("drop_terms")[:EVENTS])
    terms = [one for number, one in enumerate(story.terms, 1) if str(number) not in dropped]
    clauses = [one for number, one in enumerate(story.clauses, 1) if f"c{number}" not in dropped]
    pasted = form.raw("terms")
    if pasted.strip():
        if _fits(story, pasted):
            of = from_form.choice("terms_of", Side, needed=True)
            kind = from_form.choice("terms_kind", TermsKind) or TermsKind.NOTICE
            used = {one.file for one in terms}
            file = next(name for number in range(1, EVENTS) if (name := f"terms/{number}.txt") not in used)
            if of is not None:
                terms.append(TermsText(file=file, of=of, kind=kind, text=pasted, seen=Moment(now)))
        else:
            from_form.errors["terms"] = TOO_LONG
    says = from_form.words("clause_says", EVENT)
    if says:
        hours = form.number("clause_hours")
        if form.text("clause_hours") and not (hours and 0 < hours <= HOURS_MOST):
            from_form.errors["clause_hours"] = NO_HOURS
        of = from_form.choice("clause_of", Side, needed=True)
        clause = RuleClause(
            of=of or Side.OTHER,
            where=from_form.words("clause_where", LINE),
            says=says,
            hours=hours,
            counts_from=from_form.choice("clause_from", Happening) or Happening.PAID,
        )
        if not from_form.errors:
            clauses.append(clause)
    new = msgspec.structs.replace(story, terms=tuple(terms[:TEXTS]), clauses=tuple(clauses[:TEXTS]))
    return Taken(new, from_form.errors)
