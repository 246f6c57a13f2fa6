"""Takes the screenshots of docs/screenshots/ from a demo market made for it, with Debian's Chromium.

Usage: screenshots.py [FOLDER]. The folder gets NAME-WIDTH-THEME.png for the main pages.
"""

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

PORT = 8399
ORIGIN = f"http://127.0.0.1:{PORT}"
CHROMIUM = "/usr/bin/chromium"
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync", "--no-first-run")
LINK = re.compile(r"^\s+(buyer|merchant|support|operator)\s+(\S+)", re.MULTILINE)
STAFF = re.compile(r"^\s+(\S+)\s+(\S+)\s+otpauth://", re.MULTILINE)
KABAO = str(Path(sys.executable).with_name("kabao"))
START_SECONDS = 60
TAKE_BACK_SECONDS = 14
"""How long a ruling may be taken back, and a little more until it is made known."""


@contextmanager
def demo(folder: Path) -> Iterator[str]:
    """Serve a new demo market and yield what it printed."""
    said = folder / "said"
    with said.open("wb") as out:
        process = subprocess.Popen(  # noqa: S603  the program beside this interpreter
            [KABAO, "demo", "--data", str(folder / "data"), "--port", str(PORT)], stdout=out
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while "otpauth://" not in said.read_text("utf-8"):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("the demo did not start")
            time.sleep(0.2)
        time.sleep(1)
        yield said.read_text("utf-8")
    finally:
        process.terminate()
        process.wait(30)


class Camera:
    """Takes each page at the widths and themes asked for."""

    def __init__(self, chromium: Browser, printed: str, folder: Path, data: Path) -> None:
        self.chromium = chromium
        # The first of each role: the second buyer and the other merchants stand below.
        self.links = dict(reversed(LINK.findall(printed)))
        self.staff = dict(STAFF.findall(printed))
        self.folder = folder
        self.data = data

    def person(self, role: str | None, *, width: int = 390, dark: bool = False) -> Page:
        """Open a browser, signed in by the role's link where there is one left."""
        page = self.chromium.new_context(
            base_url=ORIGIN,
            viewport={"width": width, "height": 844 if width < 1000 else 800},  # noqa: PLR2004  a desktop's width
            device_scale_factor=1.5 if width < 1000 else 1,  # noqa: PLR2004  a desktop's width
            color_scheme="dark" if dark else "light",
            locale="zh-CN",
        ).new_page()
        if role is not None:
            page.goto(self.links[role])
            page.locator("main form button[type=submit]").click()
        return page

    def take(self, page: Page, name: str, path: str | None = None) -> None:
        """Go there and keep the picture; the bottom bar is put at the end of the long page."""
        if path is not None:
            page.goto(path)
        size = page.viewport_size or {"width": 390, "height": 844}
        page.set_viewport_size({"width": size["width"], "height": int(page.evaluate("document.body.scrollHeight"))})
        dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
        page.screenshot(path=self.folder / f"{name}-{size['width']}-{'dark' if dark else 'light'}.png", full_page=True)
        page.set_viewport_size(size)

    def check_staff(self, page: Page) -> None:
        """Pass the staff check with the password and the code of the moment."""
        name, password = next(iter(self.staff.items()))
        code = subprocess.run(  # noqa: S603  the program beside this interpreter
            [KABAO, "staff", "code", "--data", str(self.data), "--account", name],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        page.goto("/desk")
        page.get_by_label("密码").fill(password)
        page.get_by_label("动态码").fill(code)
        page.locator("main form button[type=submit]").click()


def first_link(page: Page, prefix: str) -> str:
    """Return the first link of the page that begins so."""
    return page.locator(f'a[href^="{prefix}"]').first.get_attribute("href") or prefix


def heading(page: Page, path: str) -> str:
    """Open a page and return its heading."""
    page.goto(path)
    return page.locator("h1").first.inner_text()


def shoot(camera: Camera) -> None:
    """Take the main pages."""
    for width, dark in ((390, False), (1280, True)):
        stranger = camera.person(None, width=width, dark=dark)
        camera.take(stranger, "home", "/")
        camera.take(stranger, "listing", first_link(stranger, "/i/"))
    buyer = camera.person("buyer")
    buyer.goto("/")
    camera.take(buyer, "buy", first_link(buyer, "/i/").replace("/i/", "/buy/"))
    camera.take(buyer, "orders", "/o")
    case = ""
    orders = [link.get_attribute("href") or "" for link in buyer.locator('a[href^="/o/"]').all()]
    for order in dict.fromkeys(orders):
        title = heading(buyer, order)
        if "等你拆封" in title:
            camera.take(buyer, "order-sealed")
        elif "好用再确认" in title:
            camera.take(buyer, "order-opened")
        elif "纠纷" in title:
            case = first_link(buyer, "/c/")
            camera.take(buyer, "case", case)
    merchant = camera.person("merchant", width=1280)
    camera.take(merchant, "merchant", "/m")
    shop = first_link(merchant, "/m/").split("/")[2]
    merchant.goto(f"/m/{shop}/listings")
    keys = merchant.locator('a[href$="/keys"]').first.get_attribute("href") or "/m"
    camera.take(merchant, "import", keys)
    desk = camera.person("support", width=1280)
    camera.check_staff(desk)
    camera.take(desk, "desk", first_link(desk, "/desk/"))
    rule(buyer, desk, case)
    camera.take(buyer, "ruling", f"{case}/ruling")


def rule(buyer: Page, desk: Page, case: str) -> None:
    """Call support into a case, rule on it, and wait until both sides may read it."""
    buyer.goto(case)
    buyer.locator('form[action$="/escalate"] button:visible').click()
    place = case.replace("/c/", "/desk/")
    desk.goto(place)
    token = {"csrf_token": desk.locator('input[name="csrf_token"]').first.get_attribute("value") or ""}
    shares = {"share_buyer": "20", "share_merchant": "80", "share_platform": "0"}
    view = token | shares | {"outcome": "partial_refund", "refund": "60", "sentence": "先看激活记录。"}
    words = {
        "facts": "拆封记录和对话写明，拆封后马上提示已被使用；商家没有说明这张卡从哪里来。",
        "reasons": "商家没有证明交付时没被用过；买家隔天才说，担一小部分。",
        "differs_reason": "买家隔天才说，扩大了一部分损失。",
    }
    for path, form in ((f"{place}/first-view", view), (f"{place}/rule", view | words | {"step": "sure"})):
        answer = desk.request.post(path, form={**form})
        if not answer.ok:
            raise SystemExit(f"{path}: {answer.status}")
    time.sleep(TAKE_BACK_SECONDS)
    buyer.goto(f"{case}/ruling")


def main() -> None:
    """Make the demo, take the pictures, put the demo away."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="kabao-shots-") as scratch,
        demo(Path(scratch)) as printed,
        sync_playwright() as driver,
    ):
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        shoot(Camera(chromium, printed, folder, Path(scratch) / "data"))
        chromium.close()


if __name__ == "__main__":
    main()
