"""A served kabao whose clock a test moves, and people of every role with a real Chromium.

The application, its database and the server live on a thread of their own, so that the browser's driver has this one.
No job runs by itself: `pass_time` moves the clock and runs each job once, as often as a test says.
"""

import asyncio
import os
import re
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import asyncpg
import msgspec
import pyotp
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page

from kabao.identity import Role
from kabao.kernel import FixedClock, Refused
from kabao.orders import SweepService
from kabao.postgres import APP_ROLE, OWNER_ROLE, EmbeddedServer, open_pool
from kabao.wiring import Settings, Workers, build, create_asgi, take_port
from pages import Postbox, Site

T = TypeVar("T")
SECONDS = 60
PASSWORD = "correct horse battery"
NOT_THERE = re.compile(r"status of (?:404|410|422)")
"""What a browser says of an answer that is a page all the same."""
BEGINS = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@dataclass
class ClockTown:
    """The served site, its clock, its browsers."""

    site: Site
    clock: FixedClock
    origin: str
    chromium: Browser
    loop: asyncio.AbstractEventLoop
    contexts: list[BrowserContext] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    keys: dict[str, pyotp.TOTP] = field(default_factory=dict)
    sweep: SweepService = field(init=False)

    def __post_init__(self) -> None:
        self.sweep = SweepService(database=self.site.app.database, clock=self.clock, monotonic=self._seconds)

    def _seconds(self) -> float:
        return self.clock.at.timestamp()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something on the server's own thread."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(SECONDS)

    def pass_time(self, **by: float) -> datetime:
        """Move the clock (as `timedelta` is told) and run every job once, in their order."""
        self.clock.advance(timedelta(**by))
        self.run(self._jobs())
        return self.clock.at

    async def _jobs(self) -> None:
        await self.sweep.tick()
        for job in Workers(self.site.app).jobs():
            # The site's own sweep halts, as it should, where the clock jumps; the one above jumps along.
            if job.name != "sweep":
                await job.run()

    def page(self, *, width: int = 390, dark: bool = False, script: bool = True) -> Page:
        """A browser of nobody yet."""
        context = self.chromium.new_context(
            base_url=self.origin,
            viewport={"width": width, "height": 844},
            color_scheme="dark" if dark else "light",
            java_script_enabled=script,
            locale="zh-CN",
            reduced_motion="reduce",  # a colour half way between two themes has no contrast to speak of
        )
        context.set_default_timeout(20_000)
        self.contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: self._heard(message.type, message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return page

    def like(self, page: Page, *, width: int, dark: bool = False) -> Page:
        """The same person's session on another screen."""
        other = self.page(width=width, dark=dark)
        other.context.add_cookies(page.context.cookies())  # type: ignore[arg-type]
        return other

    def person(self, name: str, role: Role = Role.BUYER, *, width: int = 390) -> Page:
        """Sign somebody in by a link, as a new browser."""
        token = self.run(self._link(name, role))
        page = self.page(width=width)
        page.goto(f"/sign-in/link/{token}")
        page.locator("main form button[type=submit]").click()
        return page

    def staff(self, name: str, role: Role, *, width: int = 1280) -> Page:
        """Sign a member of staff in, with password and one-time code."""
        page = self.person(name, role, width=width)
        self.check_staff(page, name)
        return page

    def check_staff(self, page: Page, name: str) -> None:
        """Give password and code (again), as the desk asks after some hours."""
        if name not in self.keys:
            uri = self.run(self._credential(name))
            self.keys[name] = pyotp.parse_uri(uri)  # type: ignore[assignment]
        page.goto("/desk/check")
        page.locator("input[name=password]").fill(PASSWORD)
        page.locator("input[name=totp]").fill(self.keys[name].at(self.clock.at))
        page.locator("main form button[type=submit]").last.click()

    async def _link(self, name: str, role: Role) -> str:
        known = await self.site.app.accounts(name)
        if known:
            return await self.site.app.identity.make_link(known[0], role)
        self.site.people += 1
        phone = f"1380000{self.site.people:04d}"
        account = await self.site.app.identity.find_or_create(phone, name, {Role.BUYER, role})
        return await self.site.app.identity.make_link(account, role)

    async def _credential(self, name: str) -> str:
        [account] = await self.site.app.accounts(name)
        uri = await self.site.app.identity.set_staff_credential(account, PASSWORD)
        assert not isinstance(uri, Refused)
        return uri

    def _heard(self, kind: str, text: str) -> None:
        if kind == "error" and not NOT_THERE.search(text):
            self.complaints.append(text)


@contextmanager
def clock_town(postgres: EmbeddedServer, template: str, folder: Path, chromium: Browser) -> Iterator[ClockTown]:
    """Serve on a fresh clone of the template until the block ends."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="clock town", daemon=True)
    thread.start()
    begun: asyncio.Future[ClockTown] = asyncio.run_coroutine_threadsafe(  # type: ignore[assignment]
        _begin(postgres, template, folder, chromium, loop), loop
    )
    town, finish = begun.result(SECONDS)  # type: ignore[call-arg,misc]
    try:
        yield town
        assert town.complaints == [], town.complaints
    finally:
        for context in town.contexts:
            context.close()
        asyncio.run_coroutine_threadsafe(finish(), loop).result(SECONDS)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(SECONDS)
        loop.close()


async def _begin(
    postgres: EmbeddedServer, template: str, folder: Path, chromium: Browser, loop: asyncio.AbstractEventLoop
) -> Any:
    name = f"t_{os.getpid()}_{uuid4().hex[:12]}"
    admin = await asyncpg.connect(postgres.dsn("postgres", "postgres"))
    await admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy OWNER {OWNER_ROLE}")
    database = await open_pool(postgres.dsn(name, APP_ROLE), size=8)
    clock, post = FixedClock(BEGINS), Postbox()
    listener, settings = take_port(Settings(data=folder, port=0))
    app = await build(msgspec.structs.replace(settings), database, sender=post, clock=clock)
    await app.rulebook.begin()
    asgi = create_asgi(app)
    server = uvicorn.Server(uvicorn.Config(asgi, log_config=None, lifespan="off", timeout_graceful_shutdown=2))
    serving = loop.create_task(server.serve(sockets=[listener]))
    while not server.started:  # noqa: ASYNC110  uvicorn tells it by nothing else
        await asyncio.sleep(0.01)
    site = Site(app, asgi, post)

    async def finish() -> None:
        server.should_exit = True
        await serving
        for client in site.open_clients:
            await client.aclose()
        await database.close()
        await admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await admin.close()

    return ClockTown(site, clock, settings.origin, chromium, loop), finish
