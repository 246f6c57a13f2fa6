"""axe finds nothing on the main pages, light and dark, on a phone and on a desk; nothing scrolls sideways at 320 px."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from town import Town

pytestmark = pytest.mark.browser

LINK = re.compile(r"^\s+(buyer|merchant|support|operator)\s+(\S+)", re.MULTILINE)


@pytest.fixture(scope="module")
def links(demo: Town) -> dict[str, str]:
    return dict(reversed(LINK.findall(demo.serving.output)))


@pytest.fixture(scope="module")
def sessions(demo: Town, links: dict[str, str]) -> dict[str, list[dict[str, object]]]:
    """Everybody's cookies: a link signs in once, every width and theme needs it."""
    kept: dict[str, list[dict[str, object]]] = {"": []}
    for role in ("buyer", "merchant"):
        page = demo.phone()
        page.goto(links[role])
        page.locator("main form button[type=submit]").click()
        kept[role] = [dict(cookie) for cookie in page.context.cookies()]
    return kept


def pages_of(page: Page, role: str) -> list[str]:
    """The pages a person of this role comes to, found by following the links of the first ones."""
    starts = {
        "": [
            "/",
            "/sign-in",
            "/rules",
            "/rules/versions",
            "/open",
            "/precedents",
            "/rules/proposals",
            "/log/",
            "/terms",
            "/check",
            "/help-me",
        ],
        "buyer": ["/o", "/messages", "/me", "/me/notices", "/rules/proposals/new"],
        "merchant": ["/m", "/m/shops/new"],
    }[role]
    wanted = {"": r"^/(i|s)/", "buyer": r"^/(o|c|i)/", "merchant": r"^/(m|c|o)/"}[role]
    found = list(starts)
    for start in starts:
        page.goto(start)
        for link in page.locator("a[href^='/']").all():
            href = link.get_attribute("href") or ""
            if re.match(wanted, href) and href not in found:
                found.append(href)
    extra = [f"{path.replace('/i/', '/buy/')}" for path in found if role == "buyer" and path.startswith("/i/")][:1]
    return found[:14] + extra


@pytest.mark.parametrize("role", ["", "buyer", "merchant"])
@pytest.mark.parametrize(("width", "dark"), [(390, False), (390, True), (1280, False), (1280, True)])
def test_axe_finds_nothing(
    demo: Town,
    sessions: dict[str, list[dict[str, object]]],
    role: str,
    width: int,
    dark: bool,  # noqa: FBT001
) -> None:
    page = demo.phone(width=width, dark=dark)
    page.context.add_cookies(sessions[role])  # type: ignore[arg-type]
    faults = []
    for path in pages_of(page, role):
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 200, path
        faults += [
            (path, violation["id"], violation["nodes"][0]["html"][:200])
            for violation in Axe().run(page).response["violations"]
        ]
    assert faults == []
    assert demo.complaints == []


@pytest.mark.parametrize("role", ["", "buyer", "merchant"])
def test_nothing_scrolls_sideways_on_a_small_phone(
    demo: Town, sessions: dict[str, list[dict[str, object]]], role: str
) -> None:
    page = demo.phone(width=320)
    page.context.add_cookies(sessions[role])  # type: ignore[arg-type]
    wide = []
    for path in pages_of(page, role):
        page.goto(path)
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            wide.append(path)
    assert wide == []
