"""The page that checks terms: one text, or two together, pasted or as files; nothing of what was handed in is kept."""

from typing import Final, NamedTuple

from litestar import get, post

from kabao.terms import Finding, FindingClass, Kind
from kabao.terms.apart import is_between
from kabao.terms.commands import GIVES, TRICKS, label_of
from kabao.terms.spots import shown
from kabao.web.http import Page, PageRequest, enter, page
from kabao.web.pasted import BODY_LIMIT, LARGEST, LONGEST, TAKEN, Pasted, Sent, read_pasted

AROUND: Final = 40
"""Characters of the text shown before and after the words a finding is about."""
KINDS: Final = (
    (Kind.NOTICE.value, "店铺公告、售后说明"),
    (Kind.PAGE.value, "商品页"),
    (Kind.AGREEMENT.value, "用户协议、平台规则"),
    (Kind.CHAT.value, "客服聊天"),
)
USUAL: Final = (Kind.NOTICE, Kind.AGREEMENT)
LETTERS: Final = ("A", "B")
"""What two documents are called where findings name them."""
MOODS: Final = {
    FindingClass.VOID: "bad",
    FindingClass.HURDLE: "bad",
    FindingClass.CONFLICT: "warn",
    FindingClass.VAGUE: "warn",
    FindingClass.MISSING: "info",
}


class Shown(NamedTuple):
    """A finding with its words where they stand in the text, and whether it is one between two documents."""

    finding: Finding
    label: str
    mood: str
    before: str
    after: str
    is_between: bool


@get("/terms")
async def terms_page(request: PageRequest) -> Page:
    """Ask for a text."""
    return _page(Pasted(await enter(request), tuple(Sent(kind) for kind in USUAL)))


@post("/terms", status_code=200, request_max_body_size=BODY_LIMIT)
async def check_terms(request: PageRequest) -> Page:
    """Check what was sent and forget it."""
    pasted = await read_pasted(request, USUAL)
    return pasted.answered(_page(pasted)) if isinstance(pasted, Pasted) else pasted


def _page(pasted: Pasted) -> Page:
    found = pasted.checked
    texts = found.texts if found else ()
    return page(
        "terms.html",
        pasted.visit,
        status=pasted.status,
        private=True if pasted.checked or pasted.trouble else None,
        sent=pasted.sent,
        letters=LETTERS[: len(texts)] if len(texts) > 1 else ("",),
        kinds=KINDS,
        kind_names=dict(KINDS),
        longest=LONGEST,
        largest=LARGEST,
        taken=TAKEN,
        report=pasted.report,
        checked=found,
        found=[_shown(finding, texts[finding.document]) for finding in found.report.findings] if found else [],
        gives=GIVES,
        tricks=TRICKS,
        errors={name: said.zh for name, said in pasted.trouble.said().items()} if pasted.trouble else {},
    )


def _shown(finding: Finding, text: str) -> Shown:
    line_from = text.rfind("\n", 0, finding.start) + 1
    line_to = text.find("\n", finding.end)
    before = text[max(line_from, finding.start - AROUND) : finding.start]
    after = text[finding.end : min(len(text) if line_to < 0 else line_to, finding.end + AROUND)]
    is_placed = bool(finding.words)
    return Shown(
        finding=finding,
        label=label_of(finding.kind, is_sure=finding.is_sure),
        mood=MOODS[finding.kind],
        before=shown(before) if is_placed else "",
        after=shown(after) if is_placed else "",
        is_between=is_between(finding),
    )


handlers = [terms_page, check_terms]
