"""Words and papers of a pack: sizes, what files say of themselves, every kind of record, what is left on the disk."""

import os
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from archive import ORIGIN, PRESS, Archive, contents, made
from kabao.dossier.model import Masked, SaidFact
from kabao.dossier.papers import hints_text, item_notes, kept_facts, size_text, terms_lines
from kabao.dossier.rules import body_of
from kabao.dossier.words import record_text
from kabao.evidence import Item, MediaType
from kabao.evidence.model import AuthorRole, Hints, RecordingEnd
from kabao.kernel import canonical_bytes
from kabao.paper import PackPaper, PaperItem
from kabao.paper.press import PaperFailed
from kabao.postgres import Database
from kabao.tlog import StoredRecord

AT = datetime(2026, 11, 24, 21, 0, tzinfo=UTC)
ITEM = Item(
    item_id=1,
    item_no=1,
    case_id=None,
    file_name="a.png",
    media_type=MediaType.PNG,
    byte_size=1,
    digest=bytes(32),
    preview_digest=None,
    given_by=1,
    given_role=AuthorRole.BUYER,
    at=AT,
)


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 字节"), (1023, "1023 字节"), (1024, "1 KB"), (5 * 1024**2, "5.0 MB"), (1024**3, "1024.0 MB")],
)
def test_a_size_is_written_as_people_read_it(size: int, text: str) -> None:
    assert size_text(size) == text


def test_what_a_file_says_of_itself_is_told_as_its_own_word() -> None:
    assert hints_text(ITEM) == ""
    hints = Hints(made_at="2026-11-23 14:02:05", device="手机", has_location=True)
    told = hints_text(msgspec.structs.replace(ITEM, hints=hints))
    assert told == "文件自称：拍摄或制作于 2026-11-23 14:02:05；设备 手机；带有位置"


def test_an_item_s_notes_tell_its_address_its_recording_and_what_was_blacked_out() -> None:
    end = RecordingEnd(
        not_before=f"{ORIGIN}\n37\ncm9vdA==\n", head="ab" * 32, chunks=6, opened_at=AT, closed_at=AT, is_cut=False
    )
    assert item_notes(ITEM) == []
    assert item_notes(msgspec.structs.replace(ITEM, link="https://shop.example/a")) == ["网址：https://shop.example/a"]
    notes = item_notes(msgspec.structs.replace(ITEM, recording=end, masks=2, masked_at=AT))
    assert notes == [
        "现场录制：2026-11-25 05:00:00 开始，2026-11-25 05:00:00 结束，共 6 段，每段录完就送到平台并记下时间。",
        "录制不早于公开日志写到 37 条的那个检查点。",
        f"哈希链的末端 {'ab' * 32}",
        "预览遮过 2 次，最近一次在 2026-11-25 05:00:00；原件没有动。",
    ]
    cut = item_notes(msgspec.structs.replace(ITEM, recording=msgspec.structs.replace(end, not_before="", is_cut=True)))
    assert cut[0].endswith("，没有正常收尾。")
    assert len(cut) == 2


def test_the_papers_tell_what_the_records_keep_of_notices_delivery_and_openings() -> None:
    told = {"wording": "拆封后不能无理由退。", "version": "1", "place": "下单页", "at": "2026-11-24T21:00:00Z"}

    def kept(content: dict[str, object], kind: str = "order_event", *, erased: bool = False) -> list[tuple[str, str]]:
        body = None if erased else canonical_bytes({"content": content})
        record = StoredRecord(
            position=0,
            shop_id=1,
            order_id=2,
            record_id=0,
            source="order_event",
            source_id=3,
            kind=kind,
            at=AT,
            commitment=bytes(32),
            body=body,
            salt=None,
        )
        return [(fact.label, fact.text) for fact in kept_facts([record])]

    placed: dict[str, object] = {"seen": {"notices": [told | {"dwell_ms": 11054, "dwell_by": "page"}]}}
    assert kept(placed) == [
        ("下单前勾选的提示", "拆封后不能无理由退。（第 1 版，下单页，2026-11-25 05:00:00，在眼前 11 秒后勾选）")
    ]
    served: dict[str, object] = {"seen": {"notices": [told | {"dwell_ms": 999, "dwell_by": "server"}]}}
    assert kept(served)[0][1].endswith("，下单页打开 0 秒后提交）")
    plain: dict[str, object] = {"seen": {"notices": [told | {"dwell_ms": None, "dwell_by": None}]}}
    assert kept(plain)[0][1].endswith("2026-11-25 05:00:00）")
    assert kept({"delivery": {"promise_seconds": 60}}) == [("交付", "承诺付款后 1 分钟内，实际 2026-11-25 05:00:00")]
    reveal = {"pos": 1, "device": "Linux", "network": "127.0.0.0/24"}
    assert kept({"reveals": [reveal]}) == [("拆封第 1 张", "2026-11-25 05:00:00；网络 127.0.0.0/24；设备 Linux")]
    assert kept({"reveals": [reveal | {"device": "", "network": ""}]}) == [("拆封第 1 张", "2026-11-25 05:00:00")]
    assert kept({"event": "closed"}) == kept(placed, "message") == kept(placed, erased=True) == []


def test_masks_and_facts_are_told_in_words() -> None:
    mask = Masked(
        order_ref="7-1",
        item_no=3,
        digest=bytes(32),
        by="buyer",
        mask_no=1,
        preview_digest=bytes(32),
        marks=[],
        at=AT,
    )
    assert record_text("mask", body_of(mask)) == "买家遮盖了证据 3 的一部分。"
    for shows, word in ((True, "成立"), (False, "不成立")):
        fact = SaidFact(
            order_ref="7-1",
            case_ref="7-2",
            fact="late",
            shows=shows,
            kind="screenshot",
            confidence=65,
            by="merchant",
            item_no=None,
            note="",
            at=AT,
        )
        assert record_text("fact", body_of(fact)) == f"商家说了一个事实{word}。"


def test_terms_are_written_as_the_listing_showed_them() -> None:
    told = dict(
        terms_lines(
            {
                "escrow_hours": 72,
                "claim_days": 3,
                "replacement_offered": True,
                "partial_fee_percent": 10,
                "delivery_promise_seconds": 90,
                "warranty_days": 30,
                "validity_text": "一年",
            }
        )
    )
    assert told["卡密无效或已被用"] == "全额退或补发，拆封后 3 天内提出"
    assert told["卡密有效，不想要了"] == "退，扣 10%，要协商"
    assert told["送达"] == "付款后 90 秒内"
    assert told["自动确认放款"] == "送达后 3 天"
    assert told["质保"] == "30 天"
    assert told["有效期"] == "一年"
    assert "区服、地区" not in told
    assert dict(terms_lines({"delivery_promise_seconds": 7200}))["送达"] == "付款后 2 小时内"


def test_a_picture_that_is_none_is_a_fault_with_a_name() -> None:
    paper = PackPaper(
        title="证据包",
        subtitle="",
        facts=[],
        parties=[],
        verifying=[],
        proves="",
        timeline=[],
        items=[PaperItem(no=1, name="a", about="b", sha256="00" * 32, picture="001.jpg")],
        ruling=None,
        absent=[],
    )
    with pytest.raises(PaperFailed):
        PRESS.pack(paper, at=AT, pictures={"001.jpg": b"no picture"})


async def test_a_pack_is_read_away_and_what_nobody_came_for_is_swept(database: Database, tmp_path: Path) -> None:
    archive = await Archive.ready(database, tmp_path)
    assert await archive.packs.sweep() == 0
    ref = archive.desk.order_ref(await archive.desk.bought())
    first = made(await archive.packs.export(archive.desk.market.buyer, ref))
    whole = first.path.read_bytes()
    assert len(whole) == first.size
    assert b"".join([piece async for piece in first.pieces()]) == whole
    assert not first.path.parent.exists()
    second = made(await archive.packs.export(archive.desk.market.buyer, ref))
    assert await archive.packs.sweep() == 0
    os.utime(second.path.parent, (0, 0))
    assert await archive.packs.sweep() == 1
    assert not second.path.exists()


async def test_two_packs_of_one_instant_are_the_same_bytes(database: Database, tmp_path: Path) -> None:
    archive = await Archive.ready(database, tmp_path)
    case = await archive.story()
    packs = [made(await archive.packs.export(archive.desk.market.staff, case.ref)) for _ in range(2)]
    assert contents(packs[0].path) == contents(packs[1].path)
    assert packs[0].path.read_bytes() == packs[1].path.read_bytes()
