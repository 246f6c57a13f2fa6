"""What of the public figures may be published: nothing of fewer than twenty, nor what subtraction would tell."""

import csv
from datetime import UTC, datetime
from io import StringIO

from kabao.figures.openly import (
    KINDS,
    Counted,
    PublicFigures,
    Row,
    Section,
    months_of,
    published,
    published_months,
    sections_of,
)
from kabao.web.open_figures import COLUMNS, bars, csv_of, told


def section(key: str, *counted: Counted) -> Section:
    return next(one for one in sections_of(counted) if one.key == key)


def test_small_counts_are_withheld_and_the_next_smallest_where_they_could_be_reckoned() -> None:
    assert published({"a": 100, "b": 30, "c": 5}) == {"a": 100, "b": None, "c": None}
    assert published({"a": 100, "b": 30, "c": 12, "d": 12}) == {"a": 100, "b": 30, "c": None, "d": None}
    assert published({"a": 100, "b": 20}) == {"a": 100, "b": 20}
    assert published({"a": 5}) == {"a": None}
    assert published({}) == {}


def test_every_section_is_there_and_rows_stand_in_their_order() -> None:
    assert [one.key for one in sections_of([])] == list(KINDS)
    claims = section(
        "claims",
        Counted("claims", "other", 40, None),
        Counted("claims", "late", 30, None),
        Counted("claims", "new", 25, None),
    )
    assert [(row.key, row.label, row.value) for row in claims.rows] == [
        ("late", "发货超过了承诺的时间", 30),
        ("other", "其他问题", 40),
        ("new", "new", 25),
    ]


def test_a_rate_needs_twenty_cases_behind_it_and_not_in_it() -> None:
    wins = section("wins", Counted("wins", "full_refund", 18, None), Counted("wins", "no_refund", 3, None))
    assert [(row.cases, row.value) for row in wins.rows] == [(21, 85), (21, 14)]
    wins = section("wins", Counted("wins", "full_refund", 19, None))
    assert [(row.cases, row.value) for row in wins.rows] == [(None, None)]
    kept = section("deadlines", Counted("deadlines", "answer", 20, 19), Counted("deadlines", "panel", 19, 19))
    assert [(row.key, row.cases, row.value) for row in kept.rows] == [("answer", 20, 95), ("panel", None, None)]
    times = section("times", Counted("times", "end", 20, 3000), Counted("times", "first_answer", 0, None))
    assert [(row.key, row.value) for row in times.rows] == [("first_answer", None), ("end", 3000)]


def test_of_a_month_nothing_is_told_that_all_cases_less_the_other_months_would_tell() -> None:
    whole: dict[str, int | None] = {"late": 100, "dead": 90}
    assert published_months({("late", "10"): 50, ("late", "11"): 50}, whole) == {("late", "10"), ("late", "11")}
    # November has too few: who takes October and September from the whole would know how many.
    three = {("late", "09"): 30, ("late", "10"): 50, ("late", "11"): 5}
    assert published_months(three, whole) == {("late", "10")}
    # What is hidden in one line is hidden along the other, until nothing is left to be reckoned.
    table = three | {("dead", "09"): 25, ("dead", "10"): 40, ("dead", "11"): 25}
    assert published_months(table, whole) == {("late", "10"), ("dead", "09"), ("dead", "10")}
    assert published_months(table, whole | {"dead": None}) == {("late", "10")}
    assert published_months({("late", "11"): 5}, whole) == set()
    assert published_months({}, {}) == set()


def test_a_month_has_its_own_figures_from_twenty_cases_on() -> None:
    counted = [
        Counted("claims", "late", 70, None),
        Counted("claims", "late", 40, None, "2026-10"),
        Counted("claims", "late", 30, None, "2026-11"),
        Counted("wins", "full_refund", 50, None),
        Counted("wins", "full_refund", 30, None, "2026-10"),
        Counted("wins", "full_refund", 20, None, "2026-11"),
        Counted("wins", "no_refund", 10, None),
        Counted("wins", "no_refund", 10, None, "2026-10"),
        Counted("times", "end", 45, 100),
        Counted("times", "end", 30, 90, "2026-10"),
        Counted("times", "end", 15, 120, "2026-11"),
        Counted("elsewhere", "refunded", 30, None),
    ]
    assert months_of(counted) == ["2026-11", "2026-10"]
    assert months_of([Counted("claims", "late", 19, None, "2026-10"), Counted("claims", "late", 19, None)]) == []
    october = {one.key: one.rows for one in sections_of(counted, "2026-10")}
    assert "elsewhere" not in october
    assert [(row.cases, row.value) for row in october["claims"]] == [(40, 40)]
    assert [(row.cases, row.value) for row in october["wins"]] == [(40, 75), (40, 25)]
    # Fifteen ended in November: told of October, the whole would tell them.
    assert [(row.cases, row.value) for row in october["times"]] == [(None, None)]
    assert [(row.cases, row.value) for one in sections_of(counted) if one.key == "times" for row in one.rows] == [
        (45, 100)
    ]


def test_figures_are_said_in_words() -> None:
    def row(value: int | None, unit: str) -> Row:
        return Row(key="k", label="k", cases=value, value=value, unit=unit)

    assert told(row(None, "percent")) == "不公布"
    assert told(row(1234, "cases")) == "1,234 件"
    assert told(row(85, "percent")) == "85%"
    assert told(row(3000, "minutes")) == "2 天 2 小时"
    assert told(row(0, "minutes")) == "不到 1 分钟"


def test_a_figure_withheld_beside_a_small_one_is_not_called_small() -> None:
    claims = section("claims", Counted("claims", "late", 25, None), Counted("claims", "other", 3, None))
    assert {told(one) for one in claims.rows} == {"不公布"}


def test_bars_are_as_long_as_their_figures() -> None:
    claims = section("claims", Counted("claims", "late", 30, None), Counted("claims", "other", 60, None))
    assert [(label, width) for _, label, _, width in bars(claims)] == [("发货超过了承诺的时间", 50), ("其他问题", 100)]
    wins = section("wins", Counted("wins", "full_refund", 10, None), Counted("wins", "no_refund", 10, None))
    assert [width for *_, width in bars(wins)] == [50, 50]
    assert bars(section("claims", Counted("claims", "late", 3, None))) == []


def test_the_table_of_figures_keeps_its_columns_and_names_what_it_withholds() -> None:
    counted = [Counted("claims", "late", 30, None), Counted("wins", "full_refund", 3, None)]
    at = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
    rows = list(csv.reader(StringIO(csv_of(PublicFigures(at=at, sections=sections_of(counted))))))
    assert tuple(rows[0]) == COLUMNS == ("section", "key", "label", "cases", "value", "unit", "withheld", "computed_at")
    moment = "2026-03-02T09:30:00+00:00"
    assert rows[1:] == [
        ["claims", "late", "发货超过了承诺的时间", "30", "30", "cases", "no", moment],
        ["wins", "full_refund", "支持买家（全额退款）", "", "", "percent", "yes", moment],
    ]
