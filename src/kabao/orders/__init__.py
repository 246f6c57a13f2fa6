"""Orders and their escrow: placed, paid, delivered sealed, opened, confirmed, settled; refunded while sealed.

Invariants: each money step is one call and one transaction; the escrow row of an order is its guard, locked before
the order, its keys and everything else, so that of confirm, case, sweep and refund exactly one wins; a payment notice
has its effect once whatever is replayed; more keys than there are can never be sold; a key's text leaves this package
only as an OpenedKey for the order's own buyer; only the database's clock decides.
"""

from kabao.orders.audit import AuditReport, Finding, audit
from kabao.orders.digest import MerchantDigest
from kabao.orders.jobs import InstructionRunner
from kabao.orders.machine import STEPS, OrderState
from kabao.orders.model import (
    ClaimPaid,
    ClaimView,
    Confirmed,
    DamagesPaid,
    Dwell,
    EscrowView,
    KeySlot,
    Move,
    NoticeOutcome,
    OpenedKey,
    OrderEvent,
    OrderRow,
    OrderView,
    PlacedOrder,
    PlaceOrder,
    RefundedSealed,
    Replaced,
    Resolved,
    Revealed,
    SweepReport,
    SweepStatus,
    fee_of,
)
from kabao.orders.rules import account_of
from kabao.orders.service import OrderService
from kabao.orders.store import had_before
from kabao.orders.sweep import SweepService

__all__ = [
    "STEPS",
    "AuditReport",
    "ClaimPaid",
    "ClaimView",
    "Confirmed",
    "DamagesPaid",
    "Dwell",
    "EscrowView",
    "Finding",
    "InstructionRunner",
    "KeySlot",
    "MerchantDigest",
    "Move",
    "NoticeOutcome",
    "OpenedKey",
    "OrderEvent",
    "OrderRow",
    "OrderService",
    "OrderState",
    "OrderView",
    "PlaceOrder",
    "PlacedOrder",
    "RefundedSealed",
    "Replaced",
    "Resolved",
    "Revealed",
    "SweepReport",
    "SweepService",
    "SweepStatus",
    "account_of",
    "audit",
    "fee_of",
    "had_before",
]
