"""What callers send. Unknown fields are refused; ranges only keep nonsense out, the services decide what is right."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from kabao.cases import CastVote, GiveFirstView, MakeOffer, OpenCase, Outcome, Remedy, Rule, Shares
from kabao.cases.ladder.model import Answer, Grounds, Take
from kabao.kernel.money import MAX_MINOR
from kabao.shops import ChangedMind, ListingDraft, ShopForm, Terms

RefText = Annotated[str, Meta(min_length=3, max_length=40, description="A reference such as `7-1H8K2M9QXV3D0`.")]
Minor = Annotated[int, Meta(ge=0, le=MAX_MINOR, description="Whole minor units (分).")]
Count = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
NoticeId = Annotated[str, Meta(max_length=60, pattern="^[A-Za-z0-9_.-]*$", description="As the listing names it.")]
Words = Annotated[str, Meta(min_length=1, max_length=2000)]
Percent = Annotated[int, Meta(ge=0, le=100)]
LongWords = Annotated[str, Meta(min_length=1, max_length=4000)]


class Input(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a caller sends; a field that is not known is refused."""


class PlaceOrderIn(Input, frozen=True, kw_only=True):
    """Buys `quantity` keys of the snapshot that was read; `confirmed` names each notice that was ticked."""

    listing_ref: RefText
    snapshot_no: Count
    quantity: Count = 1
    confirmed: Annotated[list[NoticeId], Meta(max_length=20)] = []


class RevealIn(Input, frozen=True, kw_only=True):
    """Opens keys by position; without positions all of them."""

    positions: Annotated[list[Annotated[int, Meta(ge=1, le=50)]], Meta(min_length=1, max_length=50)] | None = None


class WordsIn(Input, frozen=True, kw_only=True):
    """Something said to the other side."""

    body: Words


class OpenCaseIn(Input, frozen=True, kw_only=True):
    """Says that something is wrong: why, what is demanded, in one's own words; `release` is a merchant's demand.

    With `by_person` nothing is ruled without a person, neither at once nor for want of an answer.
    """

    order_ref: RefText
    claim: Annotated[str, Meta(min_length=1, max_length=60)]
    demand: Remedy
    demand_minor: Minor = 0
    statement: Words
    by_person: bool = False

    def wish(self) -> OpenCase:
        """Return what the case service takes."""
        return OpenCase(
            claim=self.claim,
            demand=self.demand,
            demand_minor=self.demand_minor,
            statement=self.statement,
            by_person=self.by_person,
        )


class OfferIn(Input, frozen=True, kw_only=True):
    """Offers a way to settle; `refund_minor` counts for a partial refund only."""

    kind: Remedy
    refund_minor: Minor = 0
    note: Annotated[str, Meta(max_length=500)] = ""

    def wish(self) -> MakeOffer:
        """Return what the case service takes."""
        return MakeOffer(kind=self.kind, refund_minor=self.refund_minor, note=self.note)


class SharesIn(Input, frozen=True, kw_only=True):
    """Who is responsible, in percent that sum to 100."""

    buyer: Percent = 0
    merchant: Percent = 0
    platform: Percent = 0

    def shares(self) -> Shares:
        """Return what the case service takes."""
        return Shares(buyer=self.buyer, merchant=self.merchant, platform=self.platform)


class AnswerIn(Input, frozen=True, kw_only=True):
    """Answers one point of a party, as `GET /cases/{ref}/points` names it, in one line."""

    point: Annotated[str, Meta(min_length=1, max_length=40)]
    take: Take
    why: Annotated[str, Meta(min_length=1, max_length=300)]


class GroundsIn(Input, frozen=True, kw_only=True):
    """What a ruling rests on beside its words.

    `read` are the keys of the points that were read, as `GET /cases/{ref}/points` listed them; without it all there are
    as the ruling comes in have to be answered. What came after may stay unread for an hour; the ruling names it.

    Every point of the side that does not get all it wants is answered (on a panel every point). `articles` are ids of
    the rulebook that binds the order, `laws` of citations; one that differs from the suggestion names at least one.
    `unanswered` says why an open question is not waited for.
    """

    answers: Annotated[list[AnswerIn], Meta(max_length=300)] = []
    articles: Annotated[list[Annotated[str, Meta(max_length=60)]], Meta(max_length=20)] = []
    laws: Annotated[list[Annotated[str, Meta(max_length=60)]], Meta(max_length=20)] = []
    unanswered: Annotated[str, Meta(max_length=4000)] = ""
    read: Annotated[list[Annotated[str, Meta(max_length=40)]], Meta(max_length=300)] | None = None

    def grounds(self) -> Grounds:
        """Return what the ladder takes."""
        return Grounds(
            answers=[Answer(point=one.point, take=one.take, why=one.why) for one in self.answers],
            articles=self.articles,
            laws=self.laws,
            unanswered=self.unanswered,
        )


class RulingIn(GroundsIn, frozen=True, kw_only=True):
    """Rules on a case; facts and reasons are shown to both sides, `differs_reason` where the rulebook suggests else.

    `refund_minor` counts for a partial refund, and for a replacement as what takes its place where there is no stock
    (0: everything); `damages_minor` come beside it, out of the shop's deposit.
    """

    outcome: Outcome
    refund_minor: Minor = 0
    damages_minor: Minor = 0
    shares: SharesIn
    facts: LongWords
    reasons: LongWords
    differs_reason: Annotated[str, Meta(max_length=4000)] = ""

    def wish(self) -> Rule:
        """Return what the case service takes."""
        return Rule(
            outcome=self.outcome,
            refund_minor=self.refund_minor,
            damages_minor=self.damages_minor,
            shares=self.shares.shares(),
            facts=self.facts,
            reasons=self.reasons,
            differs_reason=self.differs_reason,
            grounds=self.grounds(),
            read=self.read,
        )


class FirstViewIn(Input, frozen=True, kw_only=True):
    """Puts down what one thinks before the suggestion is shown."""

    outcome: Outcome
    refund_minor: Minor = 0
    damages_minor: Minor = 0
    shares: SharesIn
    sentence: Annotated[str, Meta(min_length=1, max_length=500)]

    def wish(self) -> GiveFirstView:
        """Return what the case service takes."""
        return GiveFirstView(
            outcome=self.outcome,
            refund_minor=self.refund_minor,
            damages_minor=self.damages_minor,
            shares=self.shares.shares(),
            sentence=self.sentence,
        )


class VoteIn(GroundsIn, frozen=True, kw_only=True):
    """Votes on the panel: whether the claim stands, and what to give if it does, whatever one thinks of that.

    With `replaces` there are new keys, and the refund takes their place where there is no stock.
    """

    upholds: bool
    refund_minor: Minor
    damages_minor: Minor = 0
    replaces: bool = False
    shares: SharesIn
    facts: LongWords
    reasons: LongWords
    differs_reason: Annotated[str, Meta(max_length=4000)] = ""

    def wish(self) -> CastVote:
        """Return what the case service takes."""
        return CastVote(
            upholds=self.upholds,
            refund_minor=self.refund_minor,
            damages_minor=self.damages_minor,
            replaces=self.replaces,
            shares=self.shares.shares(),
            facts=self.facts,
            reasons=self.reasons,
            differs_reason=self.differs_reason,
            grounds=self.grounds(),
            read=self.read,
        )


class QuestionIn(Input, frozen=True, kw_only=True):
    """Asks a party."""

    to: Literal["buyer", "merchant"]
    body: Annotated[str, Meta(min_length=1, max_length=500)]


class ReasonIn(Input, frozen=True, kw_only=True):
    """Says why."""

    reason: Words


class ShopIn(Input, frozen=True, kw_only=True):
    """States who runs a shop."""

    name: Annotated[str, Meta(max_length=200)]
    legal_name: Annotated[str, Meta(max_length=200)]
    address: Annotated[str, Meta(max_length=400)]
    licence_number: Annotated[str, Meta(max_length=100)]

    def form(self) -> ShopForm:
        """Return what the shop service takes."""
        return ShopForm(**msgspec.structs.asdict(self))


class TermsIn(Input, frozen=True, kw_only=True):
    """Structured refund terms; sealed keys are refundable in any case."""

    delivery_promise_seconds: Count = 60
    escrow_hours: Count = 72
    claim_days: Count = 3
    replacement_offered: bool = True
    warranty_days: Count = 0
    validity_text: Annotated[str, Meta(max_length=500)] = ""
    region_text: Annotated[str, Meta(max_length=500)] = ""
    changed_mind_after_open: ChangedMind = ChangedMind.NONE
    partial_fee_percent: Count | None = None
    free_text: Annotated[str, Meta(max_length=2000)] = ""


class ListingIn(Input, frozen=True, kw_only=True):
    """A listing as its merchant writes it; every change makes a new snapshot."""

    title: Annotated[str, Meta(max_length=300)]
    description: Annotated[str, Meta(max_length=10_000)]
    category: Annotated[str, Meta(max_length=60)]
    price_minor: Annotated[int, Meta(ge=-MAX_MINOR, le=MAX_MINOR)]
    currency: Annotated[str, Meta(max_length=8)] = "CNY"
    max_quantity: Count = 10
    terms: TermsIn = TermsIn()

    def draft(self) -> ListingDraft:
        """Return what the shop service takes."""
        return ListingDraft(**msgspec.structs.asdict(self) | {"terms": Terms(**msgspec.structs.asdict(self.terms))})
