"""Shops, their listings and the immutable snapshots of what was promised.

Invariants:

- Every change of what a buyer sees makes a new snapshot with its digest; a snapshot never changes again, and saving
  the same content makes none.
- Nothing is on sale without the merchant's complete identity, and nothing that the list of prohibited goods names.
- A shop and its drafts are reached by their owner only; anyone else is told NOT_FOUND.
"""

from kabao.shops.goods import CATEGORIES, PROHIBITED, Basis, Finding, ProhibitedGoods, ProhibitedList
from kabao.shops.model import (
    SOLD_SHOWN_MAX,
    STOCK_SHOWN_MAX,
    Category,
    ChangedMind,
    ListingCard,
    ListingDraft,
    ListingState,
    ListingView,
    Notice,
    PublicShop,
    ShopCard,
    ShopForm,
    ShopState,
    ShopView,
    Snapshot,
    Terms,
    TermsFault,
    listing_ref,
    parse_shop_ref,
    shop_ref,
)
from kabao.shops.ports import OnMerchant, Owner, TermsCheck
from kabao.shops.rules import MAX_DESCRIPTION, MAX_PRICE_MINOR, clean_draft, draft_faults, notices_for
from kabao.shops.service import ShopService

__all__ = [
    "CATEGORIES",
    "MAX_DESCRIPTION",
    "MAX_PRICE_MINOR",
    "PROHIBITED",
    "SOLD_SHOWN_MAX",
    "STOCK_SHOWN_MAX",
    "Basis",
    "Category",
    "ChangedMind",
    "Finding",
    "ListingCard",
    "ListingDraft",
    "ListingState",
    "ListingView",
    "Notice",
    "OnMerchant",
    "Owner",
    "ProhibitedGoods",
    "ProhibitedList",
    "PublicShop",
    "ShopCard",
    "ShopForm",
    "ShopService",
    "ShopState",
    "ShopView",
    "Snapshot",
    "Terms",
    "TermsCheck",
    "TermsFault",
    "clean_draft",
    "draft_faults",
    "listing_ref",
    "notices_for",
    "parse_shop_ref",
    "shop_ref",
]
