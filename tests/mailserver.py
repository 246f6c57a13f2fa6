"""A mail server of the test's own, which refuses, dawdles and hangs up as it is told; and a certificate for it."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as POLICY
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, PASSWORD = "kabao", "p@ss/word"


@dataclass
class MailServer:
    """What the server is told to do, and what it took; `rcpt` and `data` are answers such as `550 no such user`."""

    rcpt: str = ""
    data: str = ""
    mail: str = ""
    dawdle_seconds: float = 0.0
    hangs_up: bool = False
    taken: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    users: list[str] = field(default_factory=list)
    was_secret: list[bool] = field(default_factory=list)
    port: int = 0

    async def handle_MAIL(  # noqa: N802  aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.mail:
            return self.mail
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.rcpt:
            return self.rcpt
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.dawdle_seconds:
            await asyncio.sleep(self.dawdle_seconds)
        if self.hangs_up:
            transport: Any = server.transport
            transport.abort()
            return "250 never said"
        if self.data:
            return self.data
        content = envelope.content
        assert isinstance(content, bytes)
        parsed = message_from_bytes(content, policy=POLICY)
        assert isinstance(parsed, EmailMessage)
        self.taken.append(parsed)
        self.recipients += envelope.rcpt_tos
        line: Any = server.transport
        self.was_secret.append(line.get_extra_info("ssl_object") is not None)
        return "250 taken"

    def check(self, _server: SMTP, _session: Session, _envelope: Envelope, mechanism: str, auth: Any) -> AuthResult:
        assert mechanism in ("PLAIN", "LOGIN")
        assert isinstance(auth, LoginPassword)
        self.users.append(auth.login.decode())
        return AuthResult(success=(auth.login, auth.password) == (USER.encode(), PASSWORD.encode()))


@asynccontextmanager
async def serving(
    server: MailServer,
    certificate: Path | None = None,
    *,
    security: Literal["none", "starttls", "tls"] = "none",
    asks_who: bool = False,
) -> AsyncIterator[MailServer]:
    """Serve on a free port of this machine, with the certificate where the line is secret."""
    context = None
    if security != "none":
        assert certificate is not None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
    loop = asyncio.get_running_loop()

    def answer() -> SMTP:
        return SMTP(
            server,
            hostname="mail.example.org",
            loop=loop,
            tls_context=context if security == "starttls" else None,
            require_starttls=security == "starttls",
            authenticator=server.check if asks_who else None,
            auth_required=asks_who,
            auth_require_tls=security != "none",
        )

    listening = await loop.create_server(answer, "127.0.0.1", 0, ssl=context if security == "tls" else None)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()


def make_certificate(folder: Path) -> Path:
    """Write a certificate for this machine that nobody else vouches for, with its key, into one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "mail.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path
