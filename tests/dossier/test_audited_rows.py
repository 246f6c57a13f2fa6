"""The audit names rows beside the logged ones that were changed or deleted: chunks, uploads, statements, listings."""

from pathlib import Path

import pytest

from archive import Archive, stream
from kabao.evidence import AuthorRole, Chunk, Giver, Item, ItemKind, Upload
from kabao.kernel import digest_of
from kabao.postgres import Database
from media import webm

FILM = webm(live=True)
PIECES = [FILM[:150], FILM[150:250], FILM[250:]]


@pytest.fixture
async def archive(database: Database, tmp_path: Path) -> Archive:
    """A whole story with a recording of three chunks, logged, and the audit finds nothing."""
    archive = await Archive.ready(database, tmp_path)
    await archive.story()
    market = archive.desk.market
    order_id = await database.fetchval("SELECT max(order_id) FROM cases")
    giver = Giver(
        shop_id=market.shop_id, order_id=order_id, case_id=None, account_id=market.buyer_id, role=AuthorRole.BUYER
    )
    uploads = archive.desk.evidence.uploads
    opened = await uploads.open(giver, ItemKind.RECORDING, "录制", 0)
    assert isinstance(opened, Upload)
    for seq, piece in enumerate(PIECES, 1):
        kept = await uploads.put(giver, opened.upload_id, seq, digest_of(piece), stream(piece))
        assert isinstance(kept, Chunk)
    assert isinstance(await uploads.finish(giver, opened.upload_id, 3), Item)
    await archive.sequence()
    report = await archive.log.audit()
    assert report.ok, report
    return archive


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        ("UPDATE evidence_chunk SET digest = sha256('x') WHERE seq = 2", "chunk 2 does not follow the one before it"),
        ("UPDATE evidence_chunk SET head = sha256('x') WHERE seq = 1", "chunk 1 does not follow the one before it"),
        ("DELETE FROM evidence_chunk WHERE seq = 3", "2 rows, not the 3 that it ended with"),
        ("DELETE FROM evidence_chunk WHERE seq = 1", "chunk 2 does not follow the one before it"),
        ("DELETE FROM evidence_chunk", "0 rows, not the 3 that it ended with"),
        ("UPDATE evidence_chunk SET byte_size = byte_size + 1 WHERE seq = 3", "its row says something else now"),
        (
            "UPDATE evidence_chunk SET received_at = received_at + interval '1 microsecond' WHERE seq = 2",
            "its row says something else now",
        ),
        ("UPDATE evidence_upload SET opened_at = opened_at - interval '1 s'", "its row says something else now"),
        ("UPDATE evidence_upload SET given_by = given_by + 1", "its row says something else now"),
        ("UPDATE evidence_upload SET not_before = 'x'", "chunk 1 does not follow the one before it"),
        ("DELETE FROM evidence_chunk; DELETE FROM evidence_upload", "there is no such row"),
        ("UPDATE cases SET statement = 'other'", "statement is not what its opening says"),
        ("UPDATE listing_snapshot SET title = 'other'", "title is not as its document has it"),
        ("UPDATE message SET digest = sha256('x')", "digest is not that of its words"),
    ],
)
async def test_a_row_changed_or_deleted_beside_the_log_is_named(
    archive: Archive, owner_database: Database, damage: str, named: str
) -> None:
    await owner_database.execute(damage)
    report = await archive.log.audit()
    found = [finding.subject for finding in report.findings]
    assert [subject for subject in found if named in subject], found


async def test_what_an_order_was_decided_by_is_held_to_the_document(archive: Archive, owner_database: Database) -> None:
    document = await owner_database.fetchval("SELECT document FROM listing_snapshot")
    document |= {"price_minor": 1, "terms": {"escrow_hours": 1}, "max_quantity": 1}
    await owner_database.execute(
        "UPDATE listing_snapshot SET document = $1, digest = $2", document, digest_of(document)
    )
    found = " ".join(finding.subject for finding in (await archive.log.audit()).findings)
    for column in ("price_minor", "escrow_seconds", "max_quantity"):
        assert f"{column} is not as its document has it" in found
