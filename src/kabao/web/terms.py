"""The page that checks terms: paste a text, read what is void, open, contradictory or missing; nothing is kept."""

from typing import Final, NamedTuple

from litestar import get, post

from kabao.terms import Finding, FindingClass, Kind
from kabao.terms.commands import GIVES, SHOWN, TRICKS
from kabao.web.http import Page, PageRequest, enter, page
from kabao.web.pasted import LONGEST, TOO_OFTEN, Pasted, Problem, read_pasted

AROUND: Final = 40
"""Characters of the text shown before and after the words a finding is about."""
MOST: Final = 200
"""Findings that one page shows; a text that has more is mended and sent again."""
KINDS: Final = (
    (Kind.NOTICE.value, "店铺公告、售后说明"),
    (Kind.PAGE.value, "商品页"),
    (Kind.AGREEMENT.value, "用户协议、平台规则"),
    (Kind.CHAT.value, "客服聊天"),
)
PROBLEMS: Final = {
    Problem.EMPTY: {"text": "先把条款贴进来。"},
    Problem.TOO_LONG: {"text": f"最多 {LONGEST} 个字。长的分几次贴，或者用命令行：kabao terms check 文件。"},
    Problem.TOO_OFTEN: {"": TOO_OFTEN.zh},
}
MOODS: Final = {
    FindingClass.VOID: "bad",
    FindingClass.HURDLE: "bad",
    FindingClass.CONFLICT: "warn",
    FindingClass.VAGUE: "warn",
    FindingClass.MISSING: "info",
}


class Shown(NamedTuple):
    """A finding with its words where they stand in the text."""

    finding: Finding
    label: str
    mood: str
    before: str
    after: str


@get("/terms")
async def terms_page(request: PageRequest) -> Page:
    """Ask for a text."""
    return _page(Pasted(await enter(request), "", Kind.NOTICE))


@post("/terms", status_code=200)
async def check_terms(request: PageRequest) -> Page:
    """Check the text that was sent and forget it."""
    pasted = await read_pasted(request, Kind.NOTICE)
    return _page(pasted) if isinstance(pasted, Pasted) else pasted


def _page(pasted: Pasted) -> Page:
    report = pasted.report
    return page(
        "terms.html",
        pasted.visit,
        status=pasted.status,
        private=True if pasted.text else None,
        text=pasted.text,
        kind=pasted.kind,
        kinds=KINDS,
        longest=LONGEST,
        most=MOST,
        report=report,
        found=[_shown(finding, pasted.text) for finding in report.findings[:MOST]] if report else [],
        gives=GIVES,
        tricks=TRICKS,
        errors=PROBLEMS[pasted.problem] if pasted.problem else {},
    )


def _shown(finding: Finding, text: str) -> Shown:
    line_from = text.rfind("\n", 0, finding.start) + 1
    line_to = text.find("\n", finding.end)
    before = text[max(line_from, finding.start - AROUND) : finding.start]
    after = text[finding.end : min(len(text) if line_to < 0 else line_to, finding.end + AROUND)]
    is_placed = bool(finding.words)
    return Shown(
        finding=finding,
        label=SHOWN[finding.kind.value],
        mood=MOODS[finding.kind],
        before=before if is_placed else "",
        after=after if is_placed else "",
    )


handlers = [terms_page, check_terms]
