"""Which PostgreSQL processes live in a cluster folder, and how to see them out.

A process counts only when it is named postgres and its working directory is the cluster itself: a pid file
alone proves nothing, since pids are reused and the dead may linger as zombies. Linux only (/proc).
"""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from kabao.postgres.errors import ServerFailed

PORT = 5432
POLL_SECONDS = 0.01
_STATUS_LINE = 7


class PidFile(NamedTuple):
    """The two lines of postmaster.pid that matter here."""

    pid: int
    is_ready: bool


def read_pid_file(cluster: Path) -> PidFile | None:
    """Read postmaster.pid; None when it is missing or half written."""
    try:
        lines = (cluster / "postmaster.pid").read_text("ascii", "replace").splitlines()
        status = lines[_STATUS_LINE].strip() if len(lines) > _STATUS_LINE else ""
        return PidFile(int(lines[0]), status == "ready")
    except (OSError, ValueError, IndexError):
        return None


def running_in(cluster: Path) -> set[int]:
    """The live postgres processes (postmaster and backends) of this cluster; zombies are not alive."""
    try:
        here = cluster.stat()
    except FileNotFoundError:
        return set()
    found = set()
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        # Processes come and go while we look, and other accounts' are not ours to read.
        with suppress(OSError):
            if Path(entry.path, "comm").read_bytes().strip() != b"postgres":
                continue
            there = Path(entry.path, "cwd").stat()
            if (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino):
                found.add(int(entry.name))
    return found


def postmaster_of(cluster: Path) -> int | None:
    """The pid of a live postmaster that accepts connections, else None."""
    record = read_pid_file(cluster)
    if record is not None and record.is_ready and record.pid in running_in(cluster):
        return record.pid
    return None


def stop_all(cluster: Path, *, fast_seconds: float = 60.0, orphan_seconds: float = 3.0) -> None:
    """End every postgres of this cluster, gently first, and clear its stale pid files.

    A live postmaster gets a fast shutdown. Orphans of a killed one leave by themselves, or are pushed: their
    shared memory is lost already and recovery replays what was committed. Only call it holding the folder.
    """
    record = read_pid_file(cluster)
    alive = running_in(cluster)
    if record is not None and record.pid in alive:
        _signal({record.pid}, signal.SIGINT)
        patience = fast_seconds
    else:
        patience = orphan_seconds
    for push in (signal.SIGQUIT, signal.SIGKILL, None):
        if _all_gone(cluster, patience):
            break
        if push is None:
            raise ServerFailed(
                zh=f"{cluster} 里的旧 PostgreSQL 进程停不下来，数据未受影响。请重启机器后再试。",
                en=f"Old PostgreSQL processes in {cluster} cannot be stopped; the data is safe. Reboot, then "
                "try again.",
            )
        _signal(running_in(cluster), push)
        patience = orphan_seconds + 2.0
    # PostgreSQL refuses to start when a recorded pid exists, even as a zombie or as somebody else's process.
    # Nobody is left in this folder, which is the one condition under which the files may go.
    for name in ("postmaster.pid", f".s.PGSQL.{PORT}.lock"):
        (cluster / name).unlink(missing_ok=True)


def _all_gone(cluster: Path, patience: float) -> bool:
    deadline = time.monotonic() + patience
    while running_in(cluster):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def _signal(pids: set[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
