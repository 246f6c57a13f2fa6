"""Packs of purchases made elsewhere: the project's own verifier accepts them, and no key stands in any of them."""

import io
import re
import zipfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pypdf import PdfReader

from helpstories import NO, NOW, YES, asked_out, at, happened, told
from kabao.packs import check
from kabao.selfhelp import (
    Business,
    ChatText,
    Ending,
    EndKind,
    Event,
    EvidenceItem,
    Goods,
    Happening,
    Kind,
    Language,
    Person,
    RuleClause,
    SentLetter,
    Side,
    Story,
    TermsKind,
    TermsText,
    To,
)
from kabao.selfhelp.assessing import assess
from kabao.selfhelp.book import law_rules
from kabao.selfhelp.pack import LARGEST_TEXT, Packed, PackNotMadeError, pack
from packs.conftest import run_guide

KEY = "QX7P-99AB-KKM2"
SEED = b"s" * 32
FILES = {
    "evidence/open.mp4": b"\0moving picture\0",
    "evidence/order.png": b"\x89PNG\0",
    "evidence/note.txt": f"卡密 {KEY} 提示已使用".encode(),
    "evidence/plain.txt": "没有卡密".encode(),
    "evidence/box.pdf": b"\0PDF" + KEY.encode(),
    "evidence/broken.txt": b"\xff\x00\xff\xff\x80",
    "letters/merchant.txt": f"请退款。卡密：{KEY}".encode(),
}


def item(file: str, *facts: str, include: bool = True, kind: Kind = Kind.SCREENSHOT) -> EvidenceItem:
    content = FILES[file]
    types = {"txt": "text/plain", "mp4": "video/mp4", "png": "image/png", "pdf": "application/pdf"}
    return EvidenceItem(
        file=file, kind=kind, shows=facts, sha256=sha256(content).hexdigest(), size=len(content), include=include,
        media_type=types[file.rpartition(".")[2]],
    )  # fmt: skip


FULL: dict[str, Any] = {
    "person": Person(name="本人", phone="13800000000"),
    "order_no": "A1B2-C3D4-E5F6",
    "summary": f"打开后提示已被使用，卡密是 {KEY.lower()}。",
    "secrets": (KEY,),
    "events": (happened(Happening.DELIVERED, 14), happened(Happening.TRIED, 15),
               Event(at=at(15), text=f"我也是，{KEY}", name="路人", source="chat/a.txt#1")),
    "evidence": (
        item("evidence/open.mp4", "key_failed", kind=Kind.RECORDING),
        item("evidence/order.png", include=False),
        item("evidence/note.txt"),
        item("evidence/plain.txt"),
        item("evidence/box.pdf"),
        item("evidence/broken.txt"),
    ),
    "letters": (
        SentLetter(to=To.MERCHANT, sent=at(16), file="letters/merchant.txt", answered=at(17), answer="不退"),
        SentLetter(to=To.PLATFORM, sent=at(18)),
    ),
    "terms": (TermsText(file="terms/a.txt", of=Side.MERCHANT, kind=TermsKind.NOTICE, text="一经售出，概不退换。",
                        seen=at(14)),),
    "clauses": (RuleClause(of=Side.PLATFORM, where="第3条", says="卡密无效可退", hours=24),),
    "chats": (
        ChatText(file="chat/a.txt", text=f"2026-11-15 10:00:00 店家\n卡密：{KEY}\n",
                 names={"店家": Side.MERCHANT, "路人": Side.OTHER}),
        ChatText(file="chat/b.txt", text="看不出格式"),
    ),
    "ending": Ending(kind=EndKind.REFUSED, at=at(20)),
}  # fmt: skip


def packed(folder: Path, story: Story, *, seed: bytes = SEED) -> Packed:
    for name, content in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        if not (folder / name).exists():
            (folder / name).write_bytes(content)
    found = assess(story, law_rules(), NOW)
    return pack(story, found, lambda file: folder / file, seed, folder / "pack.zip", NOW)


def entries(folder: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(folder / "pack.zip") as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def printed(files: dict[str, bytes]) -> str:
    pages = PdfReader(io.BytesIO(files["pack.pdf"])).pages
    return "".join("".join(page.extract_text().split()) for page in pages)


def test_a_pack_verifies_reads_in_an_officials_order_and_holds_no_key(tmp_path: Path) -> None:
    done = packed(tmp_path, told("key_invalid", "opened", "key_failed", **FULL))
    report = check(tmp_path / "pack.zip")
    assert report.exit_code == 0, report.lines(english=True)
    assert {part for part, _ in report.absent} >= {"records", "timestamps"}
    assert (done.originals, done.fingerprints) == ((1, 4), (2, 3, 5, 6))
    files = entries(tmp_path)
    for name, content in files.items():
        plain = content.decode("utf-8", "ignore").upper() + (printed(files) if name == "pack.pdf" else "")
        assert KEY not in plain.upper().replace("\0", ""), name
        assert KEY.replace("-", "") not in plain.replace("-", ""), name
    assert [name for name in files if name.startswith("documents/")] == [
        "documents/1-summary.txt", "documents/2-letters/01-merchant.txt", "documents/3-terms/01.txt",
        "documents/4-chats/01.txt", "documents/4-chats/02.txt",
    ]  # fmt: skip
    text = files["documents/1-summary.txt"].decode()
    places = [text.index(title) for title in ("== 本人", "== 商家", "== 买了什么", "== 要求", "== 法律依据", "== 经过",
                                              "== 证据目录", "== 规则里的话", "== 没有核实的", "不能证明")]  # fmt: skip
    assert places == sorted(places)
    page = files["index.html"].decode()
    assert [page.index(f"<h2>{title}") for title in ("本人", "商家", "证据目录", "文件")] == sorted(
        page.index(f"<h2>{title}") for title in ("本人", "商家", "证据目录", "文件")
    )
    named = set(re.findall(r'(?:href|src)="([^"]+)"', page))
    assert named == {"pack.pdf", "items/001.mp4", "items/004.txt", "previews/003.txt",
                     *(name for name in files if name.startswith("documents/"))}  # fmt: skip
    assert named <= set(files)
    assert not re.search(r"<script|style=|https?:", page)
    assert "A1B2-C3D4-E5F6" in text
    assert "¥100.00" in text
    assert "五倍" not in text
    assert "¥500" not in text.partition("== 要求")[2].partition("== 法律依据")[0]
    assert "一经售出" in text
    assert "一经售出" in printed(files)
    assert files["items/001.mp4"] == FILES["evidence/open.mp4"]
    assert "QX****M2" in files["previews/003.txt"].decode()
    assert re.search(r"路人\s.*聊天里说", text)
    assert "我也是，QX****M2" in text
    assert "店家（商家）" in files["documents/4-chats/01.txt"].decode()
    assert "看不出格式" in files["documents/4-chats/02.txt"].decode()
    assert files["documents/2-letters/01-merchant.txt"].decode() == "请退款。卡密：QX****M2"
    guide = files["VERIFY.txt"].decode()
    assert "没有平台担保" in guide
    assert "platform that made this pack" not in guide
    ran = run_guide(tmp_path)
    assert ran.returncode == 0, ran.stderr


def test_an_altered_pack_fails_and_the_same_case_is_the_same_pack(tmp_path: Path) -> None:
    story = told("key_invalid", "key_failed", **FULL, language=Language.EN)
    first = packed(tmp_path, story)
    before = (tmp_path / "pack.zip").read_bytes()
    assert packed(tmp_path, story) == first
    assert (tmp_path / "pack.zip").read_bytes() == before
    assert packed(tmp_path, story, seed=b"t" * 32).key != first.key
    assert "== What is asked ==" in entries(tmp_path)["documents/1-summary.txt"].decode()
    (tmp_path / "pack.zip").write_bytes(before.replace("不退".encode(), "同意".encode()))
    assert check(tmp_path / "pack.zip").exit_code == 1


def test_what_is_fraud_or_the_buyers_own_fault_is_packed_as_that(tmp_path: Path) -> None:
    signs = {"pay_to_unlock": YES, "police_called": YES, "payment_stopped": NO}
    packed(tmp_path, told("not_delivered", "-delivered", signs=signs, platform=Business(name="-")))
    text = entries(tmp_path)["documents/1-summary.txt"].decode()
    assert "== 诈骗迹象 ==" in text
    assert "已做: 报警了吗？" in text
    assert "== 平台 ==" not in text
    assert check(tmp_path / "pack.zip").exit_code == 0
    packed(tmp_path, told("not_delivered", goods=Goods.CHEAT, signs=signs))
    for_police = entries(tmp_path)["documents/1-summary.txt"].decode()
    assert ("== 诈骗迹象 ==" in for_police, "== 要求 ==" in for_police) == (True, False)
    own = asked_out(told("wrong_purchase", "opened", "exclusion_confirmed", "restriction_prominent"))
    packed(tmp_path, own)
    assert "商量的方案: 请商家留下 ¥10.00" in entries(tmp_path)["documents/1-summary.txt"].decode()


@pytest.mark.parametrize(
    ("story", "code"),
    [
        (told("not_delivered", goods=Goods.REAL_NAME), "goods_unlawful"),
        (told(""), "incomplete"),
        (told("key_invalid", "-opened", "used_up"), "incomplete"),
        (told("key_invalid", "key_failed", evidence=(EvidenceItem(file="evidence/plain.txt", kind=Kind.SCREENSHOT),)),
         "no_fingerprint"),
        (told("key_invalid", "key_failed", evidence=(
            msgspec.structs.replace(item("evidence/plain.txt"), sha256="0" * 64),)), "file_changed"),
    ],
)  # fmt: skip
def test_a_case_that_cannot_be_packed_says_why_and_writes_nothing(tmp_path: Path, story: Story, code: str) -> None:
    with pytest.raises(PackNotMadeError) as refused:
        packed(tmp_path, story)
    assert refused.value.code == code
    assert refused.value.text.zh
    assert not (tmp_path / "pack.zip").exists()


def test_a_text_too_long_to_look_through_stays_outside(tmp_path: Path) -> None:
    long = b"a" * (LARGEST_TEXT + 1)
    (tmp_path / "evidence").mkdir()
    (tmp_path / "evidence/plain.txt").write_bytes(long)
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters/merchant.txt").write_bytes(long)
    one = msgspec.structs.replace(item("evidence/plain.txt"), sha256=sha256(long).hexdigest())
    letter = SentLetter(to=To.MERCHANT, sent=at(16), file="letters/merchant.txt")
    assert packed(tmp_path, told("key_invalid", "key_failed", evidence=(one,), letters=(letter,))).originals == ()
    assert "太长" in entries(tmp_path)["documents/1-summary.txt"].decode()
    assert "documents/2-letters/01-merchant.txt" not in entries(tmp_path)
