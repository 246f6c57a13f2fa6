"""The authorities an operator names in the environment, read and refused in plain sentences."""

import re
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from kabao.postgres import ExplainedError
from kabao.timestamps.model import SIMULATED, Authority

MAX_AUTHORITIES: Final = 8
MAX_URL: Final = 500
MAX_ROOTS_BYTES: Final = 65_536

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,29}")
_URL: Final = re.compile(r"[!-~]+")


class AuthoritiesRefused(ExplainedError):  # noqa: N818  a refusal, in the project's own word
    """KABAO_TIMESTAMP_AUTHORITIES cannot be used; nothing was started."""


def read_authorities(text: str) -> tuple[Authority, ...]:
    """Read `name=url=path-to-roots.pem`, several separated by `;`; empty text names none.

    A name is up to 30 lower-case letters, digits and dashes, and names files in packs. The address is http or https,
    without a password. The file holds one or more certificates (PEM): roots, and certificates in between that the
    authority does not send along; anything else in it is left out. Raises AuthoritiesRefused.
    """
    named = [_one(number, part.strip()) for number, part in enumerate(text.split(";"), 1) if part.strip()]
    names = [authority.name for authority in named]
    for name in names:
        if names.count(name) > 1:
            raise _refused(f"名字 {name} 用了两次，每家机构要有自己的名字", f"the name {name} occurs twice")
    if len(named) > MAX_AUTHORITIES:
        raise _refused(f"最多写 {MAX_AUTHORITIES} 家", f"at most {MAX_AUTHORITIES} can be named")
    return tuple(named)


def _one(number: int, part: str) -> Authority:
    name, first, rest = part.partition("=")
    url, last, path = rest.rpartition("=")
    name, url, path = name.strip(), url.strip(), path.strip()
    if not (first and last and name and url and path):
        raise _refused(
            f"第 {number} 项的写法不对，应为 名字=网址=根证书文件", f"entry {number} is not name=url=path-to-roots.pem"
        )
    if not _NAME.fullmatch(name) or name.startswith(SIMULATED):
        raise _refused(
            f"第 {number} 项的名字只能用小写字母、数字和连字符，最多 30 个，且不能以 {SIMULATED} 开头",
            f"the name of entry {number} may hold lower-case letters, digits and dashes, at most 30, and not begin "
            f"with {SIMULATED}",
        )
    if not _is_address(url):
        raise _refused(
            f"{name} 的网址要以 http:// 或 https:// 开头，不含用户名和密码",
            f"the address of {name} must begin with http:// or https:// and hold no user name or password",
        )
    return Authority(name=name, url=url, roots_pem=_roots(name, Path(path)))


def _is_address(url: str) -> bool:
    if len(url) > MAX_URL or not _URL.fullmatch(url):
        return False
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
        )
    except ValueError:
        return False


def _roots(name: str, path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            text = file.read(MAX_ROOTS_BYTES + 1)
    except OSError as error:
        raise _refused(
            f"{name} 的根证书文件 {path} 打不开（{error.strerror}）",
            f"the root certificates of {name} in {path} cannot be read ({error.strerror})",
        ) from None
    try:
        certificates = x509.load_pem_x509_certificates(text)
    except ValueError:
        certificates = []
    if not certificates or len(text) > MAX_ROOTS_BYTES:
        raise _refused(
            f"{name} 的根证书文件 {path} 里没有 PEM 证书，或大于 64 KB",
            f"the file {path} of {name} holds no PEM certificate, or more than 64 KB",
        )
    # Written anew, so that nothing but certificates gets into a pack, whatever else the file holds.
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


def _refused(zh: str, en: str) -> AuthoritiesRefused:
    return AuthoritiesRefused(
        zh=f"KABAO_TIMESTAMP_AUTHORITIES 不能用：{zh}。改好后再启动。",
        en=f"KABAO_TIMESTAMP_AUTHORITIES cannot be used: {en}. Mend it and start again.",
    )
