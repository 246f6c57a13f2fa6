"""A ruling on a page and as files: to those it concerns, and before it is handed in to who writes it."""

import re
from datetime import datetime
from typing import Final

from litestar import Response, get
from litestar.params import FromPath
from markupsafe import Markup, escape

from kabao.cases import Rule
from kabao.cases.words import WHO
from kabao.dossier import RulingSheet, RulingState
from kabao.dossier.receipts import ReceiptFile
from kabao.identity import Act, Person
from kabao.kernel import Refusal, Refused
from kabao.web.http import HEADERS, Page, PageRequest, Visit, own_ref, page, redirect, refusal_page, signed
from kabao.web.render import render
from kabao.web.services import Services
from kabao.web.words import OUTSIDE

STATES: Final = {
    RulingState.ISSUED: ("等复核期满", "info", "gavel"),
    RulingState.UNDER_REVIEW: ("复核中", "info", "scale"),
    RulingState.UPHELD: ("复核维持", "ok", "check"),
    RulingState.CHANGED: ("复核改判", "warn", "scale"),
    RulingState.WAITING: ("等钱到位", "warn", "clock"),
    RulingState.EXECUTED: ("已执行", "ok", "check"),
    RulingState.CHARGED_BACK: ("没有执行", "warn", "landmark"),
}
"""What became of a ruling: words, mood, icon."""
MEDIA: Final = {"pdf": "application/pdf", "json": "application/json", "sig": "text/plain; charset=utf-8"}
NAMED: Final = re.compile(
    r"(?P<item>(?:证据\s*|(?<![A-Za-z0-9])E)(?P<no>\d{1,3})(?!\d))|细则》?\s*(?P<article>第\s*(?P<number>\d{1,3})\s*条)"
)
"""What people's words name: an item of evidence, or an article of the rulebook."""
LONGEST_NO: Final = 4


@get("/cases/{ref:str}/ruling")
async def other_spelling(request: PageRequest, ref: FromPath[str]) -> Page:
    """Send the longer address to the page itself."""
    no = asked_no(request)
    return redirect(f"/c/{own_ref(ref)}/ruling" + (f"?no={no}" if no else ""))


@get("/c/{ref:str}/ruling")
async def ruling_page(request: PageRequest, ref: FromPath[str]) -> Page:
    """Show a ruling, the latest unless another is asked for."""
    visit = await signed(request)
    if not isinstance(visit, Visit):
        return visit
    shown = await visit.services.archive.rulings.ruling(visit.me, ref, asked_no(request))
    if isinstance(shown, Refused):
        return _refused(visit, ref, shown)
    return page(
        "ruling.html",
        visit,
        r=shown,
        s=shown.sheet,
        c=shown.case,
        has_precedents=await visit.services.precedents.has_like(shown.case.claim),
        states=STATES,
        who=WHO,
        outside=OUTSIDE,
        linked=linked,
        may=frozenset(str(action) for action in shown.case.allowed),
        signer=visit.services.pack_keys.signers[0],
    )


@get(["/c/{ref:str}/ruling.pdf", "/cases/{ref:str}/ruling.pdf"])
async def ruling_pdf(request: PageRequest, ref: FromPath[str]) -> Page:
    """Give a ruling as a PDF."""
    return await _file(request, ref, "pdf")


@get(["/c/{ref:str}/ruling.json", "/cases/{ref:str}/ruling.json"])
async def ruling_document(request: PageRequest, ref: FromPath[str]) -> Page:
    """Give a ruling as canonical JSON."""
    return await _file(request, ref, "json")


@get(["/c/{ref:str}/ruling.sig", "/cases/{ref:str}/ruling.sig"])
async def ruling_signature(request: PageRequest, ref: FromPath[str]) -> Page:
    """Give the signature over a ruling's JSON and PDF."""
    return await _file(request, ref, "sig")


async def ruling_preview(services: Services, staff: Person, ref: str, wish: Rule, now: datetime) -> Markup | Refused:
    """Draw what both parties would read if a ruling were handed in as it stands.

    Refuses NOT_FOUND, NOT_ALLOWED (a party), FIRST_VIEW_NEEDED.
    """
    sheet = await services.archive.rulings.preview(staff, ref, wish)
    if isinstance(sheet, Refused):
        return sheet
    drawn = render("_ruling_preview.html", now=now, s=sheet, who=WHO, linked=linked, outside=OUTSIDE)
    return Markup(drawn)  # noqa: S704  our own template, which escapes


def linked(text: str, sheet: RulingSheet) -> Markup:
    """Turn the evidence and the articles that a text names into links; everything else stays text."""
    items = {item.no: item.item_id for item in sheet.items}
    parts: list[str] = []
    end = 0
    for found in NAMED.finditer(text):
        kind, href = "", ""
        if found["item"] and int(found["no"]) in items:
            kind, href = "item", f"/o/{sheet.order_ref}/files/{items[int(found['no'])]}"
        elif found["article"] and sheet.version:
            kind, href = "article", f"/rules/{sheet.version}#r{int(found['number'])}"
        if href:
            parts += [escape(text[end : found.start(kind)]), Markup('<a href="{}">{}</a>').format(href, found[kind])]
            end = found.end(kind)
    return Markup("").join([*parts, escape(text[end:])])


def asked_no(request: PageRequest) -> int | None:
    """Read which ruling is asked for; None for the latest, and for what is no number."""
    text = request.query_params.get("no", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= LONGEST_NO else None


async def _file(request: PageRequest, ref: str, ending: str) -> Page:
    visit = await signed(request)
    if not isinstance(visit, Visit):
        return visit
    # Whoever may not see it is told so before being told that he asks too often.
    case = await visit.services.cases.case(visit.me, ref)
    if isinstance(case, Refused):
        return _refused(visit, ref, case)
    if not await visit.services.identity.may(Act.PRINT_RULING, visit.me.account_id):
        return _refused(visit, ref, Refused(Refusal.TOO_MANY_TRIES))
    files = await visit.services.archive.rulings.files(visit.me, ref, asked_no(request))
    if isinstance(files, Refused):
        return _refused(visit, ref, files)
    found: ReceiptFile = {"pdf": files.pdf, "json": files.document, "sig": files.signature}[ending]
    return Response(
        found.content,
        media_type=MEDIA[ending],
        headers=HEADERS
        | {"content-disposition": f'attachment; filename="{found.name}"', "cache-control": "private, no-store"},
    )


def _refused(visit: Visit, ref: str, refused: Refused) -> Page:
    if refused.code is Refusal.FIRST_VIEW_NEEDED:
        return refusal_page(visit, refused, back=f"/desk/{own_ref(ref)}", link="去写初步意见")
    return refusal_page(visit, refused, back=f"/c/{own_ref(ref)}", link="回到纠纷")


handlers = [other_spelling, ruling_page, ruling_pdf, ruling_document, ruling_signature]
