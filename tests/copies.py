"""Many cases that stand exactly like one: its rows once more under other numbers, faster than living through each."""

from typing import Final

import msgspec

from dispute import Desk
from kabao.cases import CaseView
from kabao.kernel import OrderId, format_ref, parse_ref

STRIDE: Final = 1_000_003
"""Between the numbers of a row and of its copies, so that no two meet."""
BY_ORDER: Final = {
    "orders": {"order_id": "{n}", "idempotency_key": "x.idempotency_key || '-' || k"},
    "card_key": {
        "order_id": "{n}",
        "key_id": "{n}",
        "blind": r"'\x' || encode(substr(sha256(x.blind || int8send(k)), 1, length(x.blind)), 'hex')",
    },
    "payment": {"order_id": "{n}", "payment_id": "x.payment_id || '-' || k"},
    "escrow": {"order_id": "{n}", "payment_id": "x.payment_id || '-' || k"},
    "ledger_transfer": {"order_id": "{n}", "transfer_id": "gen_random_uuid()"},
    "order_event": {"order_id": "{n}", "event_id": "{n}"},
    "notice_confirmation": {"order_id": "{n}"},
    "reveal_receipt": {"order_id": "{n}", "key_id": "{n}"},
    "cases": {"order_id": "{n}", "case_id": "{n}"},
}
BY_CASE: Final = {
    "case_event": {"case_id": "{n}", "event_id": "{n}"},
    "case_offer": {"case_id": "{n}", "offer_id": "{n}"},
    "first_view": {"case_id": "{n}"},
    "ruling_submission": {"case_id": "{n}", "submission_id": "{n}"},
    "ruling": {"case_id": "{n}"},
}


async def copied(desk: Desk, case: CaseView, offer_id: int, numbers: range) -> list[tuple[CaseView, int]]:
    """Copy a case with its order as often as there are numbers; returns the copies and each one's offer (0: none)."""
    at = parse_ref(case.ref)
    assert at is not None
    keys = (("order_id", case.order.order_id, BY_ORDER), ("case_id", at.object_id, BY_CASE))
    async with desk.database.transaction() as conn:
        for column, number, tables in keys:
            for table, changes in tables.items():
                told = ", ".join(
                    f"'{name}', {text.format(n=f'x.{name} + k * {STRIDE}')}" for name, text in changes.items()
                )
                await conn.execute(
                    f"""INSERT INTO {table} OVERRIDING SYSTEM VALUE
                        SELECT (jsonb_populate_record(x, jsonb_build_object({told}))).*
                          FROM {table} x CROSS JOIN generate_series($2::bigint, $3::bigint) k
                         WHERE x.{column} = $1""",  # noqa: S608  names that stand above
                    number,
                    numbers.start,
                    numbers.stop - 1,
                )
    return [(_renamed(case, at.shop_id, at.object_id, number), _moved(offer_id, number)) for number in numbers]


def _renamed(case: CaseView, shop_id: int, case_id: int, number: int) -> CaseView:
    order_id = OrderId(_moved(case.order.order_id, number))
    order = msgspec.structs.replace(case.order, order_id=order_id, ref=format_ref(shop_id, order_id))
    return msgspec.structs.replace(case, ref=format_ref(shop_id, _moved(case_id, number)), order=order)


def _moved(number: int, copy: int) -> int:
    return number + copy * STRIDE if number else 0
