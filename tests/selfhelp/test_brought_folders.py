"""A zipped folder as a case: what is taken, and what is refused before it reaches anything."""

import io
import stat
import zipfile
from pathlib import Path

import pytest

from helpstories import NOW, at, told
from kabao.helpcases import Edited, HelpState, SavedCase
from kabao.helpcases.folders import LONGEST_LETTER, MOST_ENTRIES, Brought, read_folder, texts_of
from kabao.helpcases.model import LARGEST_FILE
from kabao.selfhelp import ChatText, Event, Language, SentLetter, To
from kabao.selfhelp.storyfile import UnreadableCaseError, write_story
from media import picture

STORY = told("key_invalid", letters=(SentLetter(to=To.MERCHANT, sent=at(16), file="letters/old name.txt"),
                                     SentLetter(to=To.PLATFORM, sent=at(17))),
             chats=(ChatText(file="chat/微信.txt", text=""),),
             events=(Event(at=at(14), text="在吗", name="小李", source="chat/微信.txt#1"),))  # fmt: skip
CASE = {
    "case.yaml": write_story(STORY, None),
    "chat/微信.txt": "小李 2026/11/14 20:51:07\n在吗".encode("gb18030"),
    "letters/old name.txt": b"as it was sent",
    "letters/court.txt": "起诉状\n\n请求退款".encode(),
    "evidence/截图.png": picture("PNG"),
}


def zipped(files: dict[str, bytes], *, root: str = "") -> io.BytesIO:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(root + name, content)
    return packed


def read(packed: io.BytesIO, place: Path) -> Brought:
    packed.seek(0)
    place.mkdir()
    return read_folder(packed, place, NOW)


def test_a_folder_is_taken_as_people_zip_it_and_written_again_as_it_was(tmp_path: Path) -> None:
    files = CASE | {"__MACOSX/._a": b"x", ".DS_Store": b"x", "signer.key": b"s" * 32}
    found = read(zipped(files, root="my case/"), tmp_path / "a")
    story = found.case.state.story
    assert (found.case.seed, [one.file for one in found.items]) == (b"s" * 32, ["evidence/截图.png"])
    assert ([one.file for one in story.chats], "在吗" in story.chats[0].text) == (["chat/1.txt"], True)
    assert [one.source for one in story.events] == ["chat/1.txt#1"]
    assert [one.file for one in story.letters] == ["letters/merchant.txt", ""]
    assert found.case.sent == {"letters/merchant.txt": "as it was sent"}
    assert found.case.state.edited == (Edited(to=To.COURT, language=Language.ZH, body="请求退款"),)
    again = read(zipped(texts_of(found.case, NOW)), tmp_path / "b")
    assert (again.case.state, again.case.sent) == (found.case.state, found.case.sent)
    assert len(again.case.seed) == 32
    fraud = SavedCase(
        state=HelpState(story=told("late"), edited=(Edited(to=To.REPORT, language=Language.ZH, body="x"),)), seed=b""
    )
    assert texts_of(fraud, NOW)["letters/12315-report.txt"].endswith(b"\n\nx\n")


def test_names_of_a_system_that_does_not_say_its_encoding_are_read(tmp_path: Path) -> None:
    for number, encoding in enumerate(("gb18030", "utf-8")):
        name = "evidence/截图.png".encode(encoding)
        packed = zipped(
            {"case.yaml": write_story(told("late"), None), "evidence/" + "x" * (len(name) - 9): picture("PNG")}
        )
        raw = packed.getvalue().replace(b"evidence/" + b"x" * (len(name) - 9), name)
        found = read(io.BytesIO(raw), tmp_path / str(number))
        assert [one.file for one in found.items] == ["evidence/截图.png"]


def test_what_is_no_folder_of_a_case_is_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("evidence/link.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    linked, twice, many, locked = zipped(CASE), zipped(CASE), zipped(CASE), zipped(CASE)
    with zipfile.ZipFile(linked, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    with zipfile.ZipFile(twice, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("letters/court.txt", "y")
    with zipfile.ZipFile(many, "a") as archive:
        for number in range(MOST_ENTRIES):
            archive.writestr(f"evidence/{number}.png", b"")
    raw = bytearray(locked.getvalue())
    raw[raw.find(b"PK\x01\x02") + 8] |= 1
    whole = zipped(CASE).getvalue()
    lying = many.getvalue()[:-14] + (1).to_bytes(2, "little") * 2 + many.getvalue()[-10:]
    large = whole[:-10] + (400_000).to_bytes(4, "little") + whole[-6:-2] + b"\5\0hello"
    wide = whole[:-22] + b"PK\6\7" + bytes(16) + whole[-22:]
    bomb = zipped(CASE | {"evidence/zeros.png": bytes(LARGEST_FILE + 1)})
    sent = STORY.letters[0].file
    refused = {
        "不能是链接": linked,
        "出现了两次": twice,
        "文件太多": many,
        "文件太多 ": io.BytesIO(lying),
        "文件太多  ": io.BytesIO(large),
        "文件太多   ": io.BytesIO(wide),
        "加了密码": io.BytesIO(bytes(raw)),
        "太大": bomb,
        "不能是链接 ": zipped(CASE | {"a/b/c/d/e.txt": b"x"}),
        "不能是链接  ": zipped(CASE | {f"evidence/{'x' * 220}\\y.png": b"x"}),
        "年份": zipped(CASE | {"case.yaml": CASE["case.yaml"].replace(b"2026-11-14 12:00", b"9999-12-31")}),
        "年份 ": zipped(CASE | {"case.yaml": CASE["case.yaml"].replace(b"2026-11-14 12:00", b"0001-01-01")}),
        "没有 case.yaml": zipped({"a/b/case.yaml": b"x"}),
        "UTF-8 文字": zipped(CASE | {sent: b"\xff\xfe\x00"}),
        str(LONGEST_LETTER): zipped(CASE | {sent: b"a" * (LONGEST_LETTER + 1)}),
        "没有这个文件": zipped({name: one for name, one in CASE.items() if name != sent}),
        "签名钥匙坏了": zipped(CASE | {"signer.key": b"short"}),
        "不是完整的 zip": io.BytesIO(zipped(CASE).getvalue()[:-30]),
        "最多 40 个文件": zipped(CASE | {f"evidence/{n}.png": picture("PNG", (n + 1, 1)) for n in range(41)}),
    }
    for number, (words, packed) in enumerate(refused.items()):
        with pytest.raises(UnreadableCaseError) as error:
            read(packed, tmp_path / str(number))
        assert words.strip() in error.value.wrongs[-1].text.zh, (words, error.value.wrongs)
    changed = {
        **CASE,
        "case.yaml": CASE["case.yaml"]
        + b"evidence:\n  - file: evidence/\xe6\x88\xaa\xe5\x9b\xbe.png\n    kind: screenshot\n    sha256: "
        + b"0" * 64,
    }
    with pytest.raises(UnreadableCaseError, match=r"evidence/截图\.png:1"):
        read(zipped(changed), tmp_path / "changed")
