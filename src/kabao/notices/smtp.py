"""Mail by SMTP: the server's address from one URL, and the transport that hands letters to it."""

import asyncio
import contextlib
import ipaddress
import ssl
from email.message import EmailMessage
from typing import Final, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

import aiosmtplib
import msgspec

from kabao.notices.ports import NotTaken
from kabao.notices.rules import Failure
from kabao.postgres import ExplainedError

Security = Literal["starttls", "tls", "none"]

TOTAL_SECONDS: Final = 30.0
"""For one letter from connecting to the server's last word; the lease of a letter is longer."""
ANSWER_SECONDS: Final = 15.0
_PERMANENT: Final = 500
_TOO_LARGE: Final = 552
"""How a server that was told a letter's size (RFC 1870) says that it is too large."""
_PORTS: Final[dict[Security, int]] = {"starttls": 587, "tls": 465, "none": 25}


class MailSettingsWrong(ExplainedError):  # noqa: N818  named for what happened
    """The mail settings cannot be used; the message never quotes them."""


class SmtpServer(msgspec.Struct, frozen=True, kw_only=True):
    """A mail server: where it is, who we are there, and how the line is kept secret."""

    host: str
    port: int
    security: Security
    username: str = ""
    password: str = ""
    ca_file: str = ""

    def __repr__(self) -> str:
        """Leave out the secrets: a repr ends up in logs."""
        return f"SmtpServer({self.host}:{self.port}, {self.security})"


def read_smtp_url(text: str) -> SmtpServer:
    """Read `smtp://user:password@host:587` (STARTTLS required), `smtps://host` (TLS at once).

    `?tls=none` leaves the line open, to a server on this machine or without a password; `?ca=FILE` names the
    certificates to trust instead of the system's. Raises `MailSettingsWrong`.
    """
    try:
        url = urlsplit(text)
        port, options = url.port, dict(parse_qsl(url.query, strict_parsing=bool(url.query)))
    except ValueError:
        raise _wrong("写法不对", "it cannot be read") from None
    host = url.hostname or ""
    if url.scheme not in ("smtp", "smtps") or not host or url.path not in ("", "/") or url.fragment:
        raise _wrong(
            "要写成 smtp://用户:密码@主机:端口 或 smtps://…", "write smtp://user:password@host:port or smtps://…"
        )
    if not options.keys() <= {"tls", "ca"}:
        raise _wrong("问号后面只认 tls 和 ca", "only tls and ca are known after the question mark")
    security = _security(url.scheme, options.get("tls", ""))
    username, password = unquote(url.username or ""), unquote(url.password or "")
    if bool(username) != bool(password):
        raise _wrong("用户和密码要一起写", "name user and password together")
    if security == "none" and password and not _is_this_machine(host):
        raise _wrong("tls=none 会让密码明文过网", "tls=none would send the password in clear")
    return SmtpServer(
        host=host,
        port=port or _PORTS[security],
        security=security,
        username=username,
        password=password,
        ca_file=options.get("ca", ""),
    )


def _security(scheme: str, said: str) -> Security:
    match (scheme, said):
        case ("smtps", "" | "tls"):
            return "tls"
        case ("smtp", "" | "starttls"):
            return "starttls"
        case ("smtp", "none"):
            return "none"
        case _:
            raise _wrong(
                "tls 只能是 starttls 或 none，smtps:// 不用写", "tls is starttls or none, and left out of smtps://"
            )


def _wrong(zh: str, en: str) -> MailSettingsWrong:
    return MailSettingsWrong(zh=f"KABAO_SMTP_URL 不能用：{zh}。没有启动。", en=f"KABAO_SMTP_URL is no use: {en}.")


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class SmtpTransport:
    """Hands letters to one server, a connection each. Raises `MailSettingsWrong` where the trusted file is unusable."""

    delivers = True

    def __init__(
        self, server: SmtpServer, *, total_seconds: float = TOTAL_SECONDS, answer_seconds: float = ANSWER_SECONDS
    ) -> None:
        self._server = server
        self._total = total_seconds
        self._answer = answer_seconds
        try:
            self._tls = ssl.create_default_context(cafile=server.ca_file or None)
        except (OSError, ssl.SSLError):
            raise MailSettingsWrong(
                zh="KABAO_SMTP_URL 里 ca 指的证书文件读不了。没有启动。",
                en="The certificates that ca names in KABAO_SMTP_URL cannot be read.",
            ) from None

    async def send(self, message: EmailMessage) -> None:
        """Send to the message's one recipient; raises NotTaken."""
        client = aiosmtplib.SMTP(
            hostname=self._server.host,
            port=self._server.port,
            # A full name of this machine would need the DNS and tell it to the server.
            local_hostname="localhost",
            username=self._server.username or None,
            password=self._server.password or None,
            use_tls=self._server.security == "tls",
            start_tls=self._server.security == "starttls",
            tls_context=self._tls,
            timeout=self._answer,
        )
        try:
            async with asyncio.timeout(self._total):
                await self._connect(client)
                await self._hand_over(client, message)
        except TimeoutError as error:
            raise NotTaken(Failure.SERVER, "the server takes too long") from error
        finally:
            # The letter has its answer; a server that does not say goodbye changes nothing of it.
            with contextlib.suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
                async with asyncio.timeout(1.0):
                    await client.quit()
            client.close()

    @staticmethod
    async def _connect(client: aiosmtplib.SMTP) -> None:
        try:
            await client.connect()
        except TimeoutError:
            raise
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise NotTaken(Failure.SERVER, _said(error)) from error

    @staticmethod
    async def _hand_over(client: aiosmtplib.SMTP, message: EmailMessage) -> None:
        sender, recipient = (message[name].addresses[0].addr_spec for name in ("From", "To"))
        try:
            await client.sendmail(sender, [recipient], message.as_bytes())
        except aiosmtplib.SMTPRecipientsRefused as refused:
            code = refused.recipients[0].code
            raise NotTaken(Failure.ADDRESS if code >= _PERMANENT else Failure.LATER, f"{code} to RCPT") from refused
        except aiosmtplib.SMTPDataError as refused:
            code = refused.code
            raise NotTaken(Failure.MESSAGE if code >= _PERMANENT else Failure.LATER, f"{code} to DATA") from refused
        except aiosmtplib.SMTPSenderRefused as refused:
            is_too_large = refused.code == _TOO_LARGE
            raise NotTaken(Failure.MESSAGE if is_too_large else Failure.SERVER, f"{refused.code} to MAIL") from refused
        except TimeoutError:
            raise
        except (aiosmtplib.SMTPException, OSError) as error:
            raise NotTaken(Failure.SERVER, _said(error)) from error


def _said(error: Exception) -> str:
    """Name a failure without the server's words, which may quote an address."""
    code = getattr(error, "code", None)
    return f"{type(error).__name__} {code}" if code else type(error).__name__
