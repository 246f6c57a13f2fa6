"""The states of an order and the steps between them; the table order_step in the database holds the same pairs.

``placed`` is unpaid with its keys reserved; ``delivered`` is paid with sealed keys; ``opened`` has a key opened;
``confirmed`` is released, ``settled`` once the custodian paid out. Payment and sealed delivery are one step, so a
paid order never waits in between; the events record both.
"""

from enum import StrEnum
from typing import Final


class OrderState(StrEnum):
    """Where an order stands."""

    PLACED = "placed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    DELIVERED = "delivered"
    OPENED = "opened"
    CONFIRMED = "confirmed"
    SETTLED = "settled"
    REFUNDED = "refunded"
    PARTLY_REFUNDED = "partly_refunded"


FIRST: Final = "none"
"""What stands before an order exists."""

STEPS: Final[frozenset[tuple[str, OrderState]]] = frozenset(
    {
        (FIRST, OrderState.PLACED),
        (OrderState.PLACED, OrderState.DELIVERED),
        (OrderState.PLACED, OrderState.EXPIRED),
        (OrderState.PLACED, OrderState.CANCELLED),
        (OrderState.EXPIRED, OrderState.DELIVERED),  # a late payment while stock remains
        (OrderState.DELIVERED, OrderState.OPENED),
        (OrderState.DELIVERED, OrderState.CONFIRMED),
        (OrderState.DELIVERED, OrderState.REFUNDED),
        (OrderState.DELIVERED, OrderState.PARTLY_REFUNDED),
        (OrderState.DELIVERED, OrderState.DELIVERED),  # a key replaced before any other was opened
        (OrderState.OPENED, OrderState.CONFIRMED),
        (OrderState.OPENED, OrderState.REFUNDED),
        (OrderState.OPENED, OrderState.PARTLY_REFUNDED),
        (OrderState.OPENED, OrderState.DELIVERED),  # replaced keys arrive sealed
        (OrderState.CONFIRMED, OrderState.SETTLED),
    }
)

ENDED: Final = frozenset(
    {
        OrderState.EXPIRED,
        OrderState.CANCELLED,
        OrderState.CONFIRMED,
        OrderState.SETTLED,
        OrderState.REFUNDED,
        OrderState.PARTLY_REFUNDED,
    }
)


def may_step(previous: str, state: OrderState) -> bool:
    """Tell whether an order may go from one state to the other."""
    return (previous, state) in STEPS
