"""`kabao selfhelp` in a folder: from nothing to what comes next, for people and scripts."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import vobject

from helpstories import NOW, at, shown, told
from kabao.cli.selfhelp import calendar, new, next_step, pack
from kabao.packs import check
from kabao.selfhelp import Amount, Ending, EndKind, Goods, Kind, Language, Moment, SentLetter, To
from kabao.selfhelp.assessing import assess
from kabao.selfhelp.book import law_rules
from kabao.selfhelp.commands import calendar_command, new_command, next_command, next_rung, pack_command
from kabao.selfhelp.folder import load
from kabao.selfhelp.storyfile import lines_of, write_story

BASICS = ("signs=none", "goods=key", "shop.name=一家店", "platform.name=-", "title=点卡", "payment.at=2026-11-20",
          "payment.amount=100", "payment.channel=alipay", "claim=key_invalid")  # fmt: skip


def came(said: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(said.text)
    return found


def test_a_case_goes_from_an_empty_folder_to_its_next_letter_and_a_stopped_session_goes_on(tmp_path: Path) -> None:
    place = tmp_path / "case"
    assert came(new_command(place, None, NOW, Language.ZH, as_json=True))["folder"] == str(place)
    first = next_command(place, (), NOW, as_json=False)
    assert "有没有下面这些情况" in first.text
    assert "--answer signs=" in first.text
    assert "信" not in first.text.split("回答")[0].split("有没有")[0]
    found = came(next_command(place, BASICS, NOW, as_json=True))
    assert (found["path"], found["questions"][0]["field"]) == ("incomplete", "answers.key_failed")
    asked = set()
    while found["questions"]:
        field = found["questions"][0]["field"]
        assert field not in asked
        asked.add(field)
        value = "yes" if field == "answers.key_failed" else "no"
        found = came(next_command(place, (f"{field}={value}",), NOW, as_json=True))
    assert not asked & {"answers.merchant_unnamed", "answers.platform_knew"}
    assert (found["path"], found["next_letter"]) == ("ordinary", "merchant")
    assert found["asks"][0]["amount_minor"] == 10000
    (place / "evidence" / "录屏.mp4").write_bytes(b"x")
    told_now = next_command(place, (), NOW, as_json=False).text
    assert "已收进：evidence/录屏.mp4" in told_now
    assert "下一步：写信给" in told_now
    assert "诉讼时效（还剩 1091 天，法律）" in told_now
    assert "平台不能" not in told_now
    assert "还没留的证据：商品页整页" in told_now
    (place / "evidence" / "录屏.mp4").write_bytes(b"y")
    assert "和取指纹时不一样了" in next_command(place, (), NOW, as_json=False).text


def test_fraud_speaks_of_police_and_payment_and_of_no_letter(tmp_path: Path) -> None:
    new_command(tmp_path / "c", None, NOW, Language.EN, as_json=False)
    answers = ("signs=codes_asked", "signs.police_called=no", "signs.payment_stopped=no")
    said = next_command(tmp_path / "c", answers[:1], NOW, as_json=False).text
    assert said.index("110") < said.index("Answer:")
    assert "letter" not in said
    found = came(next_command(tmp_path / "c", answers, NOW, as_json=True))
    assert (found["path"], found["first"][0]["step_id"]) == ("fraud", "police_called")


def test_the_calendar_opens_in_another_reader(tmp_path: Path) -> None:
    place, target = tmp_path / "c", tmp_path / "c.ics"
    new_command(place, None, NOW, Language.ZH, as_json=False)
    next_command(place, BASICS, NOW, as_json=False)
    said = came(calendar_command(place, target, NOW, as_json=True))
    events = list(vobject.readOne(target.read_text("utf-8")).vevent_list)
    assert len(events) == len(said["deadlines"]) > 1
    assert "已写好" in calendar_command(place, target, NOW, as_json=False).text


def test_what_cannot_be_is_said_by_file_and_line_or_in_a_sentence(tmp_path: Path) -> None:
    none = tmp_path / "none"
    assert next_command(none, (), NOW, as_json=False).code == 1
    assert calendar_command(none, none, NOW, as_json=True).code == 1
    assert "先运行 kabao selfhelp new" in next_command(none, (), NOW, as_json=False).text
    bad = tmp_path / "story.yaml"
    bad.write_text("case_id: t\ngoods: zz\n", "utf-8")
    refused = new_command(tmp_path / "b", bad, NOW, Language.ZH, as_json=False)
    assert (refused.code, refused.text.splitlines()[0]) == (
        2,
        f"story.yaml:2: goods 只能是其中之一：{', '.join(Goods)}",
    )
    assert not (tmp_path / "b").exists()
    assert new_command(tmp_path / "b", tmp_path / "no.yaml", NOW, Language.ZH, as_json=True).code == 1
    new_command(tmp_path / "c", None, NOW, Language.ZH, as_json=False)
    assert came(new_command(tmp_path / "c", None, NOW, Language.ZH, as_json=True))["error"] == "folder_not_empty"
    wrong = next_command(tmp_path / "c", ("payment.amount=x",), NOW, as_json=False)
    assert (wrong.code, wrong.text) == (2, "“x”不是金额，要写成 268 或 268.00")
    (tmp_path / "c" / "case.yaml").write_text("case_id: [", "utf-8")
    for said in (next_command(tmp_path / "c", (), NOW, as_json=True),
                 calendar_command(tmp_path / "c", tmp_path / "d", NOW, as_json=True)):  # fmt: skip
        assert (said.code, came(said)["wrong"][0]["file"]) == (2, "case.yaml")
    (tmp_path / "e").mkdir()
    (tmp_path / "e" / "case.yaml").write_bytes(write_story(told("key_invalid"), None))
    assert calendar_command(tmp_path / "e", tmp_path / "no" / "d", NOW, as_json=True).code == 1


def test_a_story_told_in_a_file_needs_no_number_and_no_time_of_its_own(tmp_path: Path) -> None:
    source = tmp_path / "mine.yaml"
    source.write_text("goods: key\ncreated_at:\ntitle: 点卡\npayment:\n  amount: 268\n", "utf-8")
    made = came(new_command(tmp_path / "a", source, NOW, Language.EN, as_json=True))
    story = load(tmp_path / "a")
    assert (story.case_id, story.created_at, story.language) == (made["case_id"], NOW, Language.EN)
    assert (story.title, story.payment.amount) == ("点卡", Amount(26800))
    source.write_text("case_id: x1\ncreated_at: 2026-11-20 10:00\nlanguage: zh\n", "utf-8")
    new_command(tmp_path / "b", source, NOW, Language.EN, as_json=True)
    kept = load(tmp_path / "b")
    assert (kept.case_id, kept.created_at.day, kept.language) == ("x1", 20, Language.ZH)


@pytest.mark.parametrize(
    ("line", "zh"),
    [
        ("order_no：12", "冒号后面空一格"),
        ("order_no:12", "冒号后面空一格"),
        ("order_no: a: b", "值里面有冒号"),
        ("\torder_no: 1", "制表符"),
        ('order_no: "1', "引号没有写完"),
        ("goods: key", "同一个名称写了两次"),
    ],
)
def test_a_slip_of_the_pen_is_told_in_plain_words_at_its_line(tmp_path: Path, line: str, zh: str) -> None:
    new_command(tmp_path / "c", None, NOW, Language.ZH, as_json=False)
    file = tmp_path / "c" / "case.yaml"
    file.write_text(file.read_text("utf-8") + f"goods: key\n{line}\n", "utf-8")
    lines = len(file.read_text("utf-8").splitlines())
    said = next_command(tmp_path / "c", (), NOW, as_json=False)
    assert said.code == 2
    assert said.text.startswith(f"case.yaml:{lines}: ")
    assert zh in said.text


def test_what_cannot_be_is_asked_again_with_the_line_it_stands_on(tmp_path: Path) -> None:
    new_command(tmp_path / "c", None, NOW, Language.ZH, as_json=False)
    file = tmp_path / "c" / "case.yaml"
    file.write_text(file.read_text("utf-8") + "events:\n  - at: 2099-01-01\n    text: x\n", "utf-8")
    lines = len(file.read_text("utf-8").splitlines())
    assert f"case.yaml:{lines - 1}: 2099-01-01 还没到" in next_command(tmp_path / "c", (), NOW, as_json=False).text
    assert came(next_command(tmp_path / "c", (), NOW, as_json=True))["where"] == {
        "events.1.at": f"case.yaml:{lines - 1}"
    }
    assert lines_of(b"a: [", ["a"]) == {}
    assert lines_of(b"a: 1\nb:\n  - c: 2\n", ["b.1.c", "b.7", "z"]) == {"b.1.c": 3, "b.7": 2}


def test_the_next_letter_waits_for_the_last_ones_answer_and_ends_with_the_case() -> None:
    def rung(**more: Any) -> tuple[To | None, bool]:
        story = told("key_invalid", "key_failed", evidence=(shown(Kind.RECORDING, "key_failed"),), **more)
        found = next_rung(story, assess(story, law_rules(), NOW), NOW)
        return found.to, found.wait_until is not None

    sent = SentLetter(to=To.MERCHANT, sent=at(24), due=Moment(NOW + timedelta(hours=3)))
    assert rung() == (To.MERCHANT, False)
    assert rung(letters=(sent,)) == (None, True)
    late = SentLetter(to=To.MERCHANT, sent=at(20), due=at(21))
    assert rung(letters=(late,)) == (To.PLATFORM, False)
    settled = SentLetter(to=To.MERCHANT, sent=at(20), due=at(21), answered=at(21), settled=True)
    assert rung(letters=(settled,)) == (None, False)
    assert rung(ending=Ending(kind=EndKind.REFUNDED, at=at(22))) == (None, False)


def test_the_commands_are_the_same_from_a_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert new(tmp_path / "c", as_json=True) == 0
    assert next_step(tmp_path / "c", answer=("signs=vanished,paid_privately",), as_json=True) == 0
    assert calendar(tmp_path / "c", target=tmp_path / "c.ics") == 0
    assert '"path":"fraud"' in capsys.readouterr().out


def test_a_pack_is_written_from_the_folder_verifies_and_says_what_it_cannot_hide(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place, target = tmp_path / "c", tmp_path / "c.zip"
    assert came(pack_command(place, target, NOW, as_json=True))["error"] == "no_case"
    new_command(place, None, NOW, Language.ZH, as_json=False)
    early = pack_command(place, target, NOW, as_json=True)
    assert (came(early)["error"], early.code, target.exists()) == ("incomplete", 1, False)
    next_command(place, (*BASICS, "answers.key_failed=yes"), NOW, as_json=False)
    (place / "evidence" / "a.png").write_bytes(b"\0a")
    assert "include: yes" in pack_command(place, target, NOW, as_json=False).text
    case = (place / "case.yaml").read_text()
    (place / "case.yaml").write_text(case.replace("file: evidence/a.png", "file: evidence/a.png\n    include: yes"))
    said = pack_command(place, target, NOW, as_json=False).text
    assert "证据原件 1 件" in said
    assert "图片、录屏里的卡密遮不住" in said
    assert check(target).exit_code == 0
    assert (place / "signer.key").stat().st_mode & 0o777 == 0o600
    before = target.read_bytes()
    (place / "evidence" / "a.png").write_bytes(b"\0b")
    assert came(pack_command(place, target, NOW, as_json=True))["error"] == "file_changed"
    assert target.read_bytes() == before
    (place / "case.yaml").write_text("goods: ?\n")
    assert pack(place, target=target, as_json=True) == 2
    assert json.loads(capsys.readouterr().out)["error"] == "unreadable"
