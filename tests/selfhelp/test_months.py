"""The days that matter as pages of a calendar."""

from helpstories import NOW, at, happened, told
from kabao.selfhelp import Happening, SentLetter, Story, To
from kabao.selfhelp.calendar import deadlines
from kabao.selfhelp.months import months


def test_a_page_of_the_calendar_shows_what_ends_on_which_day_and_what_is_only_advice() -> None:
    story = told(
        "key_invalid", events=(happened(Happening.DELIVERED, 14), happened(Happening.COMPLAINED, 15)),
        letters=(SentLetter(to=To.OFFICE, sent=at(24)),),
    )  # fmt: skip
    pages = months(story, deadlines(story, NOW), NOW)
    # Three years hence is on the list alone.
    assert [page.first.isoformat() for page in pages] == ["2026-11-01", "2026-12-01", "2027-02-01"]
    assert [len(page.weeks) for page in pages] == [6, 5, 4]
    cells = {cell.day: cell for week in pages[0].weeks for cell in week if cell}
    assert list(cells) == list(range(1, 31))
    assert pages[0].weeks[0][:6] == (None,) * 6
    assert {day: str(cells[day].mark) for day in (14, 24, 25, 26, 27, 30)} == {
        14: "paid", 24: "past", 25: "today", 26: "advice", 27: "plain", 30: "soon",
    }  # fmt: skip
    assert [one.deadline_id for one in cells[30].due] == ["stalling"]
    assert (cells[25].is_today, cells[26].is_today) == (True, False)
    later = {cell.day: str(cell.mark) for week in pages[1].weeks for cell in week if cell}
    assert {day: mark for day, mark in later.items() if mark != "plain"} == {3: "due"}


def test_a_case_without_a_day_to_come_has_the_month_it_is() -> None:
    [page] = months(Story(case_id="t", created_at=NOW), (), NOW)
    assert page.first.month == 11
