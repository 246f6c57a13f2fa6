"""What the crash tests need: durable servers of their own, other accounts, small disks."""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from kabao.postgres import SUPERUSER, EmbeddedServer

ORDINARY_UID = 65534


def as_account(uid: int) -> list[str]:
    return ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedServer]:
    """A durable server in a fresh folder; the test may kill it."""
    with EmbeddedServer.start(tmp_path / "data") as started:
        yield started


@pytest_asyncio.fixture
async def written(server: EmbeddedServer) -> AsyncIterator[EmbeddedServer]:
    """A durable server with one committed row."""
    conn = await asyncpg.connect(server.dsn("postgres", SUPERUSER))
    await conn.execute("CREATE TABLE promise (n int); INSERT INTO promise VALUES (1)")
    await conn.close()
    yield server


@pytest.fixture
def count_promises() -> Callable[[str], int]:
    async def count(dsn: str) -> int:
        conn = await asyncpg.connect(dsn)
        try:
            return int(await conn.fetchval("SELECT count(*) FROM promise"))
        finally:
            await conn.close()

    return lambda dsn: asyncio.run(count(dsn))


@pytest.fixture
def supervisor() -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Start another Python that runs a script to its `print("ready")`, optionally as an ordinary account."""
    started: list[subprocess.Popen[str]] = []

    def start(script: str, *arguments: str, uid: int | None = None) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [*(as_account(uid) if uid else []), sys.executable, "-c", script, *arguments],
            stdout=subprocess.PIPE,
            text=True,
            cwd="/",
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait(30)
        if process.stdout is not None:
            process.stdout.close()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder any account can walk into; pytest's own is closed."""
    folder = Path(tempfile.mkdtemp(prefix="kabao-open-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def ordinary_folder(open_folder: Path) -> Path:
    """A folder of an ordinary account, for tests that run as root and become that account."""
    if os.geteuid() != 0:
        pytest.skip("becoming another account needs root")
    if shutil.which("setpriv") is None:
        pytest.skip("setpriv is not installed")
    probe = subprocess.run(
        [*as_account(ORDINARY_UID), sys.executable, "-c", "import kabao.postgres"],
        cwd="/",
        check=False,
        capture_output=True,
        text=True,
    )
    if probe.returncode != 0:
        pytest.skip("this checkout is not readable to other accounts")
    home = open_folder / "home"
    home.mkdir(mode=0o700)
    os.chown(home, ORDINARY_UID, ORDINARY_UID)
    return home


@pytest.fixture
def small_disk(open_folder: Path) -> Iterator[Callable[[int], Path]]:
    """Mount file systems of so many megabytes."""
    mounted: list[Path] = []

    def mount(megabytes: int) -> Path:
        place = open_folder / f"disk{len(mounted)}"
        place.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0755", "tmpfs", str(place)],
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            pytest.skip(f"a small file system cannot be mounted here: {done.stderr.strip()}")
        mounted.append(place)
        return place

    yield mount
    for place in mounted:
        subprocess.run(["umount", "-l", str(place)], check=True)
