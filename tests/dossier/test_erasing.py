"""Erasing a record destroys what it said, in the log and in the row; the log stays whole and everybody sees that."""

import json
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from archive import BUYERS_PICTURE, MERCHANTS_WORDS, Archive, contents, made, manifest, verified_by_its_own_script
from dispute import code, seen
from kabao.dossier import Receipts
from kabao.kernel import Refusal
from kabao.postgres import Database


@pytest.fixture
async def archive(database: Database, tmp_path: Path) -> Archive:
    return await Archive.ready(database, tmp_path)


async def record_of(archive: Archive, ref: str, words: str) -> int:
    await archive.sequence()
    listed = await archive.receipts.receipts(archive.desk.market.buyer, ref)
    assert isinstance(listed, Receipts)
    return next(one.record_id for one in listed.receipts if words in one.text)


async def test_what_was_said_is_gone_everywhere_and_its_place_stays(archive: Archive, owner_database: Database) -> None:
    case = await archive.story()
    record_id = await record_of(archive, case.ref, MERCHANTS_WORDS)
    assert await archive.erasing.erase(case.ref, record_id, "应本人要求", archive.desk.market.staff_id) is None

    row = await owner_database.fetchrow("SELECT body, salt FROM log_record WHERE record_id = $1", record_id)
    assert row is not None
    assert (row["body"], row["salt"]) == (None, None)
    dump = await owner_database.fetchval("SELECT string_agg(m::text, '') FROM message m")
    assert MERCHANTS_WORDS not in dump

    market = archive.desk.market
    bought, sold = [seen(await archive.desk.cases.case(who, case.ref)) for who in (market.buyer, market.owner)]
    assert bought.timeline == sold.timeline
    assert any("应本人要求" in line.text and line.kind == "erased" for line in bought.timeline)
    assert all(MERCHANTS_WORDS not in line.said for line in bought.timeline)

    pack = made(await archive.packs.export(market.staff, case.ref))
    raw = pack.path.read_bytes()
    assert MERCHANTS_WORDS.encode() not in raw
    files = contents(pack.path)
    erased = next(one for one in manifest(pack.path)["records"] if one["body"] is None)
    assert b"\nextra " not in files[erased["proof"]]
    assert any(json.loads(files[name])["kind"] == "erasure" for name in files if name.startswith("records/"))
    checked = verified_by_its_own_script(pack.path)
    assert checked.returncode == 0, checked.stdout + checked.stderr


async def test_masked_words_stand_masked_in_log_and_pack_and_their_original_goes_with_an_erasure(
    archive: Archive, owner_database: Database
) -> None:
    case = await archive.story()
    desk = archive.desk
    for words in ("你个傻逼，一号。", "你个傻逼，二号。"):
        seen(await desk.cases.say(desk.market.buyer, case.ref, words))
        desk.pass_time(timedelta(seconds=1))
    record_id = await record_of(archive, case.ref, "你个＊＊，一号。")
    pack = made(await archive.packs.export(desk.market.staff, case.ref))
    raw = b"".join(contents(pack.path).values())
    assert "你个＊＊，二号。".encode() in raw
    assert "傻逼".encode() not in raw
    assert verified_by_its_own_script(pack.path).returncode == 0
    assert await owner_database.fetchval("SELECT count(*) FROM said_original") == 2
    assert await archive.erasing.erase(case.ref, record_id, "应本人要求", 0) is None
    assert await owner_database.fetchval("SELECT string_agg(body, '') FROM said_original") == "你个傻逼，二号。"


async def test_the_audit_finds_the_log_whole_after_an_erasure(archive: Archive) -> None:
    case = await archive.story()
    for words in (MERCHANTS_WORDS, "买家发起纠纷", "买家拆封了", "提交了证据 1"):
        record_id = await record_of(archive, case.ref, words)
        assert await archive.erasing.erase(case.order.ref, record_id, "应本人要求", 0) is None, words
    await archive.sequence()
    report = await archive.log.audit()
    assert report.ok, report


async def test_the_audit_finds_a_row_that_was_changed_behind_the_log(
    archive: Archive, owner_database: Database
) -> None:
    await archive.story()
    await archive.sequence()
    assert (await archive.log.audit()).ok
    await owner_database.execute("UPDATE message SET body = '别的话'")
    assert not (await archive.log.audit()).ok


@pytest.mark.parametrize(
    "forged",
    [
        "UPDATE log_record SET body = NULL, salt = NULL, erased_at = now() WHERE source = 'message'",
        'UPDATE listing_snapshot SET document = document || \'{"description":"别的说明"}\'',
        "UPDATE listing_snapshot SET digest = set_bit(digest, 0, 1 - get_bit(digest, 0))",
    ],
)
async def test_the_audit_finds_what_was_erased_or_shown_otherwise_behind_the_log(
    archive: Archive, owner_database: Database, forged: str
) -> None:
    case = await archive.story()
    record_id = await record_of(archive, case.ref, "买家拆封了")
    assert await archive.erasing.erase(case.ref, record_id, "应本人要求", 0) is None
    await archive.sequence()
    assert (await archive.log.audit()).ok
    await owner_database.execute(forged)
    report = await archive.log.audit()
    assert (report.faults, [finding.check for finding in report.findings]) == (1, ["source"])


async def test_an_item_that_is_erased_as_evidence_takes_its_record_along(archive: Archive) -> None:
    case = await archive.story()
    order = (case.order.shop_id, case.order.order_id)
    item = (await archive.desk.evidence.items(*order))[0]
    for times in range(2):
        if times:
            await archive.sequence()
        async with archive.desk.database.transaction() as conn:
            # Before it is logged there is nothing to take out; twice is as good as once.
            await archive.erasing.item_erased(conn, *order, item.item_id)
            await archive.erasing.item_erased(conn, *order, item.item_id)
    gone = [one for one in await archive.log.records(*order) if one.body is None]
    assert [(one.source, one.source_id) for one in gone] == [("evidence_item", item.item_id)]


async def test_an_erased_item_is_named_in_a_pack_and_not_carried(archive: Archive) -> None:
    case = await archive.story()
    record_id = await record_of(archive, case.ref, "提交了证据 1")
    assert await archive.erasing.erase(case.ref, record_id, "应本人要求", 0) is None
    pack = made(await archive.packs.export(archive.desk.market.staff, case.ref))
    item = manifest(pack.path)["items"][0]
    assert (item["shown"], item["file"]) == ("withheld", None)
    raw = pack.path.read_bytes()
    assert BUYERS_PICTURE not in raw
    assert "报错.png".encode() not in raw
    assert verified_by_its_own_script(pack.path).returncode == 0


async def test_a_legal_hold_stands_against_erasure(archive: Archive, owner_database: Database) -> None:
    case = await archive.story()
    record_id = await record_of(archive, case.ref, MERCHANTS_WORDS)
    await owner_database.execute(
        """INSERT INTO evidence_hold (shop_id, order_id, hold_id, reason, set_by, set_at)
           VALUES ($1, $2, 1, '法院调取', 1, now())""",
        case.order.shop_id,
        case.order.order_id,
    )
    assert code(await archive.erasing.erase(case.ref, record_id, "应本人要求", 0)) is Refusal.EVIDENCE_ON_HOLD


async def test_what_cannot_be_erased_is_refused(archive: Archive) -> None:
    case = await archive.story()
    said = await record_of(archive, case.ref, MERCHANTS_WORDS)
    placed = await record_of(archive, case.ref, "买家下单")
    erase = archive.erasing.erase
    assert code(await erase(case.ref, said, "  ", 0)) is Refusal.INVALID_FIELDS
    assert code(await erase("nonsense", said, "理由", 0)) is Refusal.NOT_FOUND
    assert code(await erase(case.ref, 10**9, "理由", 0)) is Refusal.NOT_FOUND
    assert code(await erase(case.ref, placed, "理由", 0)) is Refusal.NOT_FOUND
    assert await erase(case.ref, said, "理由", 0) is None
    assert code(await erase(case.ref, said, "理由", 0)) is Refusal.FILE_ERASED


async def test_the_application_changes_a_history_in_no_other_way(archive: Archive) -> None:
    await archive.story()
    for statement in (
        "UPDATE message SET body = 'x'",
        "UPDATE case_event SET body = 'x'",
        "UPDATE case_fact SET note = 'x'",
        "UPDATE record_erasure SET reason = 'x'",
        "DELETE FROM record_erasure",
        "UPDATE evidence_item SET file_name = 'x'",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await archive.desk.database.execute(statement)
