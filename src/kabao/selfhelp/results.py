"""What follows from a story, as values: questions, faults, the assessment, days that matter, letters."""

from datetime import datetime
from enum import StrEnum

import msgspec

from kabao.adjudication.model import Outcome, Party, Shares, Text
from kabao.selfhelp.model import Language, Moment, Side, To


class QuestionKind(StrEnum):
    """What an answer looks like."""

    CHOICE = "choice"
    SEVERAL = "several"
    """Any number of the choices, or the word none."""
    TEXT = "text"
    MOMENT = "moment"
    AMOUNT = "amount"
    NUMBER = "number"


class Choice(msgspec.Struct, frozen=True):
    """One of the answers to choose from."""

    value: str
    text: Text


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A question with why it is asked. `field` is the place of its answer in the story: `signs.paid_privately`."""

    field: str
    kind: QuestionKind
    text: Text
    why: Text
    choices: tuple[Choice, ...] = ()
    again: Text | None = None
    """Why it is asked again: two places that do not go together, both named."""


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """What cannot be as it was entered, at the places it concerns (fields of the story)."""

    code: str
    places: tuple[str, ...]
    text: Text


class Cite(msgspec.Struct, frozen=True):
    """A provision that may be named, in force on the day that counts."""

    cite: str
    name: Text
    says: Text
    mark: str


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """Something to do now."""

    step_id: str
    text: Text
    why: Text
    cites: tuple[Cite, ...] = ()


class Sign(msgspec.Struct, frozen=True, kw_only=True):
    """A sign of fraud that the story has."""

    sign_id: str
    text: Text
    why: Text
    cites: tuple[Cite, ...]


class Path(StrEnum):
    """Which way the case goes."""

    INCOMPLETE = "incomplete"
    FRAUD = "fraud"
    UNLAWFUL = "unlawful"
    ORDINARY = "ordinary"
    BUYER = "buyer"
    """The buyer's own matter: an honest offer instead of a demand."""
    UNSETTLED = "unsettled"
    """The law leaves it open; the facts are put, and no result is named."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What the law's articles come to, on one set of facts."""

    outcome: Outcome
    shares: Shares
    refund_minor: int
    damages_minor: int
    buyer_pays_minor: int
    payer: Party
    joint: Party
    remedy: str | None
    articles: tuple[str, ...]
    reasons: tuple[Text, ...]


class Strength(StrEnum):
    """How well a demand stands."""

    STRONG = "strong"
    """What is shown already carries it."""
    FAIR = "fair"
    """It stands if what the person tells can be shown."""
    WEAK = "weak"
    """It needs something that the person does not even claim yet."""


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """A demand that can be made: `what` is refund, replace, perform, damages or respite from a payment."""

    strength: Strength
    what: str
    amount_minor: int
    of: tuple[Party, ...]
    text: Text
    cites: tuple[Cite, ...]
    needs: tuple[str, ...] = ()
    """Facts that would have to be shown for it."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A fact that is not shown yet and would turn the result, and what would show it."""

    fact: str
    text: Text
    told: bool
    shown_by: tuple[Text, ...]
    effect: Text


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """An honest offer where the buyer answers for it: what the merchant may keep, and what is asked back."""

    keep_minor: int
    back_minor: int
    text: Text
    basis: Text


class TermsFinding(msgspec.Struct, frozen=True, kw_only=True):
    """A clause that can be used in a letter, at its words."""

    file: str
    of: Side
    line: int
    words: str
    kind: str
    title: str
    title_en: str
    why: str
    law: tuple[str, ...]


class Assessment(msgspec.Struct, frozen=True, kw_only=True):
    """What a case comes to; never a promise of a result.

    `first` comes before everything else; `letters` are those that may be offered, in order, and empty where none may.
    """

    path: Path
    made_at: datetime
    book_version: str
    first: tuple[Step, ...] = ()
    signs: tuple[Sign, ...] = ()
    plainly: tuple[Text, ...] = ()
    """What has to be said plainly: unlawful goods, the buyer's own fault, what cannot be helped here."""
    as_shown: Finding | None = None
    as_told: Finding | None = None
    asks: tuple[Ask, ...] = ()
    wanted: tuple[Wanted, ...] = ()
    risks: tuple[Wanted, ...] = ()
    """What would turn the result against the person if the other side showed it."""
    offer: Offer | None = None
    terms: tuple[TermsFinding, ...] = ()
    letters: tuple[To, ...] = ()
    unverified: tuple[Text, ...] = ()
    """What nobody has checked; every letter prints it."""


class DueSource(StrEnum):
    """Where a deadline comes from."""

    LAW = "law"
    PLATFORM_RULE = "platform_rule"
    MERCHANT_RULE = "merchant_rule"
    CHANNEL_RULE = "channel_rule"
    OWN_LETTER = "own_letter"
    ADVICE = "advice"


class Deadline(msgspec.Struct, frozen=True, kw_only=True):
    """A day or hour that matters, with its source; `all_day` where it is the end of a day in China."""

    deadline_id: str
    at: datetime
    all_day: bool
    title: Text
    why: Text
    source: DueSource
    cite: Cite | None = None


class Field(msgspec.Struct, frozen=True):
    """A labelled line of a form, such as those of a complaint to 12315."""

    label: Text
    value: str


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A letter ready to be edited and sent: fact, demand, date, next step. No card key stands in it."""

    to: To
    language: Language
    title: str
    body: str
    due: Moment | None = None
    fields: tuple[Field, ...] = ()
    attachments: tuple[int, ...] = ()
    """Numbers of items of evidence."""
    cites: tuple[Cite, ...] = ()
    unverified: tuple[str, ...] = ()
    blanks: tuple[str, ...] = ()
    """What stands in the body in full-width brackets and has to be filled in by hand before it is sent."""
    notes: tuple[str, ...] = ()
    """For whoever sends it, never part of what is sent: where it goes, what to check, what comes after."""


class NoLetter(msgspec.Struct, frozen=True, kw_only=True):
    """Why there is no letter now, and what comes first."""

    to: To
    why: Text
    first: tuple[Step, ...] = ()


class CheckState(StrEnum):
    """How far a thing to have ready is."""

    READY = "ready"
    MISSING = "missing"
    OPTIONAL = "optional"


class HowTo(msgspec.Struct, frozen=True, kw_only=True):
    """How something is captured on one phone, in one app or on one page; `steps` in their order."""

    how_id: str
    title: Text
    steps: tuple[Text, ...]


class CheckItem(msgspec.Struct, frozen=True, kw_only=True):
    """A thing to have ready: whether it is, why it counts, how to get it, and which items of evidence are it.

    `element` is the one of the three it belongs to: transaction, goods, talk; or `identity`. `urgent` where the other
    side could make it vanish.
    """

    check_id: str
    element: str
    state: CheckState
    title: Text
    why: Text
    how: tuple[str, ...]
    items: tuple[int, ...] = ()
    urgent: bool = False
