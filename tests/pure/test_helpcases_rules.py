"""What a change of a saved case keeps, how its files are named, what has room, and when its days are told."""

from datetime import timedelta

import msgspec

from helpstories import NOW, at, told
from kabao.adjudication.model import Text
from kabao.helpcases import CaseState, Edited, HelpState, SavedAs, SavedCase
from kabao.helpcases.model import ACCOUNT_BYTES, CASE_BYTES, LARGEST_FILE, MOST_FILES, CaseView
from kabao.helpcases.rules import (
    described,
    drafts,
    due_now,
    ended,
    file_name,
    fresh,
    next_reminder,
    reminder_subject,
    rewritten,
    state_of,
    why_no_room,
    with_answer,
    with_item,
    with_letter,
    without_item,
)
from kabao.kernel import Refusal
from kabao.selfhelp import Deadline, DueSource, Ending, EndKind, EvidenceItem, Kind, Language, Moment, To

DAY = timedelta(days=1)
HELD = SavedCase(state=HelpState(story=told("key_invalid")), seed=b"s")
ITEM = EvidenceItem(file="evidence/a.png", kind=Kind.SCREENSHOT, sha256="0" * 64)


def test_what_is_added_beside_the_form_survives_a_step_of_it() -> None:
    held = with_answer(
        with_letter(with_item(HELD, ITEM, 7), To.MERCHANT, at(16), at(18), "信"), 1, at(17), "不退", settled=False
    )
    assert held is not None
    carried = HelpState(story=told("late", case_id="other"), reached=3, saved=SavedAs(1, 2))
    new = rewritten(ended(held, Ending(kind=EndKind.STOPPED, at=at(20))), carried)
    story = new.state.story
    assert (story.claim, story.case_id, new.state.reached, new.state.saved) == ("late", "t1", 3, None)
    assert [one.answer for one in story.letters] == ["不退"]
    assert [one.file for one in story.evidence] == ["evidence/a.png"]
    assert (state_of(HELD.state.story), state_of(held.state.story), state_of(story)) == tuple(CaseState)
    assert (new.sent, new.files) == ({"letters/merchant.txt": "信"}, {"evidence/a.png": 7})
    copy = fresh(msgspec.structs.replace(carried, story=story), b"n")
    assert (copy.state.story.evidence, copy.state.story.letters[0].file, copy.sent) == ((), "", {})
    view = CaseView(case_id=1, version=1, made_at=NOW, saved_at=NOW, case=HELD)
    assert view.story is HELD.state.story


def test_items_are_described_and_removed_by_the_number_of_their_file_alone() -> None:
    other = msgspec.structs.replace(ITEM, file="evidence/b.png")
    held = with_item(with_item(HELD, ITEM, 7), other, 8)
    said = described(held, 8, shows=["key_failed"], include=True)
    assert said is not None
    assert [(one.shows, one.include) for one in said.state.story.evidence] == [((), False), (("key_failed",), True)]
    left = without_item(said, 7)
    assert left is not None
    assert (list(left.files), [one.file for one in left.state.story.evidence]) == (
        ["evidence/b.png"],
        ["evidence/b.png"],
    )
    assert described(held, 9, shows=(), include=False) is without_item(held, 9) is None
    assert with_answer(held, 1, at(17), "不退", settled=True) is None


def test_letters_and_files_are_named_as_nothing_there_is_named() -> None:
    mine = Edited(to=To.MERCHANT, language=Language.ZH, body="改过")
    state = msgspec.structs.replace(HELD.state, edited=(mine, msgspec.structs.replace(mine, to=To.COURT)))
    held = with_letter(msgspec.structs.replace(HELD, state=state), To.MERCHANT, at(16), None, "信")
    assert [one.to for one in held.state.edited] == [To.COURT]
    assert list(drafts((mine,), held.sent)) == ["letters/merchant-2.txt"]
    again = with_letter(held, To.MERCHANT, at(17), None, "再一封")
    assert [one.file for one in again.state.story.letters] == ["letters/merchant.txt", "letters/merchant-2.txt"]
    taken = ["evidence/A.png", "evidence/a-2.png", "evidence/x"]
    assert [file_name(name, taken) for name in ("a.png", "b.png", "x")] == [
        "evidence/a-3.png", "evidence/b.png", "evidence/x-2",
    ]  # fmt: skip


def test_a_file_has_room_up_to_the_last_byte() -> None:
    used = {"files": MOST_FILES - 1, "case_bytes": CASE_BYTES - 1, "account_bytes": ACCOUNT_BYTES - 1}
    assert why_no_room(size=1, **used) is None
    for more, limit in used.items():
        refused = why_no_room(size=1, **(used | {more: limit + 1}))
        assert (more, refused.code if refused else None) == (more, Refusal.HELP_FILES_FULL)
    assert why_no_room(size=LARGEST_FILE, files=0, case_bytes=0, account_bytes=0) is None
    assert why_no_room(size=LARGEST_FILE + 1, files=0, case_bytes=0, account_bytes=0) is not None


def test_a_day_is_told_before_it_comes_and_the_end_of_a_letters_time_as_it_does() -> None:
    def day(ends: Moment, source: DueSource, *, all_day: bool = False) -> Deadline:
        title = Text("答复期满", "")
        return Deadline(deadline_id="d", at=ends.at, all_day=all_day, title=title, why=title, source=source)

    letter, rule = day(at(28), DueSource.OWN_LETTER), day(at(29), DueSource.PLATFORM_RULE)
    law = day(Moment(at(30, 23).at + 400 * DAY), DueSource.LAW, all_day=True)
    near = day(at(30, 23), DueSource.LAW, all_day=True)
    days = [law, letter, rule, day(at(26), DueSource.ADVICE)]
    told_at, after = [], NOW
    while (one := next_reminder(days, NOW, after)) is not None:
        told_at.append([reminder_subject(day, one).removeprefix("我的维权：") for day in due_now(days, NOW, one, one)])
        after = one
    morning = at(30, 9).at + 400 * DAY
    assert after == morning - DAY
    assert next_reminder([near], NOW, NOW) == at(29, 9).at
    assert [text for texts in told_at for text in texts] == [
        "答复期满，11 月 28 日 12:00，还剩 24 小时",
        "答复期满，11 月 28 日 12:00，还剩 3 小时",
        "答复期满。没有答复的，可以走下一步；有了答复，记一笔",
        "平台规则里的期限，11 月 29 日 12:00，还剩 24 小时",
        "平台规则里的期限，11 月 29 日 12:00，还剩 3 小时",
        "答复期满，1 月 4 日，还剩 30 天",
        "答复期满，1 月 4 日，还剩 1 天",
    ]
    assert due_now([rule], NOW, at(28).at, at(29).at) == []
    assert reminder_subject(rule, at(26).at).endswith("还剩 3 天")
