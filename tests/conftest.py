"""Shared fixtures: one real PostgreSQL per test process, one migrated template, one fresh clone per test.

See tests/README.md for what to ask for.
"""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio
from hypothesis import settings

from kabao.postgres import (
    APP_ROLE,
    OWNER_ROLE,
    SUPERUSER,
    Database,
    EmbeddedServer,
    bootstrap,
    open_pool,
    upgrade,
)

# How fast a machine is today is nobody's property.
settings.register_profile("kabao", deadline=None)
settings.load_profile("kabao")

TEMPLATE = "kabao_template"

# Durability is the subject of the crash tests alone, and they start servers of their own.
FAST_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "64MB",
    "max_connections": "100",
    "autovacuum": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


# A clone copies some 300 small files: 9 ms in memory, 130 to 170 ms on a disk (WAL_LOG: 100 and 250 ms).
MEMORY_FOLDER = Path("/dev/shm")  # noqa: S108  a private folder is made inside
ROOM_NEEDED = 1024**3


class Clone(NamedTuple):
    """A fresh migrated database and the three ways into it."""

    name: str
    app_dsn: str
    owner_dsn: str
    admin_dsn: str


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[EmbeddedServer]:
    in_memory = MEMORY_FOLDER.is_dir() and shutil.disk_usage(MEMORY_FOLDER).free > ROOM_NEEDED
    folder = Path(tempfile.mkdtemp(prefix="kabao-tests-", dir=MEMORY_FOLDER if in_memory else None))
    server = EmbeddedServer.start(folder / "data", settings=FAST_SETTINGS)
    try:
        yield server
    finally:
        server.stop()
        # The cluster may belong to another account; the account that started it (root) may still remove it.
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def admin_dsn(postgres_server: EmbeddedServer) -> str:
    return postgres_server.dsn("postgres", SUPERUSER)


@pytest.fixture(scope="session")
def template_database(postgres_server: EmbeddedServer, admin_dsn: str) -> str:
    async def make() -> None:
        await bootstrap(admin_dsn, database=TEMPLATE)
        await upgrade(postgres_server.dsn(TEMPLATE, OWNER_ROLE))

    asyncio.run(make())
    return TEMPLATE


@pytest_asyncio.fixture
async def clone(postgres_server: EmbeddedServer, admin_dsn: str, template_database: str) -> AsyncIterator[Clone]:
    name = f"t_{os.getpid()}_{uuid4().hex[:12]}"
    admin = await asyncpg.connect(admin_dsn)
    try:
        await admin.execute(
            f"CREATE DATABASE {name} TEMPLATE {template_database} STRATEGY file_copy OWNER {OWNER_ROLE}"
        )
        try:
            yield Clone(
                name,
                postgres_server.dsn(name, APP_ROLE),
                postgres_server.dsn(name, OWNER_ROLE),
                postgres_server.dsn(name, SUPERUSER),
            )
        finally:
            await admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    finally:
        await admin.close()


@pytest.fixture
def database_name(clone: Clone) -> str:
    return clone.name


@pytest.fixture
def dsn(clone: Clone) -> str:
    return clone.app_dsn


@pytest.fixture
def owner_dsn(clone: Clone) -> str:
    return clone.owner_dsn


@pytest_asyncio.fixture
async def database(clone: Clone) -> AsyncIterator[Database]:
    async with await open_pool(clone.app_dsn) as pool:
        yield pool


@pytest_asyncio.fixture
async def owner_database(clone: Clone) -> AsyncIterator[Database]:
    async with await open_pool(clone.owner_dsn, size=4) as pool:
        yield pool
