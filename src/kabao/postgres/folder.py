"""The data folder: who may use it, and which kabao and PostgreSQL wrote it.

It holds the lock and the VERSION file. It knows nothing of the server that lives in `postgres/`.
"""

import errno
import fcntl
import os
import time
from importlib import metadata, resources
from pathlib import Path
from typing import Self

import msgspec

from kabao.postgres.errors import DataFolderBusy, DataFolderRefused

LOCK_NAME = "kabao.lock"
VERSION_NAME = "VERSION"
COMMAND_WAIT_SECONDS = 20.0
_POLL_SECONDS = 0.05
_ALLOWED_IN_FRESH = frozenset({LOCK_NAME, "lost+found"})


class FolderVersion(msgspec.Struct, frozen=True):
    """What the VERSION file says; `postgres` is None while the database lives elsewhere."""

    kabao: str
    schema: int
    postgres: int | None = None


class _Holder(msgspec.Struct, frozen=True):
    pid: int
    purpose: str


class DataFolder:
    """A data folder held by this process until `close()`."""

    def __init__(self, path: Path, lock_fd: int, version: FolderVersion) -> None:
        self.path = path
        self.version = version
        self._lock_fd = lock_fd

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        postgres: int | None = None,
        purpose: str = "serve",
        schema: int | None = None,
    ) -> Self:
        """Take the folder, creating it when missing; `postgres` is the major version about to run in it.

        Refuses with `DataFolderRefused` a folder that is not kabao's, is newer, belongs to another
        PostgreSQL, or cannot be written, and with `DataFolderBusy` one that is held. Nothing is changed in
        a refused folder. A server waits for a short command (`purpose="command"`) to finish.
        """
        path = path.absolute()
        known = latest_schema() if schema is None else schema
        inspect_folder(path, postgres=postgres, schema=known)
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock_fd = _lock(path, purpose)
        except OSError as error:
            raise _unusable(path, error) from error
        try:
            version = inspect_folder(path, postgres=postgres, schema=known)
            folder = cls(path, lock_fd, version or FolderVersion(metadata.version("kabao"), 0, postgres))
            if version is None or version.postgres != (postgres or version.postgres):
                folder._write(msgspec.structs.replace(folder.version, postgres=postgres))
        except OSError as error:
            os.close(lock_fd)
            raise _unusable(path, error) from error
        except BaseException:
            os.close(lock_fd)
            raise
        return folder

    def record_schema(self, schema: int) -> None:
        """Note that migrations up to `schema` have run, so that an older kabao refuses the folder."""
        if schema > self.version.schema:
            self._write(FolderVersion(metadata.version("kabao"), schema, self.version.postgres))

    def close(self) -> None:
        """Let the folder go; the lock file stays, because removing it would race with the next holder."""
        if self._lock_fd >= 0:
            os.close(self._lock_fd)
            self._lock_fd = -1

    def _write(self, version: FolderVersion) -> None:
        temporary = self.path / f".{VERSION_NAME}.{os.getpid()}"
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        try:
            os.write(fd, msgspec.json.encode(version) + b"\n")
            os.fsync(fd)
            give_to_owner(fd, self.path)
        finally:
            os.close(fd)
        temporary.replace(self.path / VERSION_NAME)
        self.version = version


def inspect_folder(path: Path, *, postgres: int | None, schema: int) -> FolderVersion | None:
    """Read who wrote the folder, without touching it; None for a missing or empty one.

    Refuses (`DataFolderRefused`) a file, a folder of something else, a newer schema, another PostgreSQL.
    """
    try:
        names = {entry.name for entry in path.iterdir()}
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unusable(path, error) from error
    if VERSION_NAME not in names:
        if {name for name in names if not name.startswith(f".{VERSION_NAME}.")} <= _ALLOWED_IN_FRESH:
            return None
        raise DataFolderRefused(
            zh=f"{path} 里已有别的文件，但不是卡保的数据目录。请换一个空目录。未改动任何内容。",
            en=f"{path} is not empty and not a kabao data folder. Choose an empty one. Nothing was changed.",
        )
    try:
        version = msgspec.json.decode((path / VERSION_NAME).read_bytes(), type=FolderVersion)
    except (msgspec.DecodeError, OSError) as error:
        raise DataFolderRefused(
            zh=f"读不懂 {path}/{VERSION_NAME}。请从备份恢复这个文件，或换一个空目录。未改动任何内容。",
            en=f"{path}/{VERSION_NAME} cannot be read. Restore it from a backup or choose an empty folder. "
            "Nothing was changed.",
        ) from error
    if version.schema > schema:
        raise DataFolderRefused(
            zh=f"{path} 由更新的卡保 {version.kabao} 写入（结构 {version.schema}，本程序只到 {schema}）。"
            "请升级卡保后再打开。未改动任何内容。",
            en=f"{path} was written by a newer kabao {version.kabao} (schema {version.schema}, this one "
            f"knows {schema}). Upgrade kabao to open it. Nothing was changed.",
        )
    if postgres is not None and version.postgres not in (None, postgres):
        raise DataFolderRefused(
            zh=f"{path} 的数据库是 PostgreSQL {version.postgres}，本程序带的是 {postgres}。"
            "请用原来的版本导出（pg_dump），再导入新目录。未改动任何内容。",
            en=f"{path} holds a PostgreSQL {version.postgres} database and this kabao runs {postgres}. "
            "Export it with the old version (pg_dump) and import it into a new folder. Nothing was changed.",
        )
    return version


def latest_schema() -> int:
    """The number of the newest migration this kabao carries (0001_initial is 1), 0 without any."""
    versions = resources.files("kabao.postgres") / "migrations" / "versions"
    numbers = [entry.name.split("_", 1)[0] for entry in versions.iterdir() if entry.name.endswith(".sql")]
    return max((int(number) for number in numbers if number.isdigit()), default=0)


def give_to_owner(fd: int, folder: Path) -> None:
    """When root works in another account's folder, leave files that account can still open."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(fd, owner.st_uid, owner.st_gid)


def _lock(path: Path, purpose: str) -> int:
    fd = os.open(path / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + COMMAND_WAIT_SECONDS
    try:
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                holder = _holder(fd)
                may_wait = purpose == "serve" and holder.purpose == "command"
                if not may_wait or time.monotonic() > deadline:
                    raise _busy(path, holder) from None
                time.sleep(_POLL_SECONDS)
        os.ftruncate(fd, 0)
        os.pwrite(fd, msgspec.json.encode(_Holder(os.getpid(), purpose)), 0)
        give_to_owner(fd, path)
    except BaseException:
        os.close(fd)
        raise
    return fd


def _holder(fd: int) -> _Holder:
    try:
        return msgspec.json.decode(os.pread(fd, 200, 0), type=_Holder)
    except msgspec.DecodeError:
        # The holder has the lock and has not written its name yet.
        return _Holder(0, "serve")


def _busy(path: Path, holder: _Holder) -> DataFolderBusy:
    return DataFolderBusy(
        zh=f"{path} 正被另一个卡保进程（进程号 {holder.pid}）使用。请先停下它，或换一个数据目录。",
        en=f"{path} is in use by another kabao process (pid {holder.pid}). Stop that one first, or choose "
        "another data folder.",
    )


def _unusable(path: Path, error: OSError) -> DataFolderRefused:
    reason = error.strerror or type(error).__name__
    if error.errno == errno.ENOSPC:
        return DataFolderRefused(
            zh=f"{path} 所在磁盘已满。请腾出空间后再启动。",
            en=f"The disk of {path} is full. Free some space, then start.",
        )
    return DataFolderRefused(
        zh=f"{path} 不能用作数据目录（{reason}）。请检查它的属主和权限，或换一个目录。",
        en=f"{path} cannot be used as a data folder ({reason}). Check its owner and mode, or choose another.",
    )
