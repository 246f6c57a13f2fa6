"""A pack of a case has every part, verifies by its own script, and gives nobody what is not theirs."""

import asyncio
import io
import json
from pathlib import Path

import pytest
from pypdf import PdfReader

from archive import (
    BUYERS_PICTURE,
    MERCHANTS_TEXT,
    MERCHANTS_WORDS,
    ORIGIN,
    SECRET_MARK,
    SEED,
    Archive,
    contents,
    made,
    manifest,
    verified_by_its_own_script,
)
from dispute import code
from kabao.dossier import Waits
from kabao.evidence.model import Mark, Mask
from kabao.evidence.rules import blob_path
from kabao.kernel import Refusal, canonical_bytes, digest_of
from kabao.postgres import Database
from kabao.tlog import TransparencyLog
from market import open_account, person


@pytest.fixture
async def archive(database: Database, tmp_path: Path) -> Archive:
    return await Archive.ready(database, tmp_path)


async def test_a_case_s_pack_carries_every_part_and_verifies(archive: Archive) -> None:
    case = await archive.story()
    pack = made(await archive.packs.export(archive.desk.market.staff, case.ref))
    listed = manifest(pack.path)
    assert pack.absent == {}
    assert listed["variant"] == "full"
    assert listed["about"] == {"order": case.order.ref, "case": case.ref, "title": case.order.title}
    parts = listed["parts"]
    assert (parts["items"], parts["checkpoints"], parts["timestamps"], parts["ruling"]) == (2, 1, 2, 1)
    assert parts["records"] == parts["proofs"] > 12
    checked = verified_by_its_own_script(pack.path)
    assert checked.returncode == 0, checked.stdout + checked.stderr


async def test_the_papers_say_what_happened(archive: Archive) -> None:
    case = await archive.story()
    files = contents(made(await archive.packs.export(archive.desk.market.staff, case.ref)).path)
    page = files["index.html"].decode()
    for words in (MERCHANTS_WORDS, "先补发一枚", "拆封三分钟后提示已被使用。", "items/001.png", "报错.png"):
        assert words in page
    assert all(f"<dt>{label}</dt>" in page for label in ("下单前勾选的提示", "交付", "拆封第 1 张"))
    # Digests alone stand in the narrow letters of digests.
    assert page.count('<dd class="mono">') == 2
    assert "<script" not in page
    printed = "".join("".join(sheet.extract_text().split()) for sheet in PdfReader(io.BytesIO(files["pack.pdf"])).pages)
    assert MERCHANTS_WORDS in printed
    assert digest_of(BUYERS_PICTURE).hex() in printed
    ruling = json.loads(files["ruling/ruling.json"])
    assert ruling["reasons"] == "商家没有举证。"
    listing = files["documents/listing.json"]
    assert listing == canonical_bytes(case.order.document)


async def test_a_party_gets_its_own_originals_and_the_others_previews(archive: Archive) -> None:
    case = await archive.story()
    market = archive.desk.market
    buyers, sellers = [made(await archive.packs.export(who, case.ref)) for who in (market.buyer, market.owner)]
    assert [item["shown"] for item in manifest(buyers.path)["items"]] == ["original", "preview"]
    assert [item["shown"] for item in manifest(sellers.path)["items"]] == ["preview", "original"]
    mine, theirs = contents(buyers.path), contents(sellers.path)
    assert mine["items/001.png"] == BUYERS_PICTURE
    assert theirs["items/002.txt"] == MERCHANTS_TEXT.encode()
    # Not in the files and not in the bytes around them.
    assert SECRET_MARK.encode() not in sellers.path.read_bytes()
    assert b"only-at-the-end-of-the-text" not in buyers.path.read_bytes()
    for pack in (buyers, sellers):
        assert manifest(pack.path)["variant"] == "redacted"
        checked = verified_by_its_own_script(pack.path)
        assert checked.returncode == 0, checked.stdout + checked.stderr


async def test_what_was_blacked_out_is_shown_so_and_fixed_by_the_record_of_it(archive: Archive) -> None:
    case = await archive.story()
    market, evidence = archive.desk.market, archive.desk.evidence
    at = case.order.shop_id, case.order.order_id
    shown, told = await evidence.items(*at)
    for left in (0, 500):
        mask = await evidence.black_out_picture(
            *at, shown.item_id, shown.given_by, [Mark(left=left, top=0, right=left + 400, bottom=500)]
        )
        assert isinstance(mask, Mask)
    blacked = await evidence.black_out_text(*at, told.item_id, told.given_by, ["进货单"])
    assert isinstance(blacked, Mask)
    packs = [made(await archive.packs.export(who, case.ref)) for who in (market.buyer, market.owner)]
    packs.append(made(await archive.packs.export_for_operator(case.ref, redacted=True)))
    for pack in packs:
        checked = verified_by_its_own_script(pack.path)
        assert checked.returncode == 0, checked.stdout
    listed = manifest(packs[2].path)
    kinds = {record["no"]: record["kind"] for record in listed["records"]}
    assert [kinds[item["record"]] for item in listed["items"]] == ["mask", "mask"]
    assert digest_of(contents(packs[2].path)["previews/001.webp"]) == mask.preview_digest


async def test_what_was_blacked_out_after_the_log_stood_still_is_left_out(database: Database, tmp_path: Path) -> None:
    archive = await Archive.ready(database, tmp_path, waits=Waits(log=0.0, stamps=0.0))
    case = await archive.story()
    await archive.sequence()
    other = TransparencyLog(database=database, clock=archive.desk.clock, seed=SEED, origin=ORIGIN, sources=[])
    await archive.log.rest()
    await other.sequence()
    at = case.order.shop_id, case.order.order_id
    shown = (await archive.desk.evidence.items(*at))[0]
    mask = await archive.desk.evidence.black_out_picture(
        *at, shown.item_id, shown.given_by, [Mark(left=0, top=0, right=500, bottom=500)]
    )
    assert isinstance(mask, Mask)
    pack = made(await archive.packs.export(archive.desk.market.owner, case.ref))
    assert [item["shown"] for item in manifest(pack.path)["items"]] == ["withheld", "original"]
    assert "预览刚遮过" in contents(pack.path)["index.html"].decode()
    checked = verified_by_its_own_script(pack.path)
    assert checked.returncode == 0, checked.stdout


async def test_a_file_the_store_lost_or_changed_costs_nobody_the_pack(archive: Archive, tmp_path: Path) -> None:
    case = await archive.story()
    shown, told = await archive.desk.evidence.items(case.order.shop_id, case.order.order_id)
    (tmp_path / "blobs" / blob_path(shown.digest)).write_bytes(BUYERS_PICTURE[:-9])
    (tmp_path / "blobs" / blob_path(told.digest)).unlink()
    pack = made(await archive.packs.export(archive.desk.market.staff, case.ref))
    assert [item["shown"] for item in manifest(pack.path)["items"]] == ["preview", "withheld"]
    assert "证据 1、2 的原件" in pack.absent["items"]
    page = contents(pack.path)["index.html"].decode()
    assert pack.absent["items"] in page
    assert page.count("缺失或损坏，读不出来") == 1
    checked = verified_by_its_own_script(pack.path)
    assert checked.returncode == 0, checked.stdout
    theirs = made(await archive.packs.export(archive.desk.market.owner, case.ref))
    assert "证据 2 的原件" in theirs.absent["items"]


async def test_a_redacted_pack_of_the_operator_has_nobody_s_original(archive: Archive) -> None:
    case = await archive.story()
    pack = made(await archive.packs.export_for_operator(case.ref, redacted=True))
    assert {item["shown"] for item in manifest(pack.path)["items"]} == {"preview"}
    raw = pack.path.read_bytes()
    assert SECRET_MARK.encode() not in raw
    assert b"only-at-the-end-of-the-text" not in raw
    full = made(await archive.packs.export_for_operator(case.order.ref, redacted=False))
    assert manifest(full.path)["variant"] == "full"


async def test_both_parties_see_the_same_lines_to_the_byte(archive: Archive) -> None:
    case = await archive.story()
    market = archive.desk.market
    pages = []
    for who in (market.buyer, market.owner, market.staff):
        page = contents(made(await archive.packs.export(who, case.ref)).path)["index.html"].decode()
        pages.append(page[page.index('<ol class="tl">') : page.index("</ol>", page.index('<ol class="tl">'))])
    assert pages[0] == pages[1] == pages[2]
    records = [
        {
            name: body
            for name, body in contents(made(await archive.packs.export(who, case.ref)).path).items()
            if name.startswith("records/")
        }
        for who in (market.buyer, market.owner)
    ]
    assert records[0] == records[1]


async def test_an_order_without_a_case_has_a_pack_too(archive: Archive) -> None:
    order_id = await archive.desk.bought()
    ref = archive.desk.order_ref(order_id)
    pack = made(await archive.packs.export(archive.desk.market.buyer, ref))
    assert pack.absent == {"ruling": "没有作出裁决。"}
    assert manifest(pack.path)["about"]["case"] is None
    assert verified_by_its_own_script(pack.path).returncode == 0


async def test_a_stranger_finds_nothing(archive: Archive) -> None:
    case = await archive.story()
    stranger = person(await open_account(archive.desk.database))
    for ref in (case.ref, case.order.ref, "7-NOTHING", "x"):
        assert code(await archive.packs.export(stranger, ref)) is Refusal.NOT_FOUND
    assert code(await archive.packs.export_for_operator("7-0", redacted=False)) is Refusal.NOT_FOUND
    assert code(await archive.packs.export_for_operator("7-7", redacted=False)) is Refusal.NOT_FOUND


async def test_a_pack_without_timestamps_says_so_and_still_verifies(database: Database, tmp_path: Path) -> None:
    archive = await Archive.ready(database, tmp_path, authorities=False)
    case = await archive.story()
    pack = made(await archive.packs.export(archive.desk.market.staff, case.ref))
    assert "timestamps" in pack.absent
    assert verified_by_its_own_script(pack.path).returncode == 0


async def test_what_the_log_has_not_taken_is_said_to_be_missing(database: Database, tmp_path: Path) -> None:
    archive = await Archive.ready(database, tmp_path, waits=Waits(log=0.0, stamps=0.0))
    case = await archive.story()
    # Another process holds the lease, so that nothing is sequenced here.
    other = TransparencyLog(database=database, clock=archive.desk.clock, seed=SEED, origin=ORIGIN, sources=[])
    await other.sequence()
    pack = made(await archive.packs.export(archive.desk.market.staff, case.ref))
    assert manifest(pack.path)["parts"]["records"] == 0
    assert {"records", "proofs", "checkpoints", "timestamps"} <= set(pack.absent)
    checked = verified_by_its_own_script(pack.path)
    assert checked.returncode == 0, checked.stdout


async def test_one_person_has_one_pack_at_a_time_and_nothing_is_left_over(archive: Archive, tmp_path: Path) -> None:
    case = await archive.story()
    answers = await asyncio.gather(*(archive.packs.export(archive.desk.market.buyer, case.ref) for _ in range(3)))
    assert sorted(str(getattr(answer, "code", "made")) for answer in answers) == [
        "made",
        "too_many_tries",
        "too_many_tries",
    ]
    assert not list((tmp_path / "packs").glob(".pack-*"))
