"""The folder of a case: what is read, what is refused and where, what survives being written."""

import os
from pathlib import Path

import msgspec
import pytest

from helpstories import NOW, at, happened, shown, told
from kabao.selfhelp import Amount, ChatText, Happening, Kind, Language, Side, Story, TermsKind, TermsText
from kabao.selfhelp.answering import answered
from kabao.selfhelp.book import names
from kabao.selfhelp.folder import (
    CASE,
    LARGEST_TEXT,
    MOST_FILES,
    load,
    make,
    save,
    seed_of,
    take_stock,
)
from kabao.selfhelp.storyfile import UnreadableCaseError, read_story, write_story

STORY = told(
    "key_invalid", "key_failed", "-opened", order_no="000123", summary="第一行\n第二行: #不是注释",
    evidence=(shown(Kind.RECORDING, "key_failed"),), events=(happened(Happening.PAID, 14, Amount(1234, "USD")),),
)  # fmt: skip


def wrongs(raw: str) -> list[tuple[int, str]]:
    with pytest.raises(UnreadableCaseError) as caught:
        read_story(raw.encode(), CASE, names())
    assert str(caught.value)
    return [(one.line, one.text.zh) for one in caught.value.wrongs]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    story = Story(case_id="t", created_at=NOW)
    make(tmp_path / "case", story)
    return tmp_path / "case"


def test_a_story_is_read_as_it_was_written_and_a_persons_comments_and_order_survive() -> None:
    written = write_story(STORY, None)
    assert read_story(written, CASE, names()) == STORY
    assert "000123" in written.decode()
    edited = written.replace(b"goods: key", "# 我的话\ngoods: key  # 旁注\nquantity: 1".encode())
    changed = msgspec.structs.replace(STORY, title="改: 过 #1", events=(), order_no="7", payment=type(STORY.payment)())
    again = write_story(changed, edited).decode()
    assert read_story(again.encode(), CASE, names()) == changed
    assert "# 我的话\ngoods: key  # 旁注\nquantity: 1" in again
    assert write_story(read_story(edited, CASE, names()), edited) == edited
    more = msgspec.structs.replace(STORY, events=(happened(Happening.PAID, 14), happened(Happening.TRIED, 15)))
    assert read_story(write_story(more, edited), CASE, names()) == more


def test_every_mistake_is_named_at_its_line_and_all_of_them_at_once() -> None:
    raw = (
        "case_id: t\ncreated_at: 2026-11-25\ntitel: x\ngoods: keyy\npayment:\n  at: 2026-13-01\n  amount: 一百\n"
        "claim: nothing\nanswers:\n  no_fact: yes\n  opened: maybe\nevents:\n  - kind: paid\n  - word\nquantity: -1\n"
        "shop: 一家\nsigns: [a]\nevidence: all\n"
    )
    assert [line for line, _ in wrongs(raw)] == [3, 4, 6, 7, 8, 10, 11, 13, 14, 15, 16, 17, 18]
    assert (6, "“2026-13-01”不是时间，要写成 2026-11-14 20:51 或 2026-11-14") in wrongs(raw)
    assert wrongs("case_id: t\n") == [(1, "这里还缺 created_at")]
    assert wrongs("case_id: [t\n")[0][1].startswith("这里读不懂")
    assert wrongs("case_id: t\ncreated_at: x\ntitle: [a]\n")[1] == (3, "title 这里只写一个值")
    assert wrongs(f"case_id: t\ncreated_at: 2026-11-25\ntitle: {'长' * 4001}\n") == [(3, "最多 4000 个字")]
    many = "case_id: t\ncreated_at: 2026-11-25\nsecrets:\n" + "  - abcdef\n" * 501
    assert wrongs(many) == [(4, "secrets 最多 500 条")]
    assert wrongs("- a\n") == [(1, "这里要写成“名称: 值”")]
    item = "case_id: t\ncreated_at: 2026-11-25\nevidence:\n  - file: a\n    kind: recording\n    include: perhaps\n"
    assert wrongs(item) == [(6, "这里写 yes 或 no")]


@pytest.mark.parametrize(
    ("field", "value", "sees"),
    [
        ("payment.amount", "¥1,268.5", lambda s: s.payment.amount == Amount(126850)),
        ("payment.amount", "40 usd", lambda s: s.payment.amount == Amount(4000, "USD")),
        ("payment.at", "2026-11-14T20:51:30+09:00", lambda s: s.payment.at and s.payment.at.at.hour == 19),
        ("shop.since", "2026-11-01", lambda s: s.shop.since and s.shop.since.day == 1),
        ("events.1.at", "2026-11-15", lambda s: s.events[0].at == msgspec.structs.replace(at(15, 0), exact=False)),
        ("amounts.items_failed", "3", lambda s: s.amounts == {"items_failed": 3}),
        ("signs", "vanished，paid_privately", lambda s: [*s.signs.values()].count("yes") == 2),
        ("signs", "none", lambda s: set(s.signs.values()) == {"no"}),
        ("secrets", "", lambda s: s.secrets == ()),
        ("evidence.1.include", "yes", lambda s: s.evidence[0].include),
    ],
)  # fmt: skip
def test_an_answer_goes_to_its_field(field: str, value: str, sees: object) -> None:
    assert callable(sees)
    story = msgspec.structs.replace(STORY, chats=(ChatText(file="chat/a.txt", text="他说：你好"),))
    found = answered(story, field, value)
    assert sees(found)
    assert found.chats == story.chats


@pytest.mark.parametrize(
    ("field", "value"),
    [("payment.amount", "x"), ("payment.amount", "99999999999999"), ("events.9.at", "2026-11-15"), ("nope", "1"),
     ("answers.xx", "yes"), ("signs", "foo"), ("goods", "zz"), ("events", "x"), ("a.b", "c"), ("", "x"),
     ("events.x", "1"), ("title.deep", "1"), ("payment.at", "9999-99-99"), ("created_at", "soon")],
)  # fmt: skip
def test_an_answer_that_cannot_be_is_refused_in_words(field: str, value: str) -> None:
    with pytest.raises(UnreadableCaseError) as caught:
        answered(STORY, field, value)
    assert caught.value.wrongs[0].text.zh


def test_what_is_dropped_into_the_folder_is_taken_in_with_its_fingerprint(place: Path) -> None:
    (place / "chat" / "群.txt").write_bytes("老王 20:51\n不退".encode("gb18030"))
    (place / "terms" / "公告.html").write_text("<p>一经售出概不退换</p>", "utf-8")
    for name in ("录屏.mp4", "订单.png", "付款.png", "聊天.png", "报错.png", ".hidden"):
        (place / "evidence" / name).write_bytes(name.encode())
    stock = take_stock(place, load(place), NOW)
    assert len(stock.added) == 7
    kinds = {item.file.removeprefix("evidence/"): item.kind for item in stock.story.evidence}
    assert kinds == {
        "录屏.mp4": Kind.RECORDING, "订单.png": Kind.ORDER_RECORD, "付款.png": Kind.PAYMENT_RECORD,
        "聊天.png": Kind.CHAT_RECORD, "报错.png": Kind.SCREENSHOT,
    }  # fmt: skip
    assert all(len(item.sha256) == 64 and item.added_at for item in stock.story.evidence)
    save(place, stock.story)
    again = load(place)
    assert again == stock.story
    assert "不退" in again.chats[0].text
    assert again.terms[0] == TermsText(
        file="terms/公告.html", of=Side.MERCHANT, kind=TermsKind.NOTICE, text=again.terms[0].text
    )
    assert "<p>" not in again.terms[0].text
    assert take_stock(place, again, NOW) == (again, (), ())
    (place / "evidence" / "报错.png").write_bytes(b"another")
    assert take_stock(place, again, NOW).changed == ("evidence/报错.png",)
    assert not [one for one in place.rglob("*") if ".part" in one.name]


def test_nothing_outside_the_folder_is_read_and_no_link_is_followed(place: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("机密")
    (place / "chat" / "link.txt").symlink_to(tmp_path / "secret.txt")
    assert take_stock(place, load(place), NOW).added == ()
    head = (place / CASE).read_text("utf-8")
    for file, word in (("../secret.txt", "相对路径"), ("/etc/passwd", "相对路径"), ("chat/link.txt", "链接"),
                       ("chat/none.txt", "没有这个文件"), ("chat", "不是文件")):  # fmt: skip
        (place / CASE).write_text(f"{head}chats:\n  - file: {file}\n", "utf-8")
        with pytest.raises(UnreadableCaseError) as caught:
            load(place)
        assert (caught.value.wrongs[0].line, word in caught.value.wrongs[0].text.zh) == (6, True)
    (place / CASE).write_text(f"{head}evidence:\n  - file: ../x\n    kind: recording\nsecrets:\n  - abc\n", "utf-8")
    with pytest.raises(UnreadableCaseError) as caught:
        load(place)
    assert [one.line for one in caught.value.wrongs] == [6, 8]


def test_too_much_is_refused_and_nothing_is_written(place: Path) -> None:
    (place / "chat" / "long.txt").write_bytes(b"a" * (LARGEST_TEXT + 1))
    before = (place / CASE).read_bytes()
    with pytest.raises(UnreadableCaseError):
        take_stock(place, load(place), NOW)
    (place / "chat" / "long.txt").unlink()
    (place / "terms" / "bad.pdf").write_bytes(b"%PDF-1.4 nothing")
    with pytest.raises(UnreadableCaseError):
        take_stock(place, load(place), NOW)
    (place / "terms" / "bad.pdf").unlink()
    for number in range(MOST_FILES + 1):
        (place / "evidence" / f"{number}.png").write_bytes(b"x")
    with pytest.raises(UnreadableCaseError) as caught:
        take_stock(place, load(place), NOW)
    assert "200" in caught.value.wrongs[0].text.zh
    assert (place / CASE).read_bytes() == before


def test_a_case_made_from_a_story_brings_its_files_along(place: Path, tmp_path: Path) -> None:
    (place / "chat" / "a.txt").write_text("老王：不退", "utf-8")
    save(place, take_stock(place, load(place), NOW).story)
    make(tmp_path / "copy", load(place), source=place)
    assert load(tmp_path / "copy") == load(place)
    with pytest.raises(FileExistsError):
        make(place, load(place))


def test_the_seed_is_made_once_for_its_owner_alone(place: Path) -> None:
    seed = seed_of(place)
    assert seed_of(place) == seed
    assert os.stat(place / "signer.key").st_mode & 0o077 == 0  # noqa: PTH116
    (place / "signer.key").write_bytes(b"short")
    with pytest.raises(UnreadableCaseError):
        seed_of(place)


def test_the_language_of_the_head_is_the_cases(tmp_path: Path) -> None:
    make(tmp_path / "en", Story(case_id="t", created_at=NOW, language=Language.EN))
    assert "Edit this file" in (tmp_path / "en" / CASE).read_text("utf-8")


def test_sums_among_the_figures_are_written_in_yuan_as_they_are_asked_for() -> None:
    story = answered(answered(STORY, "amounts.failed_minor", "600"), "amounts.items_failed", "2")
    assert story.amounts == {"failed_minor": 60000, "items_failed": 2}
    written = write_story(story, None)
    assert "failed_minor: 600.00" in written.decode()
    assert read_story(written, CASE, names()) == story
    assert wrongs("case_id: a\ncreated_at: 2026-11-25 12:00:00+08:00\namounts:\n  failed_minor: 6 USD\n") == [
        (4, "“6 USD”要写成人民币")
    ]
