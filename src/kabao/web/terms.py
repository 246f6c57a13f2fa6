"""The page that checks terms: paste a text, read what is void, open, contradictory or missing; nothing is kept."""

import asyncio
from typing import Final, NamedTuple

from litestar import get, post

from kabao.identity import Act
from kabao.kernel import Refusal, Refused
from kabao.terms import Document, Finding, FindingClass, Kind, Report, check
from kabao.terms.commands import GIVES, SHOWN, TRICKS
from kabao.web.http import (
    Page,
    PageRequest,
    Visit,
    enter,
    is_large,
    is_own_form,
    page,
    read_form,
    stale_page,
)

LONGEST: Final = 20_000
"""Characters; as a form sends them they stay below what a stranger may send."""
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
TOO_LONG: Final = f"最多 {LONGEST} 个字。长的分几次贴，或者用命令行：kabao terms check 文件。"
EMPTY: Final = "先把条款贴进来。"
TOO_OFTEN: Final = Refused(Refusal.TOO_MANY_TRIES)
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
    return _page(await enter(request))


@post("/terms", status_code=200)
async def check_terms(request: PageRequest) -> Page:
    """Check the text that was sent and forget it."""
    visit = await enter(request)
    if is_large(request):
        return _page(visit, errors={"text": TOO_LONG}, status=422)
    visit.form = await read_form(request)
    if not is_own_form(visit):
        return stale_page(visit)
    # A browser sends each line end as two characters; places are told in one.
    text = visit.form.raw("text").replace("\r\n", "\n")
    kind = Kind(visit.form.text("kind")) if visit.form.text("kind") in set(Kind) else Kind.NOTICE
    wrong = EMPTY if not text.strip() else TOO_LONG if len(text) > LONGEST else ""
    if wrong:
        return _page(visit, text=text[:LONGEST], kind=kind, errors={"text": wrong}, status=422)
    who = "net:" + visit.visitor.network if visit.signed_in is None else visit.me.account_id
    if not await visit.services.identity.may(Act.CHECK_TERMS, who):
        return _page(visit, text=text, kind=kind, errors={"": TOO_OFTEN.zh}, status=TOO_OFTEN.status)
    report = await asyncio.to_thread(check, [Document(text, kind)], waivers=False)
    return _page(visit, text=text, kind=kind, report=report)


def _page(
    visit: Visit,
    *,
    text: str = "",
    kind: Kind = Kind.NOTICE,
    report: Report | None = None,
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> Page:
    return page(
        "terms.html",
        visit,
        status=status,
        private=bool(text),
        text=text,
        kind=kind,
        kinds=KINDS,
        longest=LONGEST,
        most=MOST,
        report=report,
        found=[_shown(finding, text) for finding in report.findings[:MOST]] if report else [],
        gives=GIVES,
        tricks=TRICKS,
        errors=errors or {},
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
