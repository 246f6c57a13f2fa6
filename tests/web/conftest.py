"""The whole application in this process; see pages.py for what people do with it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from fronts import lent
from kabao.postgres import Database
from kabao.wiring import Settings, build
from pages import Postbox, Site


@pytest_asyncio.fixture
async def site(database: Database, tmp_path: Path) -> AsyncIterator[Site]:
    post = Postbox()
    app = await build(Settings(data=tmp_path), database, sender=post)
    await app.rulebook.begin()
    with lent(app) as front:
        made = Site(app, front, post)
        yield made
        for client in made.open_clients:
            await client.aclose()
