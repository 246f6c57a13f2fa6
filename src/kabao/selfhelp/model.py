"""A purchase made elsewhere as values: a story holds only what the person gave.

Timeline, assessment, deadlines and letters (``results.py``) are computed from it anew each time.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta, timezone
from enum import StrEnum
from typing import Final

import msgspec

from kabao.adjudication.model import Demand

CHINA: Final = timezone(timedelta(hours=8))
"""The time that is meant wherever a story gives none of its own."""

CURRENCY: Final = "CNY"
"""What is reckoned with: the sum that left the account."""


class Answer(StrEnum):
    """What a person answers to a question that has two sides."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Side(StrEnum):
    """Who did, said or wrote something."""

    ME = "me"
    MERCHANT = "merchant"
    PLATFORM = "platform"
    OTHER = "other"


class To(StrEnum):
    """To whom a letter goes, in the order in which they are usually written."""

    MERCHANT = "merchant"
    PLATFORM = "platform"
    SUPPORT = "support"
    PANEL = "panel"
    PAYMENT = "payment"
    ASSOCIATION = "association"
    OFFICE = "12315"
    REPORT = "12315-report"
    """A report of unlawful conduct (举报): never one paper with the complaint, and only where there are leads."""
    COURT = "court"


class Language(StrEnum):
    """The languages of every text."""

    ZH = "zh"
    EN = "en"


class Goods(StrEnum):
    """What was bought."""

    KEY = "key"
    """A card key, code, voucher."""
    ACCOUNT = "account"
    SUBSCRIPTION = "subscription"
    TOP_UP = "top_up"
    SERVICE = "service"
    SOFTWARE = "software"
    BALANCE = "balance"
    """Prepaid money or points to be spent later."""
    REAL_NAME = "real_name"
    """A real-name account, phone card, payment account, verification codes: unlawful."""
    CHEAT = "cheat"
    """Cheats, cracks, stolen or carded stock, personal data: unlawful."""
    OTHER = "other"


class Channel(StrEnum):
    """How it was paid."""

    ALIPAY = "alipay"
    WECHAT = "wechat"
    BANK = "bank"
    CARD = "card"
    PLATFORM_BALANCE = "platform_balance"
    TRANSFER = "transfer"
    """A transfer or red packet straight to a person."""
    CRYPTO = "crypto"
    OTHER = "other"


class Happening(StrEnum):
    """What kind of event; `other` is told in its own words alone."""

    ORDERED = "ordered"
    PAID = "paid"
    PROMISED = "promised"
    DELIVERED = "delivered"
    OPENED = "opened"
    TRIED = "tried"
    COMPLAINED = "complained"
    ANSWERED = "answered"
    REFUSED = "refused"
    REFUNDED = "refunded"
    CONFIRMED = "confirmed"
    BLOCKED = "blocked"
    OTHER = "other"


class Kind(StrEnum):
    """What an item of evidence is; the words are the rulebook's own."""

    SCREENSHOT = "screenshot"
    RECORDING = "recording"
    CHAT_RECORD = "chat_record"
    ORDER_RECORD = "order_record"
    PAYMENT_RECORD = "payment_record"
    PAGE_RECORD = "page_record"
    TERMS_RECORD = "terms_record"
    ISSUER_RECORD = "issuer_record"
    TEST_REPORT = "test_report"
    FAMILY_RECORD = "family_record"
    POLICE_RECORD = "police_record"
    AUTHORITY_NOTICE = "authority_notice"
    ADMISSION = "admission"


class Moment(msgspec.Struct, frozen=True, order=True):
    """A time as it was given: to the minute, or a day alone (then its beginning, in China's time)."""

    at: datetime
    exact: bool = True

    @property
    def day(self) -> date:
        """The day in China."""
        return self.at.astimezone(CHINA).date()

    def words(self) -> str:
        """Write it as it is entered: `2026-11-14 20:51`, or `2026-11-14`."""
        local = self.at.astimezone(CHINA)
        return f"{local:%Y-%m-%d %H:%M}" if self.exact else f"{local:%Y-%m-%d}"


class Amount(msgspec.Struct, frozen=True):
    """A sum in minor units, as entered; only CNY is reckoned with."""

    minor: int
    currency: str = CURRENCY

    def words(self) -> str:
        """Write it as it is entered: `268.00`, or `40.00 USD`."""
        figures = f"{self.minor // 100}.{self.minor % 100:02}"
        return figures if self.currency == CURRENCY else f"{figures} {self.currency}"


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Who complains; needed by letters alone, and left blank there where it was not given.

    An identity number is never kept: where a paper needs one, it is written on it by hand.
    """

    name: str = ""
    phone: str = ""
    address: str = ""


class Business(msgspec.Struct, frozen=True, kw_only=True):
    """A shop, or the platform it stands on, as the person knows it."""

    name: str = ""
    real_name: str = ""
    """Who stands behind it: company or person."""
    code: str = ""
    """统一社会信用代码."""
    address: str = ""
    contact: str = ""
    site: str = ""
    since: date | None = None
    """When it came to be, where that is known: nothing can have been bought there before."""


class Payment(msgspec.Struct, frozen=True, kw_only=True):
    """How the price was paid."""

    at: Moment | None = None
    amount: Amount | None = None
    channel: Channel | None = None
    payee: str = ""
    reference: str = ""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened."""

    at: Moment
    kind: Happening = Happening.OTHER
    by: Side = Side.OTHER
    text: str = ""
    amount: Amount | None = None
    name: str = ""
    """Of words from a chat: who said them, as the chat names him."""
    source: str = ""
    """Of words from a chat: where they stand, such as `chat/1.txt#12` for its twelfth message."""


class ChatText(msgspec.Struct, frozen=True, kw_only=True):
    """A pasted or exported chat as it was given, and what each of its names stands for.

    `seen` is the day it was pasted, from which its years and words like 昨天 are worked out.
    """

    file: str
    text: str
    names: Mapping[str, Side] = {}
    seen: date | None = None


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message read from a chat; computed, never stored. `at` is None where the text gives no time."""

    at: Moment | None
    name: str
    side: Side
    said: str
    file: str
    line: int


class EvidenceItem(msgspec.Struct, frozen=True, kw_only=True):
    """A file that shows something. Its number is its place in the story, from 1.

    `sha256` is in hex and `added_at` when that fingerprint was taken; both empty for a file that was only dropped in.
    `shows` and `rebuts` are facts of the rulebook; `include` says whether the original goes into the pack.
    """

    file: str
    kind: Kind
    about: str = ""
    taken: Moment | None = None
    sha256: str = ""
    size: int = 0
    media_type: str = "application/octet-stream"
    added_at: datetime | None = None
    shows: tuple[str, ...] = ()
    rebuts: tuple[str, ...] = ()
    include: bool = False


class TermsKind(StrEnum):
    """What a text of terms is."""

    PAGE = "page"
    NOTICE = "notice"
    AGREEMENT = "agreement"


class TermsText(msgspec.Struct, frozen=True, kw_only=True):
    """Rules or a page as they were pasted; `of` is the merchant or the platform."""

    file: str
    of: Side
    kind: TermsKind
    text: str
    seen: Moment | None = None


class RuleClause(msgspec.Struct, frozen=True, kw_only=True):
    """A clause of the platform's or merchant's own rules that grants or limits something, as the person read it.

    `hours` is its time, counted from `counts_from`; None where it sets none. Of `Side.OTHER` it is the payment
    channel's.
    """

    of: Side
    where: str
    says: str
    hours: int | None = None
    counts_from: Happening = Happening.PAID


class SentLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A letter that was sent, and what came of it."""

    to: To
    sent: Moment
    due: Moment | None = None
    """The answer was asked for by then."""
    file: str = ""
    answered: Moment | None = None
    answer: str = ""
    settled: bool = False


class EndKind(StrEnum):
    """How it ended."""

    REFUNDED = "refunded"
    PARTLY = "partly"
    REPLACED = "replaced"
    REFUSED = "refused"
    STOPPED = "stopped"


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """How a case ended; `public` allows it to be counted, without anything else of it."""

    kind: EndKind
    at: Moment
    amount: Amount | None = None
    public: bool = False


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """All that a person gave. `claim` is the rulebook's; `answers` are to its facts, `signs` to signs of fraud."""

    case_id: str
    created_at: datetime
    language: Language = Language.ZH
    person: Person = Person()
    shop: Business = Business()
    platform: Business = Business()
    goods: Goods | None = None
    title: str = ""
    quantity: int = 1
    order_no: str = ""
    payment: Payment = Payment()
    claim: str = ""
    demand: Demand = Demand.REFUND
    summary: str = ""
    amounts: Mapping[str, int] = {}
    """Further amounts and counts of the rulebook's case file, such as `items_failed`."""
    unknown: tuple[str, ...] = ()
    """Amounts and counts that the person was asked for and cannot give."""
    signs: Mapping[str, Answer] = {}
    answers: Mapping[str, Answer] = {}
    events: tuple[Event, ...] = ()
    chats: tuple[ChatText, ...] = ()
    evidence: tuple[EvidenceItem, ...] = ()
    terms: tuple[TermsText, ...] = ()
    clauses: tuple[RuleClause, ...] = ()
    letters: tuple[SentLetter, ...] = ()
    secrets: tuple[str, ...] = ()
    """Card keys, codes and passwords: known only so that they can be blacked out everywhere."""
    ending: Ending | None = None
