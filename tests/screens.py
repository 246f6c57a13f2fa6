"""What people do and see in a real Chromium in front of a clock town: forms sent, pages looked at, pictures kept."""

from http import HTTPStatus
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page

from clocktown import ClockTown
from town import rest_on

PHONE = 390
SCREENS = ((390, False), (390, True), (1280, False), (1280, True))
PICTURES = Path(__file__).parents[1] / "build" / "screens"


def send(page: Page, action: str, **fields: str) -> None:
    """Fill a form as a person does and send it with its own button; the form that goes to `action`."""
    page.evaluate("for (const folded of document.querySelectorAll('details')) folded.open = true")
    form = page.locator(f"form[action$='{action}']").locator("visible=true").first
    for name, value in fields.items():
        control = form.locator(f"[name='{name}']")
        if control.first.get_attribute("type") in {"radio", "checkbox"}:
            form.locator(f"[name='{name}'][value='{value}']").check(force=True)
        else:
            control.first.fill(value)
    if "facts" in fields:
        rest_on(form)
    press(page, form.locator("button[type=submit]").locator("visible=true").last)


def press(page: Page, button: Locator) -> None:
    """Press a button that leads to a page which is no refusal."""
    with page.expect_navigation(wait_until="load") as went:
        button.click()
    if (answer := went.value) is not None:
        said = page.locator("main").inner_text()[:1500]
        assert answer.status < HTTPStatus.BAD_REQUEST or answer.status == HTTPStatus.GONE, f"{answer.url}: {said}"


def look(town: ClockTown, page: Page, name: str, *words: str) -> None:
    """See a page as it stands on every screen: its words and its width; and keep the pictures.

    axe looks at the light page on a phone and at the dark one on a desk: each width and each theme once.
    """
    page.goto(page.url.partition("?")[0])
    size = page.viewport_size
    for width, dark in SCREENS:
        page.set_viewport_size({"width": width, "height": 844})
        seen(town, page, name, *words, dark=dark, with_axe=dark == (width > PHONE))
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(size or {"width": 390, "height": 844})


def seen(town: ClockTown, page: Page, name: str, *words: str, dark: bool = False, with_axe: bool = True) -> None:
    """See a page as it stands on the screen it is open on, in one theme, and keep the picture."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    width = (page.viewport_size or {"width": PHONE})["width"]
    page.emulate_media(color_scheme="dark" if dark else "light")
    told = page.locator("main").inner_text()
    for word in words:
        assert word in told, (name, word, told[:1500])
    assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"), (
        f"{name} scrolls sideways at {width}"
    )
    if with_axe:
        faults = [(one["id"], one["nodes"][0]["html"][:200]) for one in Axe().run(page).response["violations"]]
        assert faults == [], (name, faults)
    page.screenshot(path=PICTURES / f"{name}-{width}-{'dark' if dark else 'light'}.png", full_page=True)
    assert town.complaints == [], town.complaints


def glance(town: ClockTown, page: Page, path: str, name: str, *words: str, dark: bool = False) -> None:
    """Go to a page and see it on the screen it is open on, in one theme."""
    page.goto(path)
    seen(town, page, name, *words, dark=dark)
    page.emulate_media(color_scheme="light")


def paid(town: ClockTown, buyer: Page, listing: str) -> str:
    """Buy on a phone and pay at the custodian's page; returns the order's path."""
    buyer.goto(f"/buy/{listing}")
    for box in buyer.locator("input[name=notice]").all():
        box.check()
    press(buyer, buyer.locator(f"form[action$='/buy/{listing}'] button[type=submit]").locator("visible=true").first)
    order = buyer.url.removeprefix(town.origin).partition("?")[0]
    send(buyer, "/pay")
    press(buyer, buyer.locator("main form button[type=submit]").first)
    town.pass_time(seconds=1)
    return order


def bought(town: ClockTown, buyer: Page, listing: str) -> str:
    """Buy and open the key; returns the order's path."""
    order = paid(town, buyer, listing)
    buyer.goto(f"{order}/reveal")
    send(buyer, "/reveal")
    return order


def complained(town: ClockTown, buyer: Page, order: str, *, is_looked_at: bool = False) -> str:
    """Open a case on the order; returns the case's path."""
    town.pass_time(minutes=5)
    buyer.goto(f"{order}/problem")
    if is_looked_at:
        seen(town, buyer, "problem-claim", "全额退款")
    send(buyer, "/problem", claim="already_used", demand="full_refund")
    if is_looked_at:
        seen(town, buyer, "problem-forecast", "估计", dark=True)
    send(buyer, "/problem", statement="拆封后五分钟激活，提示已被使用。要求全额退款。")
    return buyer.url.removeprefix(town.origin).partition("?")[0]
