"""A ruling in each of its states on a phone and on a desk, light and dark: axe finds nothing, nothing scrolls sideways.

The application runs in this process, so that its clock can be moved: a ruling waits seven days.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, Route, async_playwright

from browser import Browser as Person
from kabao.postgres import Database
from quarrel import FULL, PART, Quarrel, quarrel
from town import CHROMIUM, QUIET

pytestmark = pytest.mark.browser
LIGHT_PHONE = ((390, False), (1280, True))
DARK_PHONE = ((390, True), (1280, False))


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield browser
        await browser.close()


async def window(browser: Browser, person: Person, *, width: int, dark: bool) -> Page:
    """Open a window whose every request the application in this process answers."""
    context = await browser.new_context(
        base_url="http://testserver",
        viewport={"width": width, "height": 844},
        color_scheme="dark" if dark else "light",
        locale="zh-CN",
    )

    async def answer(route: Route) -> None:
        where = urlsplit(route.request.url)
        got = await person.client.get(f"{where.path}?{where.query}" if where.query else where.path)
        await route.fulfill(status=got.status_code, headers=dict(got.headers), body=got.content)

    await context.route("**/*", answer)
    return await context.new_page()


async def faults(
    browser: Browser, person: Person, path: str, looks: tuple[tuple[int, bool], ...] = LIGHT_PHONE
) -> list[tuple[str, str, str]]:
    """Look at a page, with all there is to unfold; returns what is wrong with it."""
    found = []
    for width, dark in looks:
        page = await window(browser, person, width=width, dark=dark)
        answer = await page.goto(path)
        assert answer is not None
        assert answer.status == 200, path
        for summary in await page.locator("summary").all():
            await summary.click()
        checked = await Axe().run(page)
        found += [(path, one["id"], one["nodes"][0]["html"][:200]) for one in checked.response["violations"]]
        if await page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            found.append((path, "scrolls sideways", str(width)))
        await page.context.close()
    return found


async def in_every_state(browser: Browser, case: Quarrel) -> AsyncIterator[list[tuple[str, str, str]]]:
    address = f"/c/{case.ref}/ruling"
    await case.ruled(PART)
    yield await faults(browser, case.buyer, address, LIGHT_PHONE + DARK_PHONE)
    await case.review_asked()
    yield await faults(browser, case.merchant, address, DARK_PHONE)
    await case.ruled(FULL, "复核员一")
    yield await faults(browser, case.buyer, address)
    yield await faults(browser, case.merchant, f"{address}?no=1")


async def test_axe_finds_nothing_on_a_ruling_in_any_state(database: Database, tmp_path: Path) -> None:
    async with chromium() as browser, quarrel(database, tmp_path) as case:
        assert [fault async for found in in_every_state(browser, case) for fault in found] == []


async def test_axe_finds_nothing_on_a_ruling_that_waits_for_money(database: Database, tmp_path: Path) -> None:
    async with chromium() as browser, quarrel(database, tmp_path, released=True) as case:
        await case.ruled(PART)
        await case.later()
        assert await faults(browser, case.buyer, f"/c/{case.ref}/ruling", DARK_PHONE[:1]) == []
