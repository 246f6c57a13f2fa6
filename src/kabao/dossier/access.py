"""Who may see what belongs to an order: its buyer, its shop's owner, and support where there is a case."""

from typing import NamedTuple, Protocol

from kabao.cases import CaseView
from kabao.identity import Person
from kabao.kernel import Refused, parse_ref
from kabao.orders import OrderView


class Orders(Protocol):
    """Shows an order to those it concerns; `kabao.orders.OrderService` is the adapter."""

    async def order(self, person: Person, ref: str) -> OrderView | Refused:
        """Show an order, or refuse NOT_FOUND."""


class Cases(Protocol):
    """Shows a case to those it concerns; `kabao.cases.CaseService` is the adapter."""

    async def case(self, person: Person, ref: str) -> CaseView | Refused:
        """Show a case, or refuse NOT_FOUND."""


class Reached(NamedTuple):
    """An order somebody may see, and the case it was reached by, if any."""

    order: OrderView
    case_id: int | None


async def reach(orders: Orders, cases: Cases, person: Person, ref: str) -> Reached | Refused:
    """Find an order by its own reference or by that of a case; NOT_FOUND for a stranger, whatever the reference."""
    order = await orders.order(person, ref)
    if not isinstance(order, Refused):
        return Reached(order, None)
    case = await cases.case(person, ref)
    if isinstance(case, Refused):
        return order
    at = parse_ref(case.ref)
    return Reached(case.order, None if at is None else at.object_id)
