"""Everything there is of an order, read in one snapshot of the database, with the timeline both sides see."""

from datetime import datetime
from typing import NamedTuple

from kabao.cases import store as cases
from kabao.cases import words
from kabao.cases.claims import CLAIMS
from kabao.cases.model import OfferView, RulingView, TimelineLine
from kabao.cases.store import CaseEvent, CaseRow, ErasureRow
from kabao.cases.timeline import CaseSources, Sources, merge
from kabao.dossier import store
from kabao.dossier.model import RulingFacts
from kabao.evidence import Item, Message
from kabao.evidence import store as evidence
from kabao.kernel import format_ref
from kabao.orders import OrderView
from kabao.orders import store as orders
from kabao.orders.model import ViewerRole
from kabao.orders.view import build_view
from kabao.postgres import Connection
from kabao.tlog import StoredRecord


class Made(NamedTuple):
    """The event that made a ruling known, and what its record says."""

    event: CaseEvent
    facts: RulingFacts


class CaseRead(NamedTuple):
    """One case of the order as it stands, and what its rulings say; `made` stands beside `rulings`, one each."""

    row: CaseRow
    opening: str
    offers: list[OfferView]
    rulings: list[RulingView]
    made: list[Made]
    events: list[CaseEvent]

    @property
    def ruled(self) -> RulingFacts | None:
        """What the record of the ruling that stands says."""
        return self.made[-1].facts if self.made else None

    @property
    def ruling(self) -> RulingView | None:
        """The ruling that stands: the latest."""
        return self.rulings[-1] if self.rulings else None


class OrderRead(NamedTuple):
    """An order with all that belongs to it; `waiting` counts rows the log has not taken yet."""

    order: OrderView
    cases: list[CaseRead]
    messages: list[Message]
    items: list[Item]
    erasures: list[ErasureRow]
    records: list[StoredRecord]
    waiting: int

    @property
    def ref(self) -> str:
        """The order's reference."""
        return self.order.ref

    @property
    def now(self) -> datetime:
        """The instant the snapshot was taken."""
        return self.order.now

    def timeline(self) -> list[TimelineLine]:
        """Merge every line, the same whoever asks."""
        return merge(
            Sources(
                shop_id=self.order.shop_id,
                order_id=self.order.order_id,
                cases=[CaseSources(case.opening, case.offers, case.rulings, case.events) for case in self.cases],
                order_events=self.order.events,
                messages=self.messages,
                items=self.items,
                erasures=self.erasures,
            )
        )


async def read_order(
    conn: Connection, shop_id: int, order_id: int, role: ViewerRole, at: datetime | None
) -> OrderRead | None:
    """Read an order for a viewer whose right to it was checked; None for no such order.

    The caller opens the transaction: one REPEATABLE READ makes it one snapshot.
    """
    row = await orders.order(conn, shop_id, order_id, at)
    if row is None:
        return None
    order = build_view(
        row,
        role,
        keys=await orders.key_slots(conn, shop_id, order_id),
        moves=await orders.money_moves(conn, shop_id, order_id),
        events=await orders.events(conn, shop_id, order_id),
    )
    return OrderRead(
        order=order,
        cases=[
            await _case(conn, shop_id, order_id, case_id, at)
            for case_id in await cases.cases_of_order(conn, shop_id, order_id)
        ],
        messages=await evidence.messages(conn, shop_id, order_id),
        items=await evidence.items(conn, shop_id, order_id),
        erasures=await cases.erasures(conn, shop_id, order_id),
        records=await store.records(conn, shop_id, order_id),
        waiting=await store.waiting(conn, shop_id, order_id),
    )


async def _case(conn: Connection, shop_id: int, order_id: int, case_id: int, at: datetime | None) -> CaseRead:
    row = await cases.case(conn, shop_id, case_id, at)
    assert row is not None  # noqa: S101  listed in the same snapshot
    events = await cases.events(conn, shop_id, case_id)
    demand = words.remedy_label(row.state.demand, row.state.demand_minor)
    made = [
        (event, await store.ruled(conn, shop_id, order_id, event.event_id))
        for event in events
        if event.kind in words.RULINGS
    ]
    return CaseRead(
        row=row,
        opening=f"{CLAIMS[row.claim].label}，要求{demand}",
        offers=await cases.offers(conn, shop_id, case_id),
        rulings=await cases.rulings(conn, shop_id, case_id),
        made=[Made(event, facts) for event, facts in made if facts is not None],
        events=events,
    )


def case_ref(case: CaseRead) -> str:
    """Return a case's reference."""
    return format_ref(case.row.shop_id, case.row.case_id)
