import asyncio
import json
import os
import re
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest

from kabao.postgres import (
    DATABASE,
    OWNER_ROLE,
    SUPERUSER,
    DataFolder,
    DataFolderBusy,
    DataFolderRefused,
    EmbeddedServer,
    ServerFailed,
    latest_schema,
    prepare,
)

Count = Callable[[str], int]


def snapshot(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Mode, owner and time of change of everything directly in a folder."""
    return {p.name: (s.st_mode, s.st_uid, s.st_mtime_ns) for p in folder.iterdir() for s in [p.lstat()]}


def test_rows_survive_an_ordered_stop_and_a_start(written: EmbeddedServer, count_promises: Count) -> None:
    first_pid = written.pid
    written.stop()
    assert not written.is_alive()
    with EmbeddedServer.start(written.folder) as again:
        assert again.pid != first_pid
        assert count_promises(again.dsn("postgres", SUPERUSER)) == 1


def test_a_restart_keeps_rows_and_the_folder(written: EmbeddedServer, count_promises: Count) -> None:
    first_pid = written.pid
    written.restart()
    assert written.pid != first_pid
    assert count_promises(written.dsn("postgres", SUPERUSER)) == 1


def test_stopping_twice_is_harmless(server: EmbeddedServer) -> None:
    server.stop()
    server.stop()
    server.restart()
    assert server.ensure_running() is False
    assert not server.is_alive()


async def test_it_runs_durably_and_only_on_its_socket(server: EmbeddedServer) -> None:
    conn = await asyncpg.connect(server.dsn("postgres", SUPERUSER))
    wanted = {
        "fsync": "on",
        "synchronous_commit": "on",
        "data_checksums": "on",
        "listen_addresses": "",
        "jit": "off",
        "server_encoding": "UTF8",
    }
    assert {name: await conn.fetchval("SELECT current_setting($1)", name) for name in wanted} == wanted
    assert await conn.fetchval("SELECT lower('ÄÖ') || datlocale FROM pg_database LIMIT 1") == "äöC.UTF-8"
    await conn.close()


def test_nobody_else_can_walk_into_the_cluster(server: EmbeddedServer) -> None:
    for private in ("postgres", "run", "log"):
        assert stat.S_IMODE((server.folder / private).stat().st_mode) == 0o700
    assert stat.S_IMODE(server.log.stat().st_mode) == 0o600


def test_ctrl_c_in_the_terminal_does_not_reach_it(server: EmbeddedServer) -> None:
    assert server.pid is not None
    assert os.getsid(server.pid) != os.getsid(0)


def test_the_log_of_a_long_life_is_set_aside(server: EmbeddedServer) -> None:
    server.stop()
    os.truncate(server.log, 21 * 1024 * 1024)
    with EmbeddedServer.start(server.folder) as again:
        assert again.log.stat().st_size < 100_000
        assert again.log.with_suffix(".log.1").exists()


def test_a_second_server_on_the_folder_is_refused(server: EmbeddedServer) -> None:
    before = snapshot(server.folder)
    with pytest.raises(DataFolderBusy) as refused:
        EmbeddedServer.start(server.folder)
    assert str(os.getpid()) in refused.value.zh
    assert f"in use by another kabao process (pid {os.getpid()})" in refused.value.en
    assert server.is_alive()
    assert snapshot(server.folder) == before


def test_a_command_uses_the_running_server_and_leaves_it_alone(written: EmbeddedServer, count_promises: Count) -> None:
    with EmbeddedServer.attach(written.folder) as beside:
        assert not beside.is_owned
        assert beside.pid == written.pid
        assert beside.is_alive()
        assert count_promises(beside.dsn("postgres", SUPERUSER)) == 1
        assert beside.ensure_running() is False
        beside.record_schema(99)
        beside.restart()
    assert written.is_alive()
    assert json.loads((written.folder / "VERSION").read_bytes())["schema"] == 0


def test_a_command_starts_a_stopped_server_for_its_duration(written: EmbeddedServer, count_promises: Count) -> None:
    written.stop()
    with EmbeddedServer.attach(written.folder) as alone:
        assert alone.is_owned
        assert count_promises(alone.dsn("postgres", SUPERUSER)) == 1
    assert not alone.is_alive()


@pytest.mark.parametrize("make", [lambda _: None, Path.mkdir])
def test_a_command_refuses_a_folder_without_data(tmp_path: Path, make: Callable[[Path], None]) -> None:
    folder = tmp_path / "nothing"
    make(folder)
    with pytest.raises(DataFolderRefused, match="holds no kabao data"):
        EmbeddedServer.attach(folder)
    assert not folder.exists() or not list(folder.iterdir())


def test_a_command_waits_for_a_server_that_is_coming_up(tmp_path: Path) -> None:
    holder = DataFolder.open(tmp_path / "data", postgres=18)
    with pytest.raises(DataFolderBusy):
        EmbeddedServer.attach(tmp_path / "data", wait_seconds=0.2)
    letting_go = threading.Timer(0.3, holder.close)
    letting_go.start()
    with EmbeddedServer.attach(tmp_path / "data") as server:
        assert server.is_owned
    letting_go.join()


def test_a_log_that_cannot_be_written_is_named(server: EmbeddedServer) -> None:
    server.stop()
    server.log.unlink()
    server.log.symlink_to("/dev/null")
    with pytest.raises(ServerFailed, match="symbolic links"):
        EmbeddedServer.start(server.folder)


def test_a_path_too_long_for_a_socket_works_by_a_private_link(tmp_path: Path) -> None:
    folder = tmp_path / ("深" * 40) / ("x" * 60)
    with EmbeddedServer.start(folder) as server:
        host = re.search(r"host=([^&]+)", server.dsn("postgres", SUPERUSER))
        assert host is not None
        link = Path(host[1].replace("%2F", "/"))
        assert len(os.fsencode(link)) < 60
        assert stat.S_IMODE(link.parent.stat().st_mode) == 0o700
        assert asyncio.run(_answer(server.dsn("postgres", SUPERUSER))) == 1

        link.unlink()
        link.parent.rmdir()
        assert server.ensure_running() is False
        assert asyncio.run(_answer(server.dsn("postgres", SUPERUSER))) == 1
        assert Path(link) == link.parent / "s"

        link.unlink()
        link.symlink_to("/")
        assert asyncio.run(_answer(server.dsn("postgres", SUPERUSER))) == 1
        with EmbeddedServer.attach(folder) as beside:
            assert asyncio.run(_answer(beside.dsn("postgres", SUPERUSER))) == 1
    link.unlink()
    link.parent.rmdir()
    assert not list((folder / "run").iterdir())


def test_names_in_a_dsn_are_quoted(server: EmbeddedServer) -> None:
    assert server.dsn("a/b", "c@d").startswith("postgresql://c%40d@/a%2Fb?host=%2F")


def test_settings_of_the_operator_reach_the_server(tmp_path: Path) -> None:
    with EmbeddedServer.start(tmp_path / "data", settings={"work_mem": "8MB", "listen_addresses": "*"}) as server:
        dsn = server.dsn("postgres", SUPERUSER)
        assert asyncio.run(_answer(dsn, "SELECT current_setting('work_mem')")) == "8MB"
        assert asyncio.run(_answer(dsn, "SELECT current_setting('listen_addresses')")) == ""


def test_a_start_that_fails_says_why_and_lets_the_folder_go(server: EmbeddedServer) -> None:
    server.stop()
    with pytest.raises(ServerFailed, match="work_mem") as failed:
        EmbeddedServer.start(server.folder, settings={"work_mem": "lots"})
    assert "已提交的数据不受影响" in failed.value.zh
    with EmbeddedServer.start(server.folder) as again:
        assert again.is_alive()


def test_a_first_start_cut_short_is_done_over(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with EmbeddedServer.start(folder) as server:
        assert server.is_alive()
    # What a kill during initdb leaves: the folder is ours, the cluster only half made under its other name.
    (folder / "postgres").rename(folder / "postgres.new")
    with EmbeddedServer.start(folder) as server:
        assert asyncio.run(_answer(server.dsn("postgres", SUPERUSER))) == 1
    assert not (folder / "postgres.new").exists()


def test_a_disk_too_small_for_a_database_is_said_so(small_disk: Callable[[int], Path]) -> None:
    folder = small_disk(12) / "data"
    with pytest.raises(ServerFailed, match="No space left"):
        EmbeddedServer.start(folder)
    assert not (folder / "postgres").exists()
    assert not (folder / "postgres.new").exists()


async def test_prepare_makes_a_database_and_notes_its_schema(server: EmbeddedServer) -> None:
    revision = await prepare(server)
    assert await prepare(server) == revision
    assert int(revision[:4]) == latest_schema()
    assert json.loads((server.folder / "VERSION").read_bytes())["schema"] == latest_schema()
    conn = await asyncpg.connect(server.dsn(DATABASE, OWNER_ROLE))
    assert await conn.fetchval("SELECT version_num FROM alembic_version") == revision
    await conn.close()
    server.stop()
    with pytest.raises(DataFolderRefused, match="newer kabao"):
        EmbeddedServer.start(server.folder, schema=latest_schema() - 1)


def test_client_programs_come_along(server: EmbeddedServer) -> None:
    assert server.program("pgbench").is_file()
    with pytest.raises(ServerFailed, match="has no mysql"):
        server.program("mysql")


async def _answer(dsn: str, query: str = "SELECT 1") -> object:
    conn = await asyncpg.connect(dsn)
    try:
        return await conn.fetchval(query)
    finally:
        await conn.close()
