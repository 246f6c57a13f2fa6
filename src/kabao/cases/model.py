"""A case as plain values: what the buyer claims and demands, what is offered, who moves until when, how it ended."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Self

import msgspec

from kabao.adjudication.reasons import NO_FAULT
from kabao.cases.ladder.model import Award, Grounds, Pending, Question, RulingStage, Shares, Standing, Windows
from kabao.cases.machine import Stage
from kabao.orders.model import OrderView

MAX_STATEMENT_CHARS: Final = 2000
MAX_NOTE_CHARS: Final = 500
MAX_RULING_CHARS: Final = 4000


class Turn(StrEnum):
    """Whose move it is."""

    BUYER = "buyer"
    MERCHANT = "merchant"
    SUPPORT = "support"
    PANEL = "panel"
    DUTY = "duty"
    PARTIES = "parties"
    """Either party, each for itself."""
    NOBODY = "nobody"


class Side(StrEnum):
    """In which role somebody stands in a case."""

    BUYER = "buyer"
    MERCHANT = "merchant"
    SUPPORT = "support"
    PANEL = "panel"
    DUTY = "duty"

    @property
    def other(self) -> "Side":
        """The other party; of somebody who decides there is none, and the merchant is answered."""
        return Side.BUYER if self is Side.MERCHANT else Side.MERCHANT

    @property
    def is_party(self) -> bool:
        """Whether the case is theirs; the others decide it."""
        return self in {Side.BUYER, Side.MERCHANT}


class LimitBy(StrEnum):
    """Whose refunds at once are enough for now, where the records would decide a case at once."""

    PERSON = "person"
    PAYER = "payer"


class Remedy(StrEnum):
    """What can be demanded and offered."""

    FULL_REFUND = "full_refund"
    PARTIAL_REFUND = "partial_refund"
    REPLACEMENT = "replacement"
    RELEASE = "release"
    """Everything that is held goes to the merchant; only where the merchant opened the case."""


class Outcome(StrEnum):
    """What a ruling can say."""

    FULL_REFUND = "full_refund"
    PARTIAL_REFUND = "partial_refund"
    NO_REFUND = "no_refund"
    REPLACEMENT = "replacement"


class OfferState(StrEnum):
    """What became of an offer; a refused one never counts against anyone."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    SUPERSEDED = "superseded"
    LAPSED = "lapsed"


class RoseWhy(StrEnum):
    """Why a case went up."""

    MERCHANT_SILENT = "merchant_silent"
    BUYER_SILENT = "buyer_silent"
    BUYER_ASKED = "buyer_asked"
    MERCHANT_ASKED = "merchant_asked"
    SUPPORT_LATE = "support_late"
    SUPPORT_ASKED = "support_asked"
    ROUTED_LONG = "routed_long"


class Action(StrEnum):
    """What a viewer may do just now; pages and the API show exactly these."""

    SAY = "say"
    ADD_FILE = "add_file"
    ANSWER = "answer"
    OFFER = "offer"
    ACCEPT = "accept"
    REFUSE = "refuse"
    ACCEPT_DEMAND = "accept_demand"
    ESCALATE = "escalate"
    ASK_PERSON = "ask_person"
    WITHDRAW = "withdraw"
    ASK = "ask"
    REPLY = "reply"
    FIRST_VIEW = "first_view"
    PASS_ON = "pass_on"  # noqa: S105  a step, no secret
    ROUTE_BACK = "route_back"
    RULE = "rule"
    VOTE = "vote"
    TAKE_BACK = "take_back"
    RECUSE = "recuse"
    ASK_REVIEW = "ask_review"
    WAIVE = "waive"


# ---- what people send in


class OpenCase(msgspec.Struct, frozen=True, kw_only=True):
    """Why (claim), what (demand) and in one's own words; `demand_minor` counts for a partial refund only.

    A merchant demands RELEASE, or PARTIAL_REFUND: so much goes back to the buyer and the rest is paid to him. With
    `by_person` a person is asked for from the first: nothing is ruled at once or for want of an answer (个信法 24).
    """

    claim: str
    demand: Remedy
    demand_minor: int = 0
    statement: str
    by_person: bool = False


class MakeOffer(msgspec.Struct, frozen=True, kw_only=True):
    """An offer or counter-offer; `refund_minor` counts for a partial refund only."""

    kind: Remedy
    refund_minor: int = 0
    note: str = ""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A ruling: facts and reasons are printed to both sides.

    `refund_minor` counts for a partial refund, and for a replacement as what takes its place where there is no stock
    (0: everything that is at stake); `damages_minor` come beside it. `shares` say who is responsible; `differs_reason`
    is needed where it does not give what the rulebook suggests. `read` are the points that whoever rules had read, by
    key; None stands for all there are. What came after may be left out for an hour, and the ruling says so.
    """

    outcome: Outcome
    refund_minor: int = 0
    damages_minor: int = 0
    shares: Shares
    facts: str
    reasons: str
    differs_reason: str = ""
    grounds: Grounds = Grounds()
    read: Sequence[str] | None = None


# ---- what the rules decide on


class OpenOffer(msgspec.Struct, frozen=True, kw_only=True):
    """The one offer on the table."""

    offer_id: int
    by_role: Side
    kind: Remedy
    refund_minor: int


class CaseState(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a decision needs to know of a case; `held_minor` is what the custodian still holds of the order.

    `price_minor` is what was paid for it, `green_minor` what was refunded as the case was opened; then that is also
    what is at issue (`held_minor`). `opened_by` is whose case it is; the other side answers.
    """

    stage: Stage
    turn: Turn
    due_at: datetime | None
    opened_at: datetime
    answered_at: datetime | None
    demand: Remedy
    demand_minor: int
    held_minor: int
    price_minor: int
    offer: OpenOffer | None
    opened_by: Side = Side.BUYER
    stage_since: datetime | None = None
    windows: Windows = Windows()
    ruling: Standing | None = None
    pending: Pending | None = None
    person_asked: bool = False
    """A party wants a person to decide, so that no rule decides by itself."""
    green_minor: int | None = None
    was_routed_out: bool = False
    """It is or was in the hands of an authority, so that a person rules on the money and nobody settles."""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What one step changes: the case's next standing, what happens to the open offer, what to log."""

    kind: str
    stage: Stage
    turn: Turn
    due_at: datetime | None
    answered: bool = False
    rose_why: RoseWhy | None = None
    offer_becomes: OfferState | None = None
    remedy: Remedy | None = None
    refund_minor: int = 0
    award: Award | None = None
    """What a ruling gives, where the step makes one known or carries it out."""


# ---- what people see


class OfferView(msgspec.Struct, frozen=True, kw_only=True):
    """An offer as both sides see it."""

    offer_id: int
    by_role: Side
    kind: Remedy
    label: str
    refund_minor: int
    note: str
    state: OfferState
    made_at: datetime
    decided_at: datetime | None


class RulingView(msgspec.Struct, frozen=True, kw_only=True):
    """What was ruled, with the facts found and the reasons; never called final.

    `shares` is None on rulings from before they were kept; `dissent` are the reasons of panellists who were outvoted,
    `differs_reason` why the refund is not what the rulebook suggested; `by_duty` where the duty officer ruled because
    the time had passed. Beside it stand the rulebook's version that bound, and the SHA-256 in hex of
    what that version said at that moment and of the case file it read; None where nothing was kept. `grounds` are None
    on rulings from before they were.
    """

    outcome: Outcome
    label: str
    refund_minor: int
    damages_minor: int = 0
    facts: str
    reasons: str
    made_at: datetime
    ruling_no: int = 1
    stage: RulingStage = RulingStage.SUPPORT
    by_duty: bool = False
    shares: Shares | None = None
    differs_reason: str = ""
    dissent: str = ""
    rulebook_version: str | None = None
    decision_digest: str | None = None
    case_file_digest: str | None = None
    grounds: Grounds | None = None

    @property
    def is_without_fault(self) -> bool:
        """Whether the rules themselves gave the price back for a return, which is nobody's fault."""
        return self.stage in {RulingStage.GREEN, RulingStage.DEFAULT} and NO_FAULT in self.reasons


class Rung(msgspec.Struct, frozen=True, kw_only=True):
    """One rung of the ladder; `standing` is past, now or ahead; `hours` is None where nobody sets a time."""

    stage: str
    label: str
    hours: int | None
    standing: str


class TimelineFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file within the timeline; the preview is for everybody in the case."""

    item_id: int
    item_no: int
    file_name: str
    media_type: str
    byte_size: int
    is_image: bool


class TimelineLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line, the same for everybody who sees the case.

    `who` is buyer, merchant, support, system or custodian; `text` is what happened in our words, `said` are the
    person's own words (empty where there are none); `due_at` is a deadline the step set; `digest` is the SHA-256 of
    what the line is made from; `rulebook_version` is the version that bound the case at a step (None where none did).
    """

    at: datetime
    who: str
    kind: str
    text: str
    said: str
    digest: bytes
    due_at: datetime | None
    offer: OfferView | None
    file: TimelineFile | None
    rulebook_version: str | None = None


class Basis(msgspec.Struct, frozen=True, kw_only=True):
    """What a step rests on: the rulebook's version that binds the case (None before any), and the files there are."""

    rulebook_version: str | None
    evidence_digests: Sequence[bytes]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a case asks, as the rulebook is told of it; a refund given as it was opened (`green_minor`) is not told."""

    ref: str
    case_id: int
    claim: str
    demand: Remedy
    opened_at: datetime
    answered_at: datetime | None
    green_minor: int = 0
    unread: frozenset[str] = frozenset()
    """Facts to leave out, by their points' keys: said after whoever rules had read."""
    demand_minor: int = 0

    @classmethod
    def first(cls, ref: str, case_id: int, claim: str, demand: Remedy, at: datetime, *, demand_minor: int = 0) -> Self:
        """Write what a case asks at the instant it is opened."""
        return cls(
            ref=ref,
            case_id=case_id,
            claim=claim,
            demand=demand,
            demand_minor=demand_minor,
            opened_at=at,
            answered_at=None,
        )


class Beside(msgspec.Struct, frozen=True, kw_only=True):
    """What the rulebook says of a case at one moment: version, case file, decision, as plain values without floats.

    File and decision are None where that version has no words for the case.
    """

    rulebook_version: str
    file: dict[str, Any] | None = None
    decision: dict[str, Any] | None = None


class Flood(msgspec.Struct, frozen=True, kw_only=True):
    """A side that wrote so much in a case's order within a day that somebody of the staff is to look."""

    ref: str
    by_role: Side
    at: datetime


class CaseCard(msgspec.Struct, frozen=True, kw_only=True):
    """A case in a list."""

    ref: str
    order_ref: str
    title: str
    shop_name: str
    claim: str
    claim_label: str
    demand: Remedy
    demand_label: str
    demand_minor: int
    amount_minor: int
    held_minor: int
    stage: Stage
    stage_label: str
    turn: Turn
    due_at: datetime | None
    is_overdue: bool
    stage_since: datetime
    opened_at: datetime
    closed_at: datetime | None
    has_open_offer: bool
    first_word_due_at: datetime | None = None
    """Until when support says its first word, in the lists of those who decide and while it has not."""


class CaseView(msgspec.Struct, frozen=True, kw_only=True):
    """A case as one viewer sees it; only `viewer` and `allowed` (and the order's masks) differ between viewers.

    `demand_minor` is the amount demanded (0 for a replacement), `held_minor` what is still held for the order,
    `may_escalate_at` when who opened it may call support even where the other side is silent, `rulings` every ruling
    with the latest last (`ruling`), `pending` the viewer's own ruling that can still be taken back, `green_minor` what
    was refunded as the case was opened (None: it was not), `limit_by` tells its buyer that it would have been but for
    what he, or the account that paid, was refunded so this month. Support says its first word until
    `first_word_due_at` (None where the case does not wait for support) and said it at `first_word_at`. A question
    stops the stage's clock `paused_until` a time, or an answer (None: it runs). `has_first_view` tells of the
    viewer's in this stage, `reads_rules` whether what the rulebook suggests is open to the viewer.
    """

    ref: str
    order: OrderView
    viewer: Side
    opened_by: Side
    claim: str
    claim_kind: str
    claim_label: str
    demand: Remedy
    demand_label: str
    demand_minor: int
    held_minor: int
    statement: str
    stage: Stage
    stage_label: str
    turn: Turn
    due_at: datetime | None
    paused_until: datetime | None
    first_word_due_at: datetime | None
    first_word_at: datetime | None
    what_if_due: str
    is_overdue: bool
    opened_at: datetime
    stage_since: datetime
    answered_at: datetime | None
    closed_at: datetime | None
    may_escalate_at: datetime
    rose_why: RoseWhy | None
    ladder: list[Rung]
    offers: list[OfferView]
    open_offer: OfferView | None
    ruling: RulingView | None
    rulings: list[RulingView]
    waived_by: list[Side]
    questions: list[Question]
    pending: Pending | None
    green_minor: int | None
    limit_by: LimitBy | None
    has_first_view: bool
    reads_rules: bool
    person_asked: bool
    timeline: list[TimelineLine]
    allowed: frozenset[Action]
