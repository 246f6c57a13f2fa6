"""An order as its buyer sees it, as plain values, for tests of what its records say."""

from datetime import timedelta
from typing import Any

from kabao.kernel import OrderId, ShopId
from kabao.orders import EscrowView, KeySlot, OrderState, OrderView
from kabao.orders.model import ShopSide
from market import NOON

TERMS = {"delivery_promise_seconds": 60, "replacement_offered": True, "changed_mind_after_open": "none"}
NOTICES = [{"notice_id": "no_reason_after_open"}, {"notice_id": "validity"}]


def slot(state: str, opened: bool) -> KeySlot:  # noqa: FBT001
    return KeySlot(
        pos=1,
        generation=0,
        state=state,  # type: ignore[arg-type]
        opened_at=NOON + timedelta(minutes=5) if opened else None,
        receipt_digest=None,
        device=None,
    )


def order(**more: Any) -> OrderView:
    values: dict[str, Any] = {
        "ref": "7-A",
        "shop_id": ShopId(7),
        "order_id": OrderId(1),
        "role": "buyer",
        "state": OrderState.OPENED,
        "in_case": True,
        "title": "点卡",
        "quantity": 1,
        "unit_minor": 9650,
        "amount_minor": 9650,
        "currency": "CNY",
        "fee_bps": 200,
        "listing_ref": "7-B",
        "snapshot_no": 1,
        "snapshot_digest": b"",
        "document": {"terms": TERMS, "notices": NOTICES},
        "shop": ShopSide(
            shop_id=ShopId(7), name="店", legal_name="主体", licence_number="1", address="址", contact_phone="+861"
        ),
        "owner_id": 1,
        "buyer_id": 2,
        "buyer_name": "买",
        "placed_at": NOON,
        "reserve_until": NOON,
        "paid_at": NOON,
        "delivered_at": NOON,
        "opened_at": NOON,
        "ended_at": None,
        "escrow": EscrowView(
            state="disputed", held_minor=9650, released=0, refunded=0, fee=0, due_at=None, remaining_seconds=9
        ),
        "keys": [slot("opened", opened=True)],
        "money_moves": [],
        "events": [],
        "open_case_ref": "7-C",
        "last_case_ref": "7-C",
        "allowed": frozenset(),
        "now": NOON,
    }
    return OrderView(**(values | more))
