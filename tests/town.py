"""A served kabao on a data folder of its own, and phones with a real Chromium."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Playwright, expect, sync_playwright

from program import Serving, begin, kabao

CHROMIUM = "/usr/bin/chromium"
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
expect.set_options(timeout=30_000)  # a build machine may stand still for a while
CODE = re.compile(r"\b(\d{6})\b")


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    # Not for the session: while it is open, this thread has a running loop and no asyncio test can start its own.
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="module")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
    yield browser
    browser.close()


@dataclass
class Town:
    """The served program and everybody's phone."""

    serving: Serving
    data: Path
    chromium: Browser
    contexts: list[BrowserContext] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def phone(self, *, width: int = 390, dark: bool = False, script: bool = True) -> Page:
        context = self.chromium.new_context(
            base_url=self.serving.origin,
            viewport={"width": width, "height": 844},
            color_scheme="dark" if dark else "light",
            java_script_enabled=script,
            locale="zh-CN",
        )
        context.set_default_timeout(20_000)
        self.contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: self._heard(message.type, message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return page

    def sign_in(self, page: Page, phone: str) -> None:
        """Sign in as a person does, with the code from the server's terminal."""
        page.goto("/sign-in")
        page.get_by_label("手机号").fill(phone)
        page.get_by_role("button", name="获取验证码").click()
        page.get_by_label("验证码").fill(self.code_for(phone))
        page.get_by_role("button", name="登录").click()
        page.wait_for_url(lambda url: "/sign-in" not in url)

    def code_for(self, phone: str) -> str:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            for line in reversed(self.serving.output.splitlines()):
                if phone[-4:] in line and (found := CODE.search(line)):
                    return found[1]
            time.sleep(0.1)
        raise AssertionError(f"no code for a phone ending in {phone[-4:]} was printed")

    def staff_code(self, account: str) -> str:
        said = kabao("staff", "code", "--data", self.data, "--account", account)
        found = CODE.search(said.stdout)
        assert found is not None, said.stdout + said.stderr
        return found[1]

    def _heard(self, kind: str, text: str) -> None:
        if kind == "error" and "404" not in text:
            self.complaints.append(text)


@pytest.fixture
def town(tmp_path: Path, chromium: Browser) -> Iterator[Town]:
    serving = begin("serve", tmp_path / "data", tmp_path)
    people = Town(serving, tmp_path / "data", chromium)
    try:
        yield people
        assert people.complaints == []
    finally:
        for context in people.contexts:
            context.close()
        serving.stop()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, chromium: Browser) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("demo")
    serving = begin("demo", folder / "data", folder)
    people = Town(serving, folder / "data", chromium)
    try:
        yield people
    finally:
        for context in people.contexts:
            context.close()
        serving.stop()


def rest_on(form: Locator, article: str = "29") -> None:
    """Answer each point of the parties on the form of a ruling, and name an article."""
    for take in form.locator("select[name^='take_']").all():
        take.select_option("not_decisive")
    for why in form.locator("input[name^='why_']").all():
        why.fill("见理由。")
    form.locator("[name='article_1']").fill(article)
