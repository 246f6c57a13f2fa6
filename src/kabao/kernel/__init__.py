"""Words every feature shares: money, identifiers, the clock, refusals, canonical bytes.

Invariants: no I/O; money is whole minor units and never a float; an identifier of one kind is never taken for
another; a refusal carries the sentence a person reads.
"""

from kabao.kernel.canonical import canonical_bytes, digest_of, short_digest
from kabao.kernel.clock import Clock, DatabaseClock, FixedClock
from kabao.kernel.codes import Refusal
from kabao.kernel.ids import (
    AccountId,
    CaseId,
    IdSource,
    ItemId,
    ListingId,
    OfferId,
    OrderId,
    Ref,
    ShopId,
    format_ref,
    parse_ref,
)
from kabao.kernel.money import MAX_MINOR, Currency, Money, half_width, parse_yuan, yuan_text
from kabao.kernel.refusals import Refused, refuse

__all__ = [
    "MAX_MINOR",
    "AccountId",
    "CaseId",
    "Clock",
    "Currency",
    "DatabaseClock",
    "FixedClock",
    "IdSource",
    "ItemId",
    "ListingId",
    "Money",
    "OfferId",
    "OrderId",
    "Ref",
    "Refusal",
    "Refused",
    "ShopId",
    "canonical_bytes",
    "digest_of",
    "format_ref",
    "half_width",
    "parse_ref",
    "parse_yuan",
    "refuse",
    "short_digest",
    "yuan_text",
]
