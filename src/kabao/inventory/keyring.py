"""The key files: made on first start, kept readable by one account only, replaced by rotation.

`secrets/kek-N.key` holds the key that wraps every shop's data key (KEK) and the root from which the other server
secrets are derived; the root is the same in every file, so a rotation changes no blind index and ends no session.
Losing the file makes every card key unreadable, so it belongs in the backup, apart from the database.
"""

import hmac
import os
import re
import secrets
import stat
import unicodedata
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from kabao.postgres import ExplainedError

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
BLIND_BYTES: Final = 16
_MAX_FILE_BYTES: Final = 4_096
_OTHERS: Final = 0o077
_FILE_NAME: Final = re.compile(r"kek-([1-9][0-9]{0,8})\.key")


class KeyringRefused(ExplainedError):  # noqa: N818  a refusal, in the project's own word
    """The key files may not or cannot be used; nothing was changed."""


class Wrapped(NamedTuple):
    """A data key as the database keeps it: which KEK wrapped it, and the wrapped bytes."""

    kek_id: str
    wrapped: bytes


class _KeyFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    kek_id: str
    kek: bytes
    root: bytes

    def __repr__(self) -> str:
        return f"_KeyFile({self.kek_id})"


class Keyring:
    """The keys of one installation, read from its folder; the first file is made where there is none.

    `folder` is the data folder's `secrets`, made with mode 0700 where it is missing. Where a database exists already,
    `open_keyring` decides first whether a new key may be made. Raises KeyringRefused for a file that others may read,
    is damaged, or belongs to another installation. Several processes may hold the same folder; each reads it anew
    before it wraps.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[int, _KeyFile] = {}
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self.reload()
        if not self._files:
            self._add(1, secrets.token_bytes(KEY_BYTES))
            self.reload()
        self._index_key = self.derive("inventory blind index")

    def __repr__(self) -> str:
        """Name the key in use, never its bytes."""
        return f"Keyring({self.kek_id})"

    @property
    def kek_id(self) -> str:
        """The key that new data keys are wrapped by."""
        return self._files[max(self._files)].kek_id

    @property
    def kek_ids(self) -> set[str]:
        """Every key there is a file of."""
        return {found.kek_id for found in self._files.values()}

    def reload(self) -> None:
        """Read the key files again."""
        _refuse_wide(self._folder, self._folder.stat().st_mode)
        read = ((int(match[1]), _read(path)) for path, match in _listed(self._folder))
        files = {number: found for number, found in read if found is not None}
        if len({found.root for found in files.values()}) > 1:
            raise KeyringRefused(
                zh=f"{self._folder} 里的密钥文件来自两套不同的安装，没有启动。请只留下属于这个数据库的那些。",
                en=f"The key files in {self._folder} belong to two installations; keep only those of this database.",
            )
        self._files = files

    def derive(self, label: str) -> bytes:
        """Derive a 32-byte secret for one purpose from the root (HKDF-SHA-256, RFC 5869)."""
        root = self._files[max(self._files)].root
        return HKDF(SHA256(), KEY_BYTES, None, f"kabao/{label}".encode()).derive(root)

    def blind(self, key: str) -> bytes:
        """Return the 16 bytes by which the same key is recognised: HMAC-SHA-256 of the trimmed NFKC text."""
        return hmac.digest(self._index_key, unicodedata.normalize("NFKC", key.strip()).encode(), "sha256")[:BLIND_BYTES]

    def wrap(self, shop_id: int, dek_id: int, data_key: bytes) -> Wrapped:
        """Wrap a shop's data key by the current KEK, bound to its place."""
        current = self._files[max(self._files)]
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = AESGCMSIV(current.kek).encrypt(nonce, data_key, _place(shop_id, dek_id, current.kek_id))
        return Wrapped(current.kek_id, nonce + sealed)

    def unwrap(self, shop_id: int, dek_id: int, wrapped: Wrapped) -> bytes:
        """Return the data key; raises KeyringRefused where its KEK is missing or the bytes were changed."""
        if wrapped.kek_id not in self.kek_ids:
            self.reload()
        for found in self._files.values():
            if found.kek_id == wrapped.kek_id:
                nonce, sealed = wrapped.wrapped[:NONCE_BYTES], wrapped.wrapped[NONCE_BYTES:]
                try:
                    return AESGCMSIV(found.kek).decrypt(nonce, sealed, _place(shop_id, dek_id, found.kek_id))
                except (InvalidTag, ValueError):
                    raise KeyringRefused(
                        zh=f"店铺 {shop_id} 的数据密钥 {dek_id} 被改动过，解不开。请从备份恢复数据库。",
                        en=f"Data key {dek_id} of shop {shop_id} was changed and does not open; restore a backup.",
                    ) from None
        raise missing_key({wrapped.kek_id}, self._folder)

    def add_kek(self) -> str:
        """Make a new key file beside the old ones and use it from now on; returns its id."""
        self.reload()
        newest = max(self._files)
        self._add(newest + 1, self._files[newest].root)
        self.reload()
        return self.kek_id

    def remove_old(self) -> int:
        """Remove every key file but the newest, once nothing is wrapped by them; returns how many."""
        newest = max(self._files)
        old = [path for path, match in _listed(self._folder) if int(match[1]) < newest]
        for path in old:
            path.unlink(missing_ok=True)
        _sync_folder(self._folder)
        self.reload()
        return len(old)

    def _add(self, number: int, root: bytes) -> None:
        made = _KeyFile(1, f"{number}-{secrets.token_hex(4)}", secrets.token_bytes(KEY_BYTES), root)
        temporary = self._folder / f".kek-{number}.{secrets.token_hex(8)}"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.encode(made) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            # A link never replaces a file, so of two processes that start at once, one makes the key.
            os.link(temporary, self._folder / f"kek-{number}.key")
        except FileExistsError:
            pass
        finally:
            temporary.unlink()
        _sync_folder(self._folder)


def has_key_file(folder: Path) -> bool:
    """Tell whether a folder holds a key file."""
    return folder.is_dir() and bool(_listed(folder))


def missing_key(kek_ids: set[str], folder: Path) -> KeyringRefused:
    """Explain that data exists which no key file opens."""
    named = "、".join(sorted(kek_ids))
    return KeyringRefused(
        zh=f"数据库里的卡密由密钥 {named} 加密，但 {folder} 里没有它的文件。请从备份放回密钥文件，不要新建。",
        en=f"Card keys in the database are encrypted by key {named}, which has no file in {folder}. "
        "Restore the key file from the backup; a new one would not open them.",
    )


def _place(shop_id: int, dek_id: int, kek_id: str) -> bytes:
    return f"kabao data key|{shop_id}|{dek_id}|{kek_id}".encode()


def _listed(folder: Path) -> list[tuple[Path, re.Match[str]]]:
    matched = ((path, _FILE_NAME.fullmatch(path.name)) for path in folder.iterdir())
    return sorted((path, match) for path, match in matched if match is not None)


def _read(path: Path) -> _KeyFile | None:
    damaged = KeyringRefused(
        zh=f"密钥文件 {path} 损坏了，没有启动。请从备份放回这个文件。",
        en=f"The key file {path} is damaged; restore it from the backup.",
    )
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        # A rotation elsewhere removed it after the folder was listed.
        return None
    except OSError as error:
        raise KeyringRefused(
            zh=f"密钥文件 {path} 打不开（{error.strerror}），没有启动。",
            en=f"The key file {path} cannot be opened ({error.strerror}).",
        ) from None
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise damaged
        _refuse_wide(path, mode)
        text = os.read(descriptor, _MAX_FILE_BYTES)
    finally:
        os.close(descriptor)
    try:
        found = msgspec.json.decode(text, type=_KeyFile)
    except msgspec.DecodeError:
        raise damaged from None
    if found.version != 1 or len(found.kek) != KEY_BYTES or len(found.root) != KEY_BYTES:
        raise damaged
    return found


def _refuse_wide(path: Path, mode: int) -> None:
    if mode & _OTHERS:
        allowed = "700" if stat.S_ISDIR(mode) else "600"
        raise KeyringRefused(
            zh=f"{path} 的权限是 {stat.S_IMODE(mode):04o}，别的账号也能碰到，没有启动。请执行 chmod {allowed} {path}。",
            en=f"{path} has mode {stat.S_IMODE(mode):04o}, so other accounts reach it. Run: chmod {allowed} {path}",
        )


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
