"""The start page of a demo market: everybody who can be walked as. No other market has one; its address is secret."""

from litestar import get
from litestar.params import FromPath

from kabao.identity import CASE_ROLES, Role
from kabao.kernel import Refusal, Refused
from kabao.web.http import Page, PageRequest, enter, page, redirect, refusal_page

GROUPS = (
    ("买家", (Role.BUYER,)),
    ("商家", (Role.MERCHANT,)),
    ("客服、争议组、值班长", tuple(CASE_ROLES)),
    ("运营", (Role.OPERATOR,)),
)


@get("/demo/{key:str}")
async def demo_page(request: PageRequest, key: FromPath[str]) -> Page:
    """Show everybody, with what staff need to get in, and where payments were made."""
    visit = await enter(request)
    door = visit.services.demo
    if door is None or not door.opens(key):
        return refusal_page(visit, Refused(Refusal.NOT_FOUND))
    roles = await door.roles()
    groups = [
        (title, [one for one in roles if one.role in among], not CASE_ROLES.isdisjoint(among))
        for title, among in GROUPS
    ]
    return page("demo.html", visit, private=True, key=key, groups=groups, payments=await door.payments())


@get("/demo/{key:str}/{number:int}")
async def enter_as(request: PageRequest, key: FromPath[str], number: FromPath[int]) -> Page:
    """Lead to a sign-in link made for one of them this moment."""
    visit = await enter(request)
    door = visit.services.demo
    path = await door.link(number) if door is not None and door.opens(key) else None
    return refusal_page(visit, Refused(Refusal.NOT_FOUND)) if path is None else redirect(path)


handlers = [demo_page, enter_as]
