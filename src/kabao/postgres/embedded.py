"""A small supervisor over the PostgreSQL programs: one private server inside one data folder.

Layout: `DIR/postgres/` the cluster with its socket, `DIR/log/` its log, `DIR/run/` the short socket path
when one is needed, `DIR/kabao.lock` and `DIR/VERSION` (see folder.py).

Who may connect: nobody over the network (`listen_addresses` is empty). The socket lies inside the cluster
folder, and PostgreSQL itself refuses to start unless that folder is closed to others, so only root and the
account of the server reach it; that is why local authentication is `trust` and there is no password to lose.

As root the server runs as an unprivileged account. Its working directory is the cluster and it is told
`-D /proc/self/cwd`, so the folders above may stay closed to that account: no mode is ever loosened.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self
from urllib.parse import quote

from kabao.postgres.binaries import (
    FIRST_WITH_BUILTIN_LOCALE,
    SHARED_HOME,
    Account,
    Binaries,
    account_for,
    child_options,
    find_binaries,
    reachable_binaries,
)
from kabao.postgres.errors import DataFolderBusy, DataFolderRefused, ServerFailed
from kabao.postgres.folder import VERSION_NAME, DataFolder, give_to_owner, inspect_folder, latest_schema
from kabao.postgres.processes import POLL_SECONDS, PORT, postmaster_of, read_pid_file, running_in, stop_all

SUPERUSER = "postgres"
START_SECONDS = 300.0
ATTACH_SECONDS = 30.0
LONGEST_SOCKET_PATH = 107  # bytes, sockaddr_un on Linux less its final NUL
LARGEST_LOG = 20 * 1024 * 1024

DEFAULT_SETTINGS: Mapping[str, str] = {
    "cluster_name": "kabao",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "shared_buffers": "128MB",
    "max_connections": "120",
    "jit": "off",
    "wal_compression": "on",
    # A market that has just opened grows fast; looking often keeps its plans fitting its size.
    "autovacuum_naptime": "5s",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Statements and the DETAIL line of errors can hold a person's number or a key's ciphertext.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_checkpoints": "off",
}
_FIXED_SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_directories": ".",
    "unix_socket_permissions": "0700",
}


class EmbeddedServer:
    """A PostgreSQL server in a data folder; started by this process, or another's that it was attached to.

    All methods block and may be called from threads (`asyncio.to_thread`).
    """

    def __init__(
        self,
        folder: Path,
        *,
        held: DataFolder | None,
        binaries: Binaries,
        account: Account | None,
        settings: Mapping[str, str],
    ) -> None:
        self.folder = folder
        self.cluster = folder / "postgres"
        self.log = folder / "log" / "postgres.log"
        self._held = held
        self._binaries = binaries
        self._account = account
        self._settings = {**DEFAULT_SETTINGS, **settings, **_FIXED_SETTINGS}
        self._process: subprocess.Popen[bytes] | None = None
        self._guard = threading.Lock()

    @classmethod
    def start(
        cls,
        folder: Path,
        *,
        settings: Mapping[str, str] | None = None,
        purpose: str = "serve",
        schema: int | None = None,
        shared_home: Path = SHARED_HOME,
    ) -> Self:
        """Take the folder, create the cluster on first use, and wait until the server accepts connections.

        A server left behind by a killed kabao is stopped in order and started afresh. Refuses with
        `DataFolderRefused` (see `DataFolder.open`) before anything is touched; `ServerFailed` names the log.
        """
        folder = folder.absolute()
        binaries = find_binaries()
        held = DataFolder.open(folder, postgres=binaries.major, purpose=purpose, schema=schema)
        try:
            with _explained():
                account = account_for(folder, folder / "postgres")
                usable = reachable_binaries(binaries, account, shared_home=shared_home)
                server = cls(folder, held=held, binaries=usable, account=account, settings=settings or {})
                server._open_up()
        except BaseException:
            held.close()
            raise
        return server

    @classmethod
    def attach(
        cls,
        folder: Path,
        *,
        settings: Mapping[str, str] | None = None,
        wait_seconds: float = ATTACH_SECONDS,
    ) -> Self:
        """Use the server that runs in the folder, or start one for as long as this command takes.

        For commands beside `kabao serve`, such as the audit. Refuses a folder without kabao data, and
        one whose server does not come up within `wait_seconds`.
        """
        folder = folder.absolute()
        if inspect_folder(folder, postgres=None, schema=latest_schema()) is None:
            raise DataFolderRefused(
                zh=f"{folder} 里没有卡保的数据（缺 {VERSION_NAME}）。请检查 --data 的路径。",
                en=f"{folder} holds no kabao data (no {VERSION_NAME}). Check the path given to --data.",
            )
        deadline = time.monotonic() + wait_seconds
        while True:
            try:
                return cls.start(folder, settings=settings, purpose="command")
            except DataFolderBusy:
                # The holder may still be starting, or already stopping; then the folder is free soon.
                if postmaster_of(folder / "postgres") is not None:
                    return cls(folder, held=None, binaries=find_binaries(), account=None, settings={})
                if time.monotonic() > deadline:
                    raise
                time.sleep(POLL_SECONDS * 10)

    @property
    def is_owned(self) -> bool:
        """Whether this process started the server and therefore stops it."""
        return self._held is not None

    @property
    def pid(self) -> int | None:
        """The postmaster's process id, None while it is down."""
        if self._process is not None:
            return self._process.pid if self._process.poll() is None else None
        return postmaster_of(self.cluster)

    def is_alive(self) -> bool:
        """Whether the postmaster process runs; says nothing about how busy it is."""
        return self.pid is not None

    def dsn(self, database: str, user: str) -> str:
        """A libpq URL over the unix socket, good for asyncpg, psql and pgbench alike; it holds no secret."""
        host = quote(str(self._socket_folder()), safe="")
        return f"postgresql://{quote(user, safe='')}@/{quote(database, safe='')}?host={host}&port={PORT}"

    def program(self, name: str) -> Path:
        """The path of a PostgreSQL client program, such as pgbench or pg_dump."""
        return self._binaries.program(name)

    def record_schema(self, schema: int) -> None:
        """Write into VERSION that migrations up to `schema` have run; nothing for an attached server."""
        if self._held is not None:
            self._held.record_schema(schema)

    def ensure_running(self) -> bool:
        """Bring a dead server back, for the app's watchdog; true when it had to be started.

        An attached server is left to the process that owns it.
        """
        with self._guard:
            if self._held is None:
                return False
            self._socket_folder()
            if self.is_alive():
                return False
            self._reap()
            with _explained():
                stop_all(self.cluster)
                self._launch()
            return True

    def restart(self) -> None:
        """Stop the owned server in order and start it again."""
        with self._guard:
            if self._held is not None:
                self._shut_down()
                self._launch()

    def stop(self) -> None:
        """Shut the server down in order, wait for it, and let the folder go; safe to call twice."""
        with self._guard:
            if self._held is None:
                return
            try:
                self._shut_down()
                self._forget_short_path()
            finally:
                self._held.close()
                self._held = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _open_up(self) -> None:
        for private in ("run", "log"):
            self._make_folder(self.folder / private)
        stop_all(self.cluster)
        if not self.cluster.exists():
            self._create_cluster()
        self._launch()

    def _create_cluster(self) -> None:
        staging = self.folder / "postgres.new"
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(mode=0o700)
        if self._account is not None:
            os.chown(staging, self._account.uid, self._account.gid)
        locale = ["--locale=C.UTF-8"]
        if self._binaries.major >= FIRST_WITH_BUILTIN_LOCALE:
            # An operating system without the wanted locale must not stop the first start.
            locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        quick = ["--no-sync"] if self._settings["fsync"] == "off" else []
        done = subprocess.run(  # noqa: S603  our own program, no shell
            [
                *(
                    self._binaries.program("initdb"),
                    "-D",
                    self._own_path(staging),
                    "-U",
                    SUPERUSER,
                    "-E",
                    "UTF8",
                ),
                *(*locale, "--auth=trust", "--data-checksums", *quick),
            ],
            capture_output=True,
            check=False,
            text=True,
            stdin=subprocess.DEVNULL,
            **child_options(self._account, staging),
        )
        if done.returncode != 0:
            shutil.rmtree(staging, ignore_errors=True)
            raise _failed("initdb", done.stderr.strip()[-600:])
        staging.rename(self.cluster)

    def _launch(self) -> None:
        arguments = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        with self._open_log() as log:
            # Its own session keeps the terminal's Ctrl-C from the server: kabao stops it in order.
            self._process = subprocess.Popen(  # noqa: S603  our own program, no shell
                [self._binaries.program("postgres"), "-D", self._own_path(self.cluster), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **child_options(self._account, self.cluster),
            )
        try:
            self._wait_until_ready(self._process)
        except BaseException:
            self._shut_down()
            raise

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            record = read_pid_file(self.cluster)
            if record is not None and record.pid == process.pid and record.is_ready:
                return
            if process.poll() is not None:
                raise _failed("postgres", self._log_tail())
            time.sleep(POLL_SECONDS)
        raise _failed("postgres", self._log_tail())

    def _shut_down(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(60.0)
        self._reap()
        if running_in(self.cluster):
            stop_all(self.cluster, fast_seconds=5.0)
            self._reap()
        self._process = None

    def _reap(self) -> None:
        # An unreaped child keeps its pid, and PostgreSQL takes a pid that exists for a running server.
        if self._process is not None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(0.0)

    def _own_path(self, cluster: Path) -> str:
        return str(cluster) if self._account is None else "/proc/self/cwd"

    def _make_folder(self, path: Path) -> None:
        try:
            path.mkdir(mode=0o700)
        except FileExistsError:
            return
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            give_to_owner(fd, self.folder)
        finally:
            os.close(fd)

    def _open_log(self) -> IO[bytes]:
        with suppress(FileNotFoundError):
            if self.log.stat().st_size > LARGEST_LOG:
                self.log.replace(self.log.with_suffix(".log.1"))
        fd = os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        give_to_owner(fd, self.folder)
        return os.fdopen(fd, "ab", buffering=0)

    def _log_tail(self) -> str:
        return self.log.read_bytes()[-600:].decode("utf-8", "replace").strip()

    def _socket_folder(self) -> Path:
        """The folder clients connect through: the cluster, or a short private link to it.

        A socket path may be 107 bytes long. The link lies in a folder of mode 0700 under /tmp whose name is
        kept in `run/short-path`; it is made again under that name if a cleaner of /tmp took it away.
        """
        if len(os.fsencode(self.cluster / f".s.PGSQL.{PORT}")) <= LONGEST_SOCKET_PATH:
            return self.cluster
        record = self.folder / "run" / "short-path"
        with suppress(OSError):
            private = Path(record.read_text("utf-8").strip())
            with suppress(FileExistsError):
                private.mkdir(mode=0o700)
            if _is_private(private) and _links_to(private / "s", self.cluster):
                return private / "s"
        private = Path(tempfile.mkdtemp(prefix="kabao-", dir="/tmp"))
        (private / "s").symlink_to(self.cluster)
        record.write_text(f"{private}\n", "utf-8")
        return private / "s"

    def _forget_short_path(self) -> None:
        record = self.folder / "run" / "short-path"
        with suppress(OSError):
            private = Path(record.read_text("utf-8").strip())
            record.unlink()
            if _is_private(private):
                (private / "s").unlink()
                private.rmdir()


def _is_private(folder: Path) -> bool:
    status = folder.lstat()
    return folder.is_dir() and status.st_uid == os.geteuid() and not status.st_mode & 0o077


def _links_to(link: Path, target: Path) -> bool:
    with suppress(FileExistsError):
        link.symlink_to(target)
    return link.is_symlink() and link.readlink() == target


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _failed(str(error.filename or "system"), error.strerror or type(error).__name__) from error


def _failed(program: str, reason: str) -> ServerFailed:
    return ServerFailed(
        zh=f"内置数据库没能启动（{program}），已提交的数据不受影响。原因：{reason}",
        en=f"The embedded database did not start ({program}); committed data is safe. Reason: {reason}",
    )
