"""Addresses that only take forms, opened again by hand or from the history: each leads to the page its form is on."""

from typing import Final
from urllib.parse import quote

from litestar import get
from litestar.params import FromPath

from kabao.web.http import Page, own_ref, redirect

CASE_FORMS: Final = ("say", "refuse", "escalate", "reply", "review")
DESK_FORMS: Final = (
    "say",
    "rule",
    "draft",
    "first-view",
    "ask",
    "withdraw-question",
    "vote",
    "pass-on",
    "route-out",
    "route-back",
    "take-back",
    "recuse",
)


@get(["/sign-in/code", "/sign-out"])
async def to_sign_in() -> Page:
    """Lead back to the sign-in page, which sends those who are signed in on."""
    return redirect("/sign-in")


@get(["/o/{ref:str}/pay", "/o/{ref:str}/cancel", "/o/{ref:str}/say"])
async def to_order(ref: FromPath[str]) -> Page:
    """Lead back to the order."""
    return redirect("/o/" + own_ref(ref))


@get(
    [
        "/c/{ref:str}/say",
        "/c/{ref:str}/refuse",
        "/c/{ref:str}/escalate",
        "/c/{ref:str}/reply",
        "/c/{ref:str}/review",
    ]
)
async def to_case(ref: FromPath[str]) -> Page:
    """Lead back to the case."""
    return redirect("/c/" + own_ref(ref))


@get([f"/desk/{{ref:str}}/{form}" for form in DESK_FORMS])
async def to_desk(ref: FromPath[str]) -> Page:
    """Lead back to the case on the desk."""
    return redirect("/desk/" + own_ref(ref))


@get("/m/{shop:str}/listings/{ref:str}/pause")
async def to_listing(shop: FromPath[str], ref: FromPath[str]) -> Page:
    """Lead back to the listing's editor."""
    return redirect(f"/m/{quote(shop, safe='')}/listings/{own_ref(ref)}")


handlers = [to_sign_in, to_order, to_case, to_desk, to_listing]
