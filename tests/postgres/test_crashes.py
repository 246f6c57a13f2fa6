"""What happens to committed rows when somebody pulls the plug."""

import asyncio
import itertools
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import asyncpg
import pytest

from kabao.postgres import SUPERUSER, Database, DatabaseUnavailable, EmbeddedServer, open_pool
from kabao.postgres.processes import postmaster_of, read_pid_file, running_in, stop_all

Count = Callable[[str], int]
Supervisor = Callable[..., "subprocess.Popen[str]"]

SERVE = """
import sys, time
from pathlib import Path
from kabao.postgres import EmbeddedServer
server = EmbeddedServer.start(Path(sys.argv[1]))
print("ready", flush=True)
time.sleep(600)
"""
CONNECT = """
import asyncio, sys, asyncpg
async def main():
    conn = await asyncpg.connect(sys.argv[1])
    await conn.execute(sys.argv[2])
    print("ready", flush=True)
    await conn.execute("SELECT pg_sleep(600)")
asyncio.run(main())
"""


def wait_ready(process: "subprocess.Popen[str]") -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"


def kill(pids: set[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def wake(pids: set[int]) -> None:
    for pid in pids:
        os.kill(pid, signal.SIGCONT)


def bring_back(server: EmbeddedServer) -> bool:
    while server.is_alive():
        time.sleep(0.01)
    return server.ensure_running()


async def test_a_killed_postmaster_is_brought_back(written: EmbeddedServer) -> None:
    conn = await asyncpg.connect(written.dsn("postgres", SUPERUSER))
    open_work = conn.transaction()
    await open_work.start()
    await conn.execute("INSERT INTO promise VALUES (2)")
    killed = written.pid
    assert killed is not None
    kill({killed})
    assert await asyncio.to_thread(bring_back, written) is True
    assert written.pid != killed
    assert written.ensure_running() is False
    conn.terminate()
    fresh = await asyncpg.connect(written.dsn("postgres", SUPERUSER))
    assert [row["n"] for row in await fresh.fetch("SELECT n FROM promise")] == [1]
    await fresh.close()


def test_the_next_start_recovers_when_every_process_was_killed(
    written: EmbeddedServer, supervisor: Supervisor, count_promises: Count
) -> None:
    written.stop()
    serving = supervisor(SERVE, str(written.folder))
    wait_ready(serving)
    serving.kill()
    serving.wait(10)
    kill(running_in(written.cluster))
    with EmbeddedServer.start(written.folder) as again:
        assert count_promises(again.dsn("postgres", SUPERUSER)) == 1


def test_a_server_left_behind_by_a_killed_kabao_is_replaced(
    written: EmbeddedServer, supervisor: Supervisor, count_promises: Count
) -> None:
    written.stop()
    serving = supervisor(SERVE, str(written.folder))
    wait_ready(serving)
    left_behind = postmaster_of(written.cluster)
    assert left_behind is not None
    serving.kill()
    serving.wait(10)
    assert postmaster_of(written.cluster) == left_behind
    with EmbeddedServer.start(written.folder) as again:
        assert again.pid != left_behind
        assert left_behind not in running_in(written.cluster)
        assert count_promises(again.dsn("postgres", SUPERUSER)) == 1
    assert not running_in(written.cluster)


def test_a_backend_that_outlives_its_postmaster_is_waited_for(
    written: EmbeddedServer, supervisor: Supervisor, count_promises: Count
) -> None:
    client = supervisor(CONNECT, written.dsn("postgres", SUPERUSER), "INSERT INTO promise VALUES (2)")
    wait_ready(client)
    postmaster = written.pid
    assert postmaster is not None
    backends = running_in(written.cluster) - {postmaster}
    for pid in backends:
        os.kill(pid, signal.SIGSTOP)
    kill({postmaster})
    waking = threading.Timer(0.5, wake, [backends])
    waking.start()
    assert bring_back(written) is True
    waking.join()
    assert not backends & running_in(written.cluster)
    assert count_promises(written.dsn("postgres", SUPERUSER)) == 2


@pytest.mark.parametrize("text", ["{alive}\n/x\n0\n5432\n.\n\n1 2\nready\n", "", "not a number\n"])
def test_a_pid_file_that_proves_nothing_does_not_stop_a_start(
    written: EmbeddedServer, count_promises: Count, text: str
) -> None:
    written.stop()
    with subprocess.Popen(["sleep", "60"], user=written.cluster.stat().st_uid) as bystander:
        (written.cluster / "postmaster.pid").write_text(text.format(alive=bystander.pid), "ascii")
        with EmbeddedServer.start(written.folder) as again:
            assert count_promises(again.dsn("postgres", SUPERUSER)) == 1
        assert bystander.poll() is None
        bystander.terminate()


def test_a_postmaster_that_does_not_listen_is_pushed(written: EmbeddedServer) -> None:
    pid = written.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    stop_all(written.cluster, fast_seconds=0.2, orphan_seconds=0.2)
    assert not running_in(written.cluster)
    assert read_pid_file(written.cluster) is None
    assert bring_back(written) is True


def test_a_folder_that_is_not_there_has_no_processes(tmp_path: Path) -> None:
    assert running_in(tmp_path / "gone") == set()
    assert postmaster_of(tmp_path / "gone") is None


def test_serving_waits_for_a_short_command_to_finish(
    written: EmbeddedServer, supervisor: Supervisor, count_promises: Count
) -> None:
    written.stop()
    command = supervisor(
        SERVE.replace("EmbeddedServer.start", "EmbeddedServer.attach").replace("600", "0.5") + "server.stop()",
        str(written.folder),
    )
    wait_ready(command)
    with EmbeddedServer.start(written.folder) as again:
        assert command.wait(10) == 0
        assert count_promises(again.dsn("postgres", SUPERUSER)) == 1


async def once_recovered(pool: Database, query: str) -> list[asyncpg.Record]:
    """Ask until the server has recovered from the last kill; on a busy machine that takes a moment."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await pool.fetch(query)
            except DatabaseUnavailable:
                await asyncio.sleep(0.1)


async def test_no_acknowledged_row_is_lost_whatever_is_killed(server: EmbeddedServer) -> None:
    """Four writers commit while the postmaster alone, all processes, or one backend are killed in turn."""
    acknowledged: set[int] = set()
    unknown: set[int] = set()
    numbers = itertools.count()
    done = asyncio.Event()
    async with await open_pool(server.dsn("postgres", SUPERUSER), size=6) as pool:
        await pool.execute("CREATE TABLE t (n bigint PRIMARY KEY)")

        async def write() -> None:
            while not done.is_set():
                number = next(numbers)
                try:
                    async with pool.transaction() as conn:
                        await conn.execute("INSERT INTO t VALUES ($1)", number)
                except DatabaseUnavailable as lost:
                    if lost.outcome_unknown:
                        unknown.add(number)
                    await asyncio.sleep(0.01)
                else:
                    acknowledged.add(number)

        writers = [asyncio.create_task(write()) for _ in range(4)]
        for turn in range(9):
            await asyncio.sleep(0.2)
            postmaster = server.pid
            assert postmaster is not None
            everything = running_in(server.cluster)
            kill([{postmaster}, everything, {max(everything)}][turn % 3])
            if turn % 3 != 2:
                assert await asyncio.to_thread(bring_back, server) is True
        await asyncio.sleep(0.3)
        done.set()
        await asyncio.gather(*writers)
        stored = {row["n"] for row in await once_recovered(pool, "SELECT n FROM t")}
    assert len(acknowledged) > 100
    assert acknowledged - stored == set()
    assert stored - acknowledged - unknown == set()
