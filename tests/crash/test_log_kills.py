"""kill -9 of a sequencer at each of its points, and anywhere: no row is lost, none is logged twice, no tree forks."""

import asyncio
import contextlib
import os
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from kabao.postgres import (
    APP_ROLE,
    DATABASE,
    OWNER_ROLE,
    Database,
    DatabaseUnavailable,
    EmbeddedServer,
    open_pool,
    prepare,
)
from kabao.tlog import TransparencyLog
from kabao.tlog.merkle import leaf_hash, root_of
from logbook import SCHEMA, log_over, logged
from logworker import SHORT

WORKER = Path(__file__).parents[1] / "logworker.py"
KILLS = int(os.environ.get("KABAO_KILLS", "6"))


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[EmbeddedServer]:
    """A server with the settings of production: what is committed is on the disk."""
    server = EmbeddedServer.start(tmp_path / "data")
    try:
        await prepare(server)
        async with await open_pool(server.dsn(DATABASE, OWNER_ROLE), size=1) as owner:
            await owner.execute(SCHEMA)
        yield server
    finally:
        server.stop()


class Worker:
    """The sequencer in a process of its own, and what it said before it was killed."""

    def __init__(self, server: EmbeddedServer, point: str, first: int, count: int) -> None:
        self.complaints = server.folder.parent / f"{point}-{first}.err"
        with self.complaints.open("wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, str(WORKER), server.dsn(DATABASE, APP_ROLE), point, str(first), str(count)],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )

    def until(self, word: str) -> list[list[str]]:
        assert self.process.stdout is not None
        said: list[list[str]] = []
        for line in self.process.stdout:
            said.append(line.split())
            if said[-1][0] == word:
                return said
        self.complaints.seek(0)
        raise AssertionError(
            f"the worker ended before it said {word}: {said} {self.complaints.read().decode()[-2000:]}"
        )

    def kill(self) -> list[list[str]]:
        self.process.kill()
        rest, _ = self.process.communicate()
        return [line.split() for line in rest.splitlines() if line]


async def rows_of(database: Database) -> list[tuple[int, int]]:
    """The numbers of all happenings with their marks."""
    rows = await database.fetch("SELECT happening_id, log_position FROM happening ORDER BY log_position")
    return [(row["happening_id"], row["log_position"]) for row in rows]


async def assert_whole(database: Database, log: TransparencyLog, signed: dict[int, str]) -> None:
    """Every row has one record, in one tree that every checkpoint ever handed out is a beginning of."""
    rows = await rows_of(database)
    records = await database.fetch("SELECT record_id, source_id, commitment FROM log_record ORDER BY record_id")
    assert [mark for _, mark in rows] == list(range(len(rows)))
    assert [(row["source_id"], row["record_id"]) for row in records] == rows
    leaves = [leaf_hash(row["commitment"]) for row in records]
    head = await log.head()
    assert (head.size, head.root) == (len(rows), root_of(leaves))
    for size, root in signed.items():
        assert root_of(leaves[:size]).hex() == root


def heads(said: list[list[str]]) -> dict[int, str]:
    return {
        int(words[1]): words[2] for words in said if words[0] == "signed" and len(words) == 3 and len(words[2]) == 64
    }


@pytest.mark.parametrize(
    ("point", "marked", "signed"), [("unsequenced", 0, 0), ("taken", 0, 0), ("written", 0, 0), ("committed", 7, 0)]
)
async def test_a_sequencer_killed_at_a_point_leaves_every_row_to_the_next(
    server: EmbeddedServer, point: str, marked: int, signed: int
) -> None:
    worker = Worker(server, point, 0, 10)
    worker.until("stopped")
    worker.kill()
    async with await open_pool(server.dsn(DATABASE, APP_ROLE), size=2) as database:
        assert [mark for _, mark in await rows_of(database) if mark is not None] == list(range(marked))
        assert await database.fetchval("SELECT count(*) FROM log_record") == marked
        assert await database.fetchval("SELECT coalesce(max(size), 0) FROM log_checkpoint") == signed
        log = log_over(database, lease=SHORT)
        while not await log.sequence():  # noqa: ASYNC110  until the dead holder's lease ends
            await asyncio.sleep(0.1)
        assert [row for row, _ in await rows_of(database)] == list(range(10))
        await assert_whole(database, log, {})


@pytest.mark.timeout(300)
async def test_killed_anywhere_amid_work_with_its_database_or_alone_it_forks_nothing(server: EmbeddedServer) -> None:
    signed: dict[int, str] = {}
    wrote: set[int] = set()
    for kill in range(KILLS):
        worker = Worker(server, "nowhere", kill * 100_000, 20)
        said = worker.until("signed")
        await asyncio.sleep(random.random() * 0.5)  # noqa: S311  a moment, not a secret
        if kill % 2:
            kill_postgres(server)
        said += worker.kill()
        await up(server)
        signed |= heads(said)
        for first in (int(words[1]) for words in said if words[0] == "wrote" and len(words) == 3):
            wrote |= set(range(first, first + 20))
    async with await open_pool(server.dsn(DATABASE, APP_ROLE), size=2) as database:
        log = log_over(database, lease=SHORT)
        while await database.fetchval("SELECT count(*) FROM happening WHERE log_position IS NULL"):
            await logged(log)
            await asyncio.sleep(0.1)
        await log.sequence()
        assert wrote <= {row for row, _ in await rows_of(database)}
        assert len(signed) >= KILLS
        await assert_whole(database, log, signed)


async def up(server: EmbeddedServer) -> None:
    """Wait until a killed server has recovered."""
    async with asyncio.timeout(60):
        while True:
            await asyncio.to_thread(server.ensure_running)
            with contextlib.suppress(DatabaseUnavailable):
                async with await open_pool(server.dsn(DATABASE, APP_ROLE), size=1) as database:
                    await database.fetchval("SELECT 1")
                    return
            await asyncio.sleep(0.1)


def kill_postgres(server: EmbeddedServer) -> None:
    """Kill the postmaster and every backend at once."""
    postmaster = int((server.folder / "postgres" / "postmaster.pid").read_text("utf-8").split()[0])
    children = subprocess.run(["pgrep", "-P", str(postmaster)], capture_output=True, text=True, check=False).stdout
    for pid in [postmaster, *map(int, children.split())]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
