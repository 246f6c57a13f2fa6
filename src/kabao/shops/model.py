"""What shops and listings are made of: forms people fill in, and the views pages and the API show.

Nothing here decides; what a form must satisfy is in rules.py, what may not be sold in goods.py.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import msgspec

from kabao.kernel import Currency, ListingId, ShopId, format_ref, parse_ref

STOCK_SHOWN_MAX: Final = 1_000
"""Counting stops here for buyers: a stock of 1,000 means 1,000 or more."""
SOLD_SHOWN_MAX: Final = 10_000
"""Counting stops here: 10,000 sold means 10,000 or more."""


class ShopState(StrEnum):
    """Whether a shop sells: the words of the column shop.state."""

    OPEN = "open"
    PAUSED = "paused"
    CLOSED = "closed"


class ListingState(StrEnum):
    """Whether a listing is shown and sold: the words of the column listing.state."""

    DRAFT = "draft"
    LIVE = "live"
    PAUSED = "paused"


class ChangedMind(StrEnum):
    """What the merchant offers for a good key that was opened and is no longer wanted."""

    NONE = "none"
    PARTIAL = "partial"


class Category(msgspec.Struct, frozen=True):
    """A kind of goods from categories.json; `adult` asks the buyer to confirm the age of 18."""

    category_id: str
    name_zh: str
    hint_zh: str
    adult: bool = False


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """A listing's structured refund terms; sealed keys are always refunded in full, so that is no field.

    `delivery_promise_seconds` after payment (up to 7 days), `escrow_hours` until automatic confirmation (1..2160),
    `claim_days` (1..365) and `warranty_days` (0..3650) after opening, `partial_fee_percent` 1..90 with PARTIAL, else
    None; `validity_text` and `region_text` up to 100 characters, `free_text` up to 1,000.
    """

    delivery_promise_seconds: int = 60
    escrow_hours: int = 72
    claim_days: int = 3
    replacement_offered: bool = True
    warranty_days: int = 0
    validity_text: str = ""
    region_text: str = ""
    changed_mind_after_open: ChangedMind = ChangedMind.NONE
    partial_fee_percent: int | None = None
    free_text: str = ""


class TermsFault(msgspec.Struct, frozen=True):
    """What is wrong with the words of one field, in a sentence; one that `blocks` keeps the listing off sale.

    The words stand in the field from ``start`` to before ``end``, on ``line`` (from 1). ``rewrite`` may take their
    place as it is, empty where they are best left out; None where only the shop can say what belongs there.
    """

    field: str
    sentence: str
    blocks: bool
    kind: str
    """The class of the finding, as the terms checker calls it."""
    id: str
    title: str
    why: str
    law: tuple[str, ...]
    line: int
    start: int
    end: int
    words: str
    against: str
    """What the words cannot hold beside; empty where they are at fault by themselves."""
    advice: str
    rewrite: str | None


class Notice(msgspec.Struct, frozen=True):
    """A wording shown beside an unticked box before the purchase; stored with the order once confirmed."""

    notice_id: str
    wording: str
    place: str
    version: str


class ShopForm(msgspec.Struct, frozen=True, kw_only=True):
    """What a merchant states about the shop; the contact is the owner's own verified phone number."""

    name: str
    legal_name: str
    address: str
    licence_number: str


class ListingDraft(msgspec.Struct, frozen=True, kw_only=True):
    """What a merchant writes to sell something; `price_minor` for one key."""

    title: str
    description: str
    category: str
    price_minor: int
    terms: Terms
    max_quantity: int = 10
    currency: str = Currency.CNY.value

    @property
    def texts(self) -> dict[str, str]:
        """The words that the shop wrote freely, by field."""
        return {
            "title": self.title,
            "description": self.description,
            "validity_text": self.terms.validity_text,
            "region_text": self.terms.region_text,
            "free_text": self.terms.free_text,
        }


class ShopCard(msgspec.Struct, frozen=True, kw_only=True):
    """Who sells, as every buyer may see it; `ref` is the text of shop_ref."""

    ref: str
    shop_id: int
    name: str
    legal_name: str
    licence_number: str
    opened_at: datetime


class ListingCard(msgspec.Struct, frozen=True, kw_only=True):
    """A listing in a list; `stock` is counted up to STOCK_SHOWN_MAX."""

    ref: str
    shop_id: int
    listing_id: int
    shop_name: str
    title: str
    category: str
    price_minor: int
    currency: str
    state: ListingState
    stock: int
    delivery_promise_seconds: int
    escrow_hours: int
    replacement_offered: bool


class ShopView(msgspec.Struct, frozen=True, kw_only=True):
    """A shop as its owner sees it; `gaps` names what is missing before anything may be sold (field to sentence)."""

    ref: str
    shop_id: int
    owner_id: int
    name: str
    legal_name: str
    address: str
    licence_number: str
    contact_phone: str
    fee_bps: int
    state: ShopState
    opened_at: datetime
    gaps: dict[str, str]

    @property
    def card(self) -> ShopCard:
        """The part every buyer may see."""
        return ShopCard(
            ref=self.ref,
            shop_id=self.shop_id,
            name=self.name,
            legal_name=self.legal_name,
            licence_number=self.licence_number,
            opened_at=self.opened_at,
        )


class PublicShop(msgspec.Struct, frozen=True, kw_only=True):
    """A shop as anyone sees it, with what it sells now (newest first, at most 100)."""

    card: ShopCard
    address: str
    state: ShopState
    listings: list[ListingCard]


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """One immutable version of a listing, as it was shown.

    `digest` is the SHA-256 of the canonical bytes of `document`, which holds everything shown, notices included.
    """

    ref: str
    shop_id: int
    listing_id: int
    snapshot_no: int
    title: str
    description: str
    category: str
    price_minor: int
    currency: str
    max_quantity: int
    escrow_seconds: int
    terms: Terms
    notices: list[Notice]
    digest: bytes
    made_at: datetime
    document: dict[str, Any]


class ListingView(msgspec.Struct, frozen=True, kw_only=True):
    """A listing's current version with what changes around it.

    `stock` and `sold` are counted up to STOCK_SHOWN_MAX and SOLD_SHOWN_MAX; `state` is PAUSED too while the whole shop
    does not sell.
    """

    ref: str
    shop_id: int
    listing_id: int
    snapshot_no: int
    title: str
    description: str
    category: str
    price_minor: int
    currency: str
    max_quantity: int
    terms: Terms
    notices: list[Notice]
    digest: bytes
    made_at: datetime
    state: ListingState
    stock: int
    sold: int
    shop: ShopCard


def shop_ref(shop_id: int) -> str:
    """Write a shop's id as people and URLs carry it: the first half of the references of everything it has."""
    return format_ref(shop_id, 1).partition("-")[0]


def parse_shop_ref(text: str) -> ShopId | None:
    """Read the text of shop_ref; None where it is not one."""
    ref = parse_ref(f"{text}-1")
    return None if ref is None else ref.shop_id


def listing_ref(shop_id: int, listing_id: int) -> str:
    """Write the reference of a listing."""
    return format_ref(shop_id, ListingId(listing_id))
