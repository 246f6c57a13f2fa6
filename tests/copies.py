"""Many cases that stand as one stood: its rows once more under other numbers, faster than living through each."""

from dataclasses import dataclass
from typing import Any, Final, Self

import msgspec

from dispute import Desk
from kabao.cases import CaseView
from kabao.kernel import OrderId, format_ref, parse_ref

STRIDE: Final = 1_000_003
"""Between the numbers of a row and of its copies, so that no two meet."""
NEW: Final = "(r->>'{name}')::bigint + k * " + str(STRIDE)
BLIND: Final = r"'\x' || substr(encode(sha256(int8send(k) || (r->>'blind')::bytea), 'hex'), 1, length(r->>'blind') - 2)"
BY_ORDER: Final = {
    "orders": {"order_id": NEW, "idempotency_key": "(r->>'idempotency_key') || '-' || k"},
    "card_key": {"order_id": NEW, "key_id": NEW, "blind": BLIND},
    "payment": {"order_id": NEW, "payment_id": "(r->>'payment_id') || '-' || k"},
    "escrow": {"order_id": NEW, "payment_id": "(r->>'payment_id') || '-' || k"},
    "ledger_transfer": {"order_id": NEW, "transfer_id": "gen_random_uuid()"},
    "order_event": {"order_id": NEW, "event_id": NEW},
    "notice_confirmation": {"order_id": NEW},
    "reveal_receipt": {"order_id": NEW, "key_id": NEW},
    "cases": {"order_id": NEW, "case_id": NEW},
}
BY_CASE: Final = {
    "case_event": {"case_id": NEW, "event_id": NEW},
    "case_offer": {"case_id": NEW, "offer_id": NEW},
    "first_view": {"case_id": NEW},
    "ruling_submission": {"case_id": NEW, "submission_id": NEW},
    "ruling": {"case_id": NEW},
}


@dataclass
class Pattern:
    """A case, its order and the number of its offer (0: none) as they stood at one moment."""

    case: CaseView
    offer_id: int
    rows: dict[str, list[Any]]

    @classmethod
    async def of(cls, desk: Desk, case: CaseView, offer_id: int) -> Self:
        """Keep the rows as they are now."""
        at = parse_ref(case.ref)
        assert at is not None
        rows = {}
        for column, number, tables in (
            ("order_id", case.order.order_id, BY_ORDER),
            ("case_id", at.object_id, BY_CASE),
        ):
            for table in tables:
                query = f"SELECT to_jsonb(x) AS kept FROM {table} x WHERE {column} = $1"  # noqa: S608  names from above
                rows[table] = [row["kept"] for row in await desk.database.fetch(query, number)]
        return cls(case, offer_id, rows)

    async def copies(self, desk: Desk, numbers: range) -> list[tuple[CaseView, int]]:
        """Write one copy for each number; returns them with each one's offer."""
        async with desk.database.transaction() as conn:
            for table, changes in (BY_ORDER | BY_CASE).items():
                told = ", ".join(f"'{name}', {text.format(name=name)}" for name, text in changes.items())
                await conn.execute(
                    f"""INSERT INTO {table} OVERRIDING SYSTEM VALUE
                        SELECT (jsonb_populate_record(NULL::{table}, r || jsonb_build_object({told}))).*
                          FROM unnest($1::jsonb[]) r
                         CROSS JOIN generate_series($2::bigint, $3::bigint) k""",  # noqa: S608  names from above
                    self.rows[table],
                    numbers.start,
                    numbers.stop - 1,
                )
        return [(self._named(number), _moved(self.offer_id, number)) for number in numbers]

    def _named(self, number: int) -> CaseView:
        at = parse_ref(self.case.ref)
        assert at is not None
        order_id = OrderId(_moved(self.case.order.order_id, number))
        order = msgspec.structs.replace(self.case.order, order_id=order_id, ref=format_ref(at.shop_id, order_id))
        ref = format_ref(at.shop_id, _moved(at.object_id, number))
        return msgspec.structs.replace(self.case, ref=ref, order=order)


def _moved(number: int, copy: int) -> int:
    return number + copy * STRIDE if number else 0
