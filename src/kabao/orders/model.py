"""What the order service takes and answers. Amounts are minor units; times are aware."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from kabao.custody import PayoutKind
from kabao.kernel import OrderId, ShopId
from kabao.orders.machine import OrderState

ViewerRole = Literal["buyer", "merchant", "support"]


class Dwell(msgspec.Struct, frozen=True, kw_only=True):
    """How long a buyer had each notice before the eyes until ticking it, in milliseconds, and who measured it."""

    millis: dict[str, int]
    measured_by: Literal["page", "server"]


class PlaceOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A buyer's wish: which snapshot of which listing, how many, and the notices ticked."""

    listing_ref: str
    snapshot_no: int
    quantity: int
    confirmed: list[str]
    idempotency_key: str
    dwell: Dwell | None = None


class PlacedOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order that exists now (or did already, where ``replayed``)."""

    ref: str
    state: OrderState
    amount_minor: int
    reserve_until: datetime
    replayed: bool


class NoticeOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """How a payment notice was booked: applied, wrong_amount, second_payment or late_refunded.

    The word that the payer's bank took a payment back is charged_back. A payment into a deposit or the reserve is
    deposit_paid, reserve_paid or wrong_currency and has no order's state.
    """

    ref: str
    outcome: str
    state: OrderState | None
    replayed: bool


class OpenedKey(msgspec.Struct, frozen=True):
    """One opened card key; its text is kept out of every representation."""

    pos: int
    text: str

    def __repr__(self) -> str:
        """Show the place, never the key."""
        return f"OpenedKey(pos={self.pos})"


class Revealed(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of an order that are open."""

    keys: list[OpenedKey]
    first_time: bool


class RefundedSealed(msgspec.Struct, frozen=True, kw_only=True):
    """What an instant refund gave back."""

    refunded_minor: int
    state: OrderState


class Confirmed(msgspec.Struct, frozen=True, kw_only=True):
    """What a confirmation released; the fee is part of it."""

    released_minor: int
    fee_minor: int
    state: OrderState


class Resolved(msgspec.Struct, frozen=True, kw_only=True):
    """How the case of an order ended for its money.

    After the release nothing is released any more: what the buyer gets is paid out of the deposit and the reserve.
    """

    state: OrderState
    released_minor: int
    fee_minor: int
    deposit_minor: int = 0
    reserve_minor: int = 0


class DamagesPaid(msgspec.Struct, frozen=True, kw_only=True):
    """What of damages was paid out of the shop's deposit, and what the shop owes the buyer."""

    paid_minor: int
    owed_minor: int


class ClaimPaid(msgspec.Struct, frozen=True, kw_only=True):
    """What was paid after the release, and from whose money; the reserve's part is owed by the shop."""

    deposit_minor: int
    reserve_minor: int


class ClaimView(msgspec.Struct, frozen=True, kw_only=True):
    """What an order may still be claimed for after its release.

    `left_minor` is what of the price has not been given back, `paid_minor` what has been; `until` when the claim days
    end; `is_decided` whether a case has decided it, which no other does again; `is_open` whether a case may be opened
    now; `stranded_minor` what the custodian could not pay out and waits for another account; `damages_owed_minor` what
    of the damages that were ruled the shop still owes. Nothing is left where the payer's bank took the payment back.
    """

    left_minor: int = 0
    until: datetime | None = None
    is_open: bool = False
    is_decided: bool = False
    stranded_minor: int = 0
    damages_owed_minor: int = 0
    paid_minor: int = 0


class ChargedBack(msgspec.Struct, frozen=True, kw_only=True):
    """That the payer's bank took an order's payment back: what was left of it then, and whether that ended a case."""

    taken_minor: int
    ended_case: bool
    at: datetime


class Replaced(msgspec.Struct, frozen=True, kw_only=True):
    """Replacement keys, sealed, and the new release deadline."""

    count: int
    due_at: datetime


class ShopSide(msgspec.Struct, frozen=True, kw_only=True):
    """The seller as an order shows it."""

    shop_id: ShopId
    name: str
    legal_name: str
    licence_number: str
    address: str
    contact_phone: str


class EscrowView(msgspec.Struct, frozen=True, kw_only=True):
    """Where the money is: held_minor still lies at the custodian undecided."""

    state: Literal["held", "disputed", "released", "refunded", "split"]
    held_minor: int
    released: int
    refunded: int
    fee: int
    due_at: datetime | None
    remaining_seconds: int | None


class KeySlot(msgspec.Struct, frozen=True, kw_only=True):
    """One place of an order's keys, never the key itself."""

    pos: int
    generation: int
    state: Literal["reserved", "sealed", "opened", "replaced"]
    opened_at: datetime | None
    receipt_digest: bytes | None
    device: str | None


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """Money on its way at the custodian: a payment in, a payout, or a payment taken back.

    Refused where the payee's account took none, stopped where the payer's bank had taken the payment back, cancelled
    where that let us take back what was given after the release and not paid yet.
    """

    kind: Literal["payment", "chargeback"] | PayoutKind
    amount_minor: int
    state: Literal["pending", "done", "refused", "redirected", "stopped", "cancelled"]
    outcome: str | None
    at: datetime


class OrderEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One line of an order's history."""

    event_id: int
    kind: str
    from_state: str | None
    to_state: str | None
    actor_role: str
    reason: str | None
    amount_minor: int | None
    due_at: datetime | None
    rulebook_version: str | None = None
    at: datetime


def fee_of(released_minor: int, fee_bps: int) -> int:
    """What the platform keeps of a released amount, rounded down as every money step does."""
    return released_minor * fee_bps // 10_000


class OrderView(msgspec.Struct, frozen=True, kw_only=True):
    """An order as one viewer sees it."""

    ref: str
    shop_id: ShopId
    order_id: OrderId
    role: ViewerRole
    state: OrderState
    in_case: bool
    title: str
    quantity: int
    unit_minor: int
    amount_minor: int
    currency: str
    fee_bps: int
    listing_ref: str
    snapshot_no: int
    snapshot_digest: bytes
    document: dict[str, Any]
    shop: ShopSide
    owner_id: int
    buyer_id: int
    buyer_name: str
    placed_at: datetime
    reserve_until: datetime
    paid_at: datetime | None
    delivered_at: datetime | None
    opened_at: datetime | None
    ended_at: datetime | None
    escrow: EscrowView | None
    claim: ClaimView = ClaimView()
    charged_back: ChargedBack | None = None
    keys: list[KeySlot]
    money_moves: list[Move]
    events: list[OrderEvent]
    open_case_ref: str | None
    last_case_ref: str | None
    allowed: frozenset[str]
    now: datetime

    def fee_on(self, released_minor: int) -> int:
        """What the platform keeps of this much as it is released to the merchant."""
        return fee_of(released_minor, self.fee_bps)

    @property
    def given_back_minor(self) -> int:
        """What of the price the buyer has been given back, before and after the release."""
        return 0 if self.escrow is None else self.escrow.refunded + self.claim.paid_minor

    @property
    def is_released(self) -> bool:
        """Whether the merchant has been paid, so that what is given back comes out of the deposit."""
        return self.escrow is not None and self.escrow.state in {"released", "split"}

    @property
    def at_stake_minor(self) -> int:
        """What a case may still move: what is held or, after the release, what has not been given back."""
        if self.escrow is None:
            return 0
        return self.claim.left_minor if self.is_released else self.escrow.held_minor


class OrderRow(msgspec.Struct, frozen=True, kw_only=True):
    """An order in a list."""

    ref: str
    title: str
    shop_name: str
    buyer_name: str
    quantity: int
    amount_minor: int
    state: OrderState
    in_case: bool
    placed_at: datetime
    reserve_until: datetime
    due_at: datetime | None
    order_id: OrderId


class ClaimedInstruction(msgspec.Struct, frozen=True, kw_only=True):
    """An instruction leased for execution; attempt fences the writer."""

    shop_id: ShopId
    instruction_id: UUID
    payment_id: str
    kind: PayoutKind
    amount_minor: int
    fee_minor: int
    currency: str
    attempt: int
    from_account: str = ""
    to_account: str = ""
    recoup_minor: int = 0


class SweepReport(msgspec.Struct, frozen=True, kw_only=True):
    """What one tick of the sweep did."""

    released: int
    expired: int
    halted_why: str | None


class SweepStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How the sweep stands: when it last ticked, whether it is halted, what is due."""

    halted_at: datetime | None
    halted_why: str | None
    ticked_at: datetime | None
    accept_until: datetime | None
    due: int
    held: int


class UntoldShop(msgspec.Struct, frozen=True, kw_only=True):
    """What a merchant has not been told of a shop: orders sold or paid out, their money, the last of them."""

    shop_id: ShopId
    kind: Literal["sale", "payout"]
    orders: int
    amount_minor: int
    order_id: OrderId
    owner_id: int
    name: str
