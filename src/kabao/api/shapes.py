"""What callers get. Ids are references, digests lower-case hex, times UTC, amounts whole minor units."""

from datetime import datetime
from typing import Any, Literal, Self

import msgspec

from kabao.api.case_shapes import QuestionOut
from kabao.cases import CaseCard, CaseView, OfferView, RulingView, TimelineLine
from kabao.evidence import Item, Message
from kabao.inventory import BadLine, ImportReport, UsedColumn
from kabao.orders import OrderRow, OrderView, PlacedOrder, Revealed
from kabao.shops import ListingCard, ListingView, Notice, ShopView, Terms


class ListingPage(msgspec.Struct, frozen=True, kw_only=True):
    """Listings on sale, newest first; `next` is the `before` of the following page, empty on the last."""

    listings: list[ListingCard]
    next: str = ""


class ListingOut(msgspec.Struct, frozen=True, kw_only=True):
    """A listing with its terms and the notices to confirm; order with its `snapshot_no`."""

    ref: str
    snapshot_no: int
    snapshot_digest: str
    title: str
    description: str
    category: str
    price_minor: int
    currency: str
    max_quantity: int
    state: str
    stock: int
    sold: int
    terms: Terms
    notices: list[Notice]
    shop_ref: str
    shop_name: str
    legal_name: str
    licence_number: str

    @classmethod
    def of(cls, view: ListingView) -> Self:
        """Write a listing."""
        return cls(
            ref=view.ref,
            snapshot_no=view.snapshot_no,
            snapshot_digest=view.digest.hex(),
            title=view.title,
            description=view.description,
            category=view.category,
            price_minor=view.price_minor,
            currency=view.currency,
            max_quantity=view.max_quantity,
            state=view.state,
            stock=view.stock,
            sold=view.sold,
            terms=view.terms,
            notices=view.notices,
            shop_ref=view.shop.ref,
            shop_name=view.shop.name,
            legal_name=view.shop.legal_name,
            licence_number=view.shop.licence_number,
        )


class ShopOut(msgspec.Struct, frozen=True, kw_only=True):
    """A shop as its owner sees it; `gaps` names what is missing before anything may be sold."""

    ref: str
    name: str
    legal_name: str
    address: str
    licence_number: str
    contact_phone: str
    fee_bps: int
    state: str
    gaps: dict[str, str]

    @classmethod
    def of(cls, view: ShopView) -> Self:
        """Write a shop."""
        return cls(**{name: getattr(view, name) for name in cls.__struct_fields__})


class ImportOut(msgspec.Struct, frozen=True, kw_only=True):
    """How an import of card keys went; bad lines by number (from 1) and reason, never their text.

    `lines = header_lines + blank + added + duplicates + bad`; `duplicates = repeated + in_stock` (twice in this file,
    in the shop before). `columns` are those read, by number (from 1) and the word they go by; `withdrawn` of the added
    keys were taken back since.
    """

    ref: str
    file_name: str
    state: str
    bytes_done: int
    lines: int
    header_lines: int
    columns: list[UsedColumn]
    unused_columns: int
    blank: int
    added: int
    duplicates: int
    repeated: int
    in_stock: int
    bad: int
    bad_lines: list[BadLine]
    withdrawn: int
    failure: str | None

    @classmethod
    def of(cls, report: ImportReport) -> Self:
        """Write a report."""
        return cls(**{name: getattr(report, name) for name in cls.__struct_fields__})


class ShopPage(msgspec.Struct, frozen=True, kw_only=True):
    """The caller's shops."""

    shops: list[ShopOut]


class ImportPage(msgspec.Struct, frozen=True, kw_only=True):
    """Imports of a listing, newest first."""

    imports: list[ImportOut]


class PlacedOut(msgspec.Struct, frozen=True, kw_only=True):
    """An order that was placed; pay before `reserve_until`."""

    ref: str
    state: str
    amount_minor: int
    reserve_until: datetime

    @classmethod
    def of(cls, placed: PlacedOrder) -> Self:
        """Write a placed order."""
        return cls(
            ref=placed.ref, state=placed.state, amount_minor=placed.amount_minor, reserve_until=placed.reserve_until
        )


class CheckoutOut(msgspec.Struct, frozen=True, kw_only=True):
    """Where to pay: a path of this site, or an address of the custodian."""

    pay_path: str


class CardKey(msgspec.Struct, frozen=True, kw_only=True):
    """One opened card key."""

    pos: int
    text: str


class RevealOut(msgspec.Struct, frozen=True, kw_only=True):
    """Opened card keys; never stored by a cache, never repeated by anything but another reveal."""

    keys: list[CardKey]
    first_time: bool

    @classmethod
    def of(cls, revealed: Revealed) -> Self:
        """Write the opened keys."""
        return cls(keys=[CardKey(pos=key.pos, text=key.text) for key in revealed.keys], first_time=revealed.first_time)


class KeyOut(msgspec.Struct, frozen=True, kw_only=True):
    """One place of an order's keys; the digest is that of the opening's receipt."""

    pos: int
    state: str
    opened_at: datetime | None
    receipt_digest: str | None


class EscrowOut(msgspec.Struct, frozen=True, kw_only=True):
    """Where the money is; `remaining_seconds` is what the stopped clock holds during a case."""

    state: str
    held_minor: int
    released_minor: int
    refunded_minor: int
    fee_minor: int
    due_at: datetime | None
    remaining_seconds: int | None


class MoveOut(msgspec.Struct, frozen=True, kw_only=True):
    """Money on its way at the custodian."""

    kind: str
    amount_minor: int
    state: str
    outcome: str | None
    at: datetime


class EventOut(msgspec.Struct, frozen=True, kw_only=True):
    """One line of an order's history."""

    kind: str
    from_state: str | None
    to_state: str | None
    actor_role: str
    amount_minor: int | None
    due_at: datetime | None
    at: datetime


class OrderOut(msgspec.Struct, frozen=True, kw_only=True):
    """An order as the caller sees it; `allowed` lists the steps open to the caller now.

    `charged_back_minor` is what was left of the payment when the payer's bank took it back, null where it did not.
    """

    ref: str
    role: str
    state: str
    in_case: bool
    title: str
    quantity: int
    unit_minor: int
    amount_minor: int
    currency: str
    listing_ref: str
    snapshot_no: int
    snapshot_digest: str
    shop_name: str
    buyer_name: str
    placed_at: datetime
    reserve_until: datetime
    paid_at: datetime | None
    delivered_at: datetime | None
    opened_at: datetime | None
    ended_at: datetime | None
    escrow: EscrowOut | None
    keys: list[KeyOut]
    charged_back_minor: int | None
    money_moves: list[MoveOut]
    events: list[EventOut]
    open_case_ref: str | None
    allowed: list[str]

    @classmethod
    def of(cls, view: OrderView) -> Self:
        """Write an order."""
        same = set(cls.__struct_fields__) & set(view.__struct_fields__)
        fields: dict[str, Any] = {name: getattr(view, name) for name in same}
        fields |= {
            "snapshot_digest": view.snapshot_digest.hex(),
            "shop_name": view.shop.name,
            "escrow": None
            if view.escrow is None
            else EscrowOut(
                state=view.escrow.state,
                held_minor=view.escrow.held_minor,
                released_minor=view.escrow.released,
                refunded_minor=view.escrow.refunded,
                fee_minor=view.escrow.fee,
                due_at=view.escrow.due_at,
                remaining_seconds=view.escrow.remaining_seconds,
            ),
            "keys": [
                KeyOut(
                    pos=slot.pos,
                    state=slot.state,
                    opened_at=slot.opened_at,
                    receipt_digest=slot.receipt_digest.hex() if slot.receipt_digest else None,
                )
                for slot in view.keys
            ],
            "charged_back_minor": view.charged_back.taken_minor if view.charged_back else None,
            "money_moves": [MoveOut(**msgspec.structs.asdict(move)) for move in view.money_moves],
            "events": [
                EventOut(**{name: getattr(event, name) for name in EventOut.__struct_fields__}) for event in view.events
            ],
            "allowed": sorted(view.allowed),
        }
        return cls(**fields)


class OrderRowOut(msgspec.Struct, frozen=True, kw_only=True):
    """An order in a list."""

    ref: str
    title: str
    shop_name: str
    quantity: int
    amount_minor: int
    state: str
    in_case: bool
    placed_at: datetime
    due_at: datetime | None

    @classmethod
    def of(cls, row: OrderRow) -> Self:
        """Write a row."""
        return cls(**{name: getattr(row, name) for name in cls.__struct_fields__})


class OrderPage(msgspec.Struct, frozen=True, kw_only=True):
    """The caller's orders, newest first; `next` is the `before` of the following page, empty on the last."""

    orders: list[OrderRowOut]
    next: str = ""


class MessageOut(msgspec.Struct, frozen=True, kw_only=True):
    """Something said in an order's conversation; the digest covers role, words and time."""

    author_role: str
    body: str
    digest: str
    at: datetime

    @classmethod
    def of(cls, message: Message) -> Self:
        """Write a message."""
        return cls(author_role=message.author_role, body=message.body, digest=message.digest.hex(), at=message.at)


class Messages(msgspec.Struct, frozen=True, kw_only=True):
    """An order's conversation, oldest first."""

    messages: list[MessageOut]


class FileOut(msgspec.Struct, frozen=True, kw_only=True):
    """A file handed in, by its number within the order and the SHA-256 of its bytes."""

    item_no: int
    file_name: str
    media_type: str
    byte_size: int
    digest: str
    at: datetime

    @classmethod
    def of(cls, item: Item) -> Self:
        """Write a file's record."""
        return cls(
            item_no=item.item_no,
            file_name=item.file_name,
            media_type=item.media_type,
            byte_size=item.byte_size,
            digest=item.digest.hex(),
            at=item.at,
        )


class OfferOut(msgspec.Struct, frozen=True, kw_only=True):
    """An offer to settle; accept or refuse it by `offer_id`."""

    offer_id: str
    by_role: str
    kind: str
    refund_minor: int
    note: str
    state: str
    made_at: datetime
    decided_at: datetime | None

    @classmethod
    def of(cls, offer: OfferView) -> Self:
        """Write an offer; the number travels as text, since it exceeds what JavaScript counts exactly."""
        fields = {name: getattr(offer, name) for name in cls.__struct_fields__}
        return cls(**fields | {"offer_id": str(offer.offer_id)})


class LineOut(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a case's record, the same for everybody in it."""

    at: datetime
    who: str
    kind: str
    text: str
    said: str
    digest: str
    rulebook_version: str | None

    @classmethod
    def of(cls, line: TimelineLine) -> Self:
        """Write a line."""
        return cls(
            at=line.at,
            who=line.who,
            kind=line.kind,
            text=line.text,
            said=line.said,
            digest=line.digest.hex(),
            rulebook_version=line.rulebook_version,
        )


class CaseRowOut(msgspec.Struct, frozen=True, kw_only=True):
    """A case in a list."""

    ref: str
    order_ref: str
    title: str
    claim: str
    demand: str
    demand_minor: int
    held_minor: int
    stage: str
    turn: str
    due_at: datetime | None
    opened_at: datetime
    closed_at: datetime | None

    @classmethod
    def of(cls, card: CaseCard) -> Self:
        """Write a row."""
        return cls(**{name: getattr(card, name) for name in cls.__struct_fields__})


class CasePage(msgspec.Struct, frozen=True, kw_only=True):
    """Cases of the caller."""

    cases: list[CaseRowOut]


class CaseOut(msgspec.Struct, frozen=True, kw_only=True):
    """A case as the caller sees it; `allowed` lists the steps open to the caller now.

    `undo_until` is there for who has just handed a ruling in: until then it can be taken back, and nobody else sees it.
    `green_minor` was refunded as the case was opened, null where it was not decided at once; `over_limit` tells its
    buyer that it would have been, had there not been five in thirty days, and `limit_by` whose: his, or those of the
    account that paid.
    """

    ref: str
    order_ref: str
    order_state: str
    viewer: str
    opened_by: str
    claim: str
    demand: str
    demand_minor: int
    held_minor: int
    statement: str
    stage: str
    turn: str
    due_at: datetime | None
    first_word_due_at: datetime | None
    first_word_at: datetime | None
    what_if_due: str
    opened_at: datetime
    answered_at: datetime | None
    closed_at: datetime | None
    may_escalate_at: datetime
    green_minor: int | None
    over_limit: bool
    limit_by: Literal["person", "payer"] | None
    offers: list[OfferOut]
    ruling: RulingView | None
    waived_by: list[str]
    questions: list[QuestionOut]
    undo_until: datetime | None
    timeline: list[LineOut]
    allowed: list[str]

    @classmethod
    def of(cls, view: CaseView) -> Self:
        """Write a case."""
        same = set(cls.__struct_fields__) & set(view.__struct_fields__)
        fields: dict[str, Any] = {name: getattr(view, name) for name in same}
        fields |= {
            "order_ref": view.order.ref,
            "order_state": view.order.state,
            "offers": [OfferOut.of(offer) for offer in view.offers],
            "over_limit": view.limit_by is not None,
            "limit_by": None if view.limit_by is None else view.limit_by.value,
            "waived_by": [side.value for side in view.waived_by],
            "questions": [QuestionOut.of(question) for question in view.questions],
            "undo_until": None if view.pending is None else view.pending.visible_at,
            "timeline": [LineOut.of(line) for line in view.timeline],
            "allowed": sorted(view.allowed),
        }
        return cls(**fields)
