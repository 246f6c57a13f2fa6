"""The public figures as anyone may read them: charts with their tables, and the same as CSV."""

import csv
import re
from io import StringIO
from typing import Final

from litestar import Response, get

from kabao.figures import PublicFigures, Row, Section
from kabao.kernel import Refusal, Refused
from kabao.web.http import HEADERS, Page, PageRequest, enter, page, refusal_page, services_of

COLUMNS: Final = ("section", "key", "label", "cases", "value", "unit", "withheld", "computed_at")
"""The columns of /open.csv; their names and order stay as they are."""
MONTH: Final = re.compile(r"20[0-9]{2}-(?:0[1-9]|1[0-2])")
ROW_HEIGHT: Final = 44
WITHHELD: Final = "不公布"
"""Not how many there are: one may be withheld because it would tell a smaller one."""


@get("/open")
async def open_page(request: PageRequest) -> Page:
    """Show every public figure, of all cases or of those opened in a month."""
    visit = await enter(request)
    month = month_of(request)
    if month is None:
        return refusal_page(visit, Refused(Refusal.NOT_FOUND), back="/open", link="看公开数据")
    figures = await visit.services.figures.figures(month)
    return page("open.html", visit, figures=figures, charts={one.key: bars(one) for one in figures.sections}, told=told)


@get("/open.csv")
async def open_csv(request: PageRequest) -> Response[str]:
    """Hand out the figures as CSV, of all cases or of a month's; a withheld one has neither cases nor value."""
    month = month_of(request)
    if month is None:
        return Response("", status_code=404, media_type="text/csv", headers=HEADERS)
    figures = await services_of(request).figures.figures(month)
    name = f"open-{month}.csv" if month else "open.csv"
    return Response(
        csv_of(figures),
        media_type="text/csv",
        headers=HEADERS
        | {"cache-control": "public, max-age=60", "content-disposition": f'attachment; filename="{name}"'},
    )


def month_of(request: PageRequest) -> str | None:
    """Return the month asked for, empty for all cases; None for what is no month."""
    month = request.query_params.get("month", "")
    return month if not month or MONTH.fullmatch(month) else None


def csv_of(figures: PublicFigures) -> str:
    """Write figures as CSV with one line of column names."""
    text = StringIO()
    write = csv.writer(text, lineterminator="\n")
    write.writerow(COLUMNS)
    for section in figures.sections:
        for row in section.rows:
            is_withheld = "yes" if row.is_withheld else "no"
            numbers = ["" if number is None else number for number in (row.cases, row.value)]
            write.writerow(
                [
                    section.key,
                    row.key,
                    row.label,
                    *numbers,
                    row.unit,
                    is_withheld,
                    figures.at.isoformat(timespec="seconds"),
                ]
            )
    return text.getvalue()


def bars(section: Section) -> list[tuple[int, str, str, int]]:
    """Lay out a section's bars: top in pixels, label, value in words, width in percent of the longest.

    Withheld figures have no bar; a percentage is drawn as what it is.
    """
    shown = [row for row in section.rows if row.value is not None]
    longest = max((row.value or 0 for row in shown), default=0)
    full = 100 if all(row.unit == "percent" for row in shown) else longest
    return [
        (place * ROW_HEIGHT, row.label, told(row), 100 * (row.value or 0) // max(1, full))
        for place, row in enumerate(shown)
    ]


def told(row: Row) -> str:
    """Say a figure in words."""
    if row.value is None:
        return WITHHELD
    match row.unit:
        case "percent":
            return f"{row.value}%"
        case "minutes":
            days, rest = divmod(row.value, 24 * 60)
            hours, minutes = divmod(rest, 60)
            parts = ((days, "天"), (hours, "小时"), (minutes, "分钟"))
            return " ".join(f"{number} {unit}" for number, unit in parts if number) or "不到 1 分钟"
        case _:
            return f"{row.value:,} 件"


handlers = [open_page, open_csv]
