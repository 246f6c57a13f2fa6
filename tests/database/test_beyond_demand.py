"""Where no person decides, nothing beyond the demand is given, whatever a caller hands in."""

from pathlib import Path

import msgspec
import pytest
from asyncpg import CheckViolationError

from dispute import MERCHANTS, WISH, Desk, seen
from kabao.cases import OpenCase, Outcome, Remedy, RulingStage
from kabao.cases import store as case_store
from kabao.cases.ladder import store as ladder_store
from kabao.cases.ladder.model import Grounds
from kabao.cases.ladder.store import Handed
from kabao.kernel import parse_ref
from kabao.postgres import Database
from market import PHONE

PRICE = 9650
PART = OpenCase(claim="already_used", demand=Remedy.PARTIAL_REFUND, demand_minor=500, statement="少了一半。")
SWAP = msgspec.structs.replace(WISH, demand=Remedy.REPLACEMENT)


class Rollback(Exception):  # noqa: N818  leaves a transaction on purpose
    """Nothing that was handed in stays."""


async def taken(desk: Desk, ref: str, stage: RulingStage, refund_minor: int, damages_minor: int) -> str | None:
    """Hand a ruling in and take it back; answers the constraint that refused it."""
    place = parse_ref(ref)
    assert place is not None
    handed = Handed(
        submission_id=1,
        staff_id=None,
        stage=stage,
        by_duty=False,
        outcome=Outcome.PARTIAL_REFUND,
        refund_minor=refund_minor,
        damages_minor=damages_minor,
        shares=MERCHANTS,
        facts="x",
        reasons="x",
        differs_reason="",
        dissent="",
        grounds=Grounds(),
        visible_at=desk.clock.at,
    )
    try:
        async with desk.database.transaction() as conn:
            case = await case_store.case(conn, *place, desk.clock.at)
            assert case is not None
            assert await ladder_store.in_place_minor(conn, case) == PRICE
            await ladder_store.submit_ruling(conn, case, handed, None)
            raise Rollback  # noqa: TRY301  the transaction is left on purpose
    except CheckViolationError as error:
        return str(error.constraint_name)
    except Rollback:
        return None


@pytest.mark.parametrize(("wish", "most"), [(WISH, 2 * PRICE), (PART, 500), (SWAP, PRICE)])
async def test_the_table_takes_no_ruling_of_time_or_records_beyond_the_demand(
    database: Database, tmp_path: Path, wish: OpenCase, most: int
) -> None:
    """Of two keys one was opened, so that new keys stand for one only; a person may give more."""
    desk = await Desk.ready(database, tmp_path)
    ref = desk.order_ref(await desk.bought(2, opened=False))
    await desk.orders.reveal(desk.market.buyer, ref, [1], PHONE)
    case = seen(await desk.cases.open(desk.market.buyer, ref, wish))
    for stage in (RulingStage.DEFAULT, RulingStage.GREEN):
        assert await taken(desk, case.ref, stage, most, 0) is None
        for refund, damages in ((most + 1, 0), (most, 1)):
            assert await taken(desk, case.ref, stage, refund, damages) == "ruling_submission_not_beyond_demand"
    assert await taken(desk, case.ref, RulingStage.SUPPORT, most + 1, 1) is None
