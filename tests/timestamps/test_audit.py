"""The audit finds every stored timestamp that was changed, and says nothing where nothing was."""

from datetime import UTC, datetime

import pytest

from kabao.kernel import FixedClock
from kabao.postgres import Database
from kabao.timestamps import stamp_findings
from stampdesk import BODY, Lines, service


@pytest.fixture
async def stamped(database: Database) -> Database:
    """Two pieces of data, each stamped by two authorities, and one that nobody was asked about."""
    clock = FixedClock(datetime.now(UTC).replace(microsecond=0))
    stamps = service(database, clock, Lines(clock))
    await stamps.want(BODY, "checkpoint 7")
    await stamps.want(b"other", "checkpoint 9")
    await service(database, clock, Lines(clock), ()).want(b"alone", "checkpoint 11")
    assert await stamps.run() == 4
    return database


async def findings(database: Database) -> list[str]:
    async with database.connection() as conn:
        return [f"{check}: {subject}" for check, subject in await stamp_findings(conn)]


async def test_whole_stamps_have_no_findings(stamped: Database) -> None:
    assert await findings(stamped) == []


@pytest.mark.parametrize(
    ("damage", "named", "count"),
    [
        ("UPDATE timestamp_data SET data = 'x' WHERE subject = 'checkpoint 7'", "data is not that of its digest", 2),
        ("UPDATE timestamp_data SET data = 'x' WHERE subject = 'checkpoint 11'", "data is not that of its digest", 1),
        (
            ("UPDATE timestamp_request SET response = set_byte(response, 200, get_byte(response, 200) # 1)"
            " WHERE authority = 'first'"),
            "the stored stamp does not hold",
            2,
        ),
        ("UPDATE timestamp_request SET response = 'x' WHERE authority = 'first'", "the stored stamp does not hold", 2),
        (
            ("UPDATE timestamp_request r SET response = (SELECT o.response FROM timestamp_request o"
            " WHERE o.digest <> r.digest AND o.authority = r.authority)"),
            "the stored stamp does not hold: other_digest",
            4,
        ),
        ("UPDATE timestamp_request SET stamped_at = stamped_at - interval '1 s'", "are not those of the stamp", 4),
        ("UPDATE timestamp_request SET serial = serial || '0'", "are not those of the stamp", 4),
        (("UPDATE timestamp_request SET round = 2 WHERE authority = 'first'; DELETE FROM timestamp_request"
         " WHERE authority = 'second'"), "round 1 of", 2),
        ("UPDATE timestamp_roots SET pem = pem || 'x'::bytea", "are not those of their digest", 2),
    ],
)  # fmt: skip
async def test_what_was_changed_is_named(
    stamped: Database, owner_database: Database, damage: str, named: str, count: int
) -> None:
    await owner_database.execute(damage)
    found = await findings(stamped)
    assert sum(named in one for one in found) == count, found
