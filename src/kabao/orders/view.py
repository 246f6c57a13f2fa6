"""Builds what a viewer sees of an order from its rows. Pure: no database, no clock."""

from typing import Any

import msgspec

from kabao.kernel import OrderId, ShopId, format_ref
from kabao.orders.machine import OrderState
from kabao.orders.model import (
    ChargedBack,
    ClaimView,
    EscrowView,
    KeySlot,
    Move,
    OrderEvent,
    OrderView,
    ShopSide,
    ViewerRole,
)
from kabao.orders.rules import Standing, allowed_acts, masked_name


def role_of(account_id: int, *, is_support: bool, buyer_id: int, owner_id: int, has_case: bool) -> ViewerRole | None:
    """Say as whom an account sees an order; None for a stranger. Support sees only orders that have a case."""
    if account_id == buyer_id:
        return "buyer"
    if account_id == owner_id:
        return "merchant"
    return "support" if is_support and has_case else None


def build_view(
    row: Any, role: ViewerRole, *, keys: list[KeySlot], moves: list[Move], events: list[OrderEvent]
) -> OrderView:
    """Put one order together for one viewer."""
    shop_id = row["shop_id"]
    state = OrderState(row["state"])
    claim = _claim(row)
    standing = Standing(
        role=role,
        state=state,
        escrow=row["escrow_state"],
        sealed_keys=sum(slot.state == "sealed" for slot in keys),
        opened_keys=sum(slot.state == "opened" for slot in keys),
        replaced_keys=sum(slot.state == "sealed" and slot.generation > 0 for slot in keys),
        in_case=row["in_case"],
        may_claim=claim.is_open,
        left_minor=claim.left_minor,
        stranded_minor=claim.stranded_minor,
    )
    return OrderView(
        ref=format_ref(shop_id, row["order_id"]),
        shop_id=ShopId(shop_id),
        order_id=OrderId(row["order_id"]),
        role=role,
        state=state,
        in_case=row["in_case"],
        title=row["title"],
        quantity=row["quantity"],
        unit_minor=row["unit_minor"],
        amount_minor=row["amount_minor"],
        currency=row["currency"],
        fee_bps=row["fee_bps"],
        listing_ref=format_ref(shop_id, row["listing_id"]),
        snapshot_no=row["snapshot_no"],
        snapshot_digest=row["snapshot_digest"],
        document=row["document"],
        shop=ShopSide(
            shop_id=ShopId(shop_id),
            name=row["shop_name"],
            legal_name=row["legal_name"],
            licence_number=row["licence_number"],
            address=row["address"],
            contact_phone=row["contact_phone"],
        ),
        owner_id=row["owner_id"],
        buyer_id=row["buyer_id"],
        buyer_name=masked_name(row["buyer_name"]) if role == "merchant" else row["buyer_name"],
        placed_at=row["placed_at"],
        reserve_until=row["reserve_until"],
        paid_at=row["paid_at"],
        delivered_at=row["delivered_at"],
        opened_at=row["opened_at"],
        ended_at=row["ended_at"],
        escrow=_escrow(row),
        claim=claim,
        charged_back=None if row["charged_back"] is None else msgspec.convert(row["charged_back"], ChargedBack),
        keys=keys,
        money_moves=moves,
        events=events,
        open_case_ref=_ref(shop_id, row["open_case_id"]),
        last_case_ref=_ref(shop_id, row["last_case_id"]),
        allowed=allowed_acts(standing),
        now=row["now"],
    )


def _escrow(row: Any) -> EscrowView | None:
    if row["escrow_state"] is None:
        return None
    return EscrowView(
        state=row["escrow_state"],
        held_minor=row["amount_minor"] - row["released"] - row["refunded"],
        released=row["released"],
        refunded=row["refunded"],
        fee=row["fee"],
        due_at=row["due_at"],
        remaining_seconds=row["remaining_seconds"],
    )


def _claim(row: Any) -> ClaimView:
    left, until = row["claimable_minor"] or 0, row["claim_until"]
    is_open = left > 0 and until > row["now"] and not row["in_case"] and not row["decided_in_case"]
    return ClaimView(
        left_minor=left,
        until=until,
        is_open=is_open,
        is_decided=row["decided_in_case"],
        stranded_minor=row["stranded_minor"],
        damages_owed_minor=row["damages_owed_minor"],
        paid_minor=row["claimed_minor"],
    )


def _ref(shop_id: int, object_id: int | None) -> str | None:
    return None if object_id is None else format_ref(shop_id, object_id)
