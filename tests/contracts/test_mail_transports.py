"""What every transport of mail must keep, against a real server; and each way in which one does not take a letter."""

import asyncio
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest
import pytest_asyncio

from kabao.notices import (
    Attachment,
    MailSettingsWrong,
    MailTransport,
    NotTaken,
    Sender,
    SmtpTransport,
    TerminalTransport,
    Topic,
    read_smtp_url,
)
from kabao.notices.compose import compose_letter
from kabao.notices.model import Letter
from kabao.notices.rules import Failure
from mailserver import PASSWORD, USER, MailServer, make_certificate, serving

AT = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
LETTER = compose_letter(
    Letter(
        account_id=7,
        mail_id=8,
        topic=Topic.CASES,
        subject="「测试点卡」的纠纷：商家作了答复，轮到你",
        body="打开看。\n.\n行首的点\n" + "长" * 2000,
        attachments=[Attachment("receipt.txt", b"c2sp.org/tlog-proof@v1\nextra\r\n\xe2\x80\x94\n")],
        attempt=1,
        made_at=AT,
        now=AT,
    ),
    "xiaoman@example.com",
    Sender("no-reply@example.org", "卡保", "", "https://kabao.example.org"),
    "https://kabao.example.org/mail/unsubscribe?t=1.cases.x",
)
QUICK = {"total_seconds": 2.0, "answer_seconds": 1.0}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest_asyncio.fixture
async def open_server() -> AsyncIterator[MailServer]:
    async with serving(MailServer()) as server:
        yield server


def to(server: MailServer, scheme: str = "smtp", login: str = "", query: str = "?tls=none") -> SmtpTransport:
    return SmtpTransport(read_smtp_url(f"{scheme}://{login}127.0.0.1:{server.port}{query}"), **QUICK)


LOGIN = f"{USER}:{quote(PASSWORD, safe='')}@"


@pytest.mark.parametrize(
    ("security", "asks_who"), [("none", False), ("starttls", False), ("starttls", True), ("tls", False)]
)
async def test_a_letter_arrives_whole(certificate: Path, security: str, asks_who: bool) -> None:  # noqa: FBT001
    async with serving(MailServer(), certificate, security=security, asks_who=asks_who) as server:  # type: ignore[arg-type]
        query = "?tls=none" if security == "none" else f"?ca={certificate}"
        scheme = "smtps" if security == "tls" else "smtp"
        transport: MailTransport = to(server, scheme, LOGIN if asks_who else "", query)
        assert transport.delivers
        await transport.send(LETTER)
    [taken] = server.taken
    assert server.recipients == ["xiaoman@example.com"]
    assert server.was_secret == [security != "none"]
    assert server.users == ([USER] if asks_who else [])
    assert (taken["Subject"], taken["To"]) == (LETTER["Subject"], "xiaoman@example.com")
    body = taken.get_body(("plain",))
    assert body is not None
    assert body.get_content() == LETTER.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    [attached] = taken.iter_attachments()
    assert attached.get_filename() == "receipt.txt"
    assert attached.get_payload(decode=True) == b"c2sp.org/tlog-proof@v1\nextra\r\n\xe2\x80\x94\n"


async def test_the_terminal_shows_a_letter() -> None:
    shown = io.StringIO()
    transport: MailTransport = TerminalTransport(shown)
    assert not transport.delivers
    await transport.send(LETTER)
    first, *rest = shown.getvalue().splitlines()
    assert first == "kabao: mail to xiaoman@example.com: 「测试点卡」的纠纷：商家作了答复，轮到你"
    assert "  | 打开看。" in rest
    assert rest[-1] == "  | [receipt.txt]"


async def test_a_terminal_that_knows_no_chinese_gets_what_it_can_show() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    await TerminalTransport(stream).send(LETTER)
    assert raw.getvalue().startswith(b"kabao: mail to xiaoman@example.com: ???")


@pytest.mark.parametrize(
    ("server", "failure"),
    [
        (MailServer(rcpt="550 5.1.1 no such user"), Failure.ADDRESS),
        (MailServer(rcpt="450 4.2.0 greylisted"), Failure.LATER),
        (MailServer(data="554 5.7.1 looks like spam"), Failure.MESSAGE),
        (MailServer(data="451 4.3.0 try again"), Failure.LATER),
        (MailServer(mail="552 5.3.4 too large"), Failure.MESSAGE),
        (MailServer(mail="550 5.7.1 this sender may not"), Failure.SERVER),
        (MailServer(mail="421 4.3.2 closing"), Failure.SERVER),
        (MailServer(hangs_up=True), Failure.SERVER),
    ],
    ids=lambda value: (
        value.name if isinstance(value, Failure) else value.rcpt or value.data or value.mail or "hangs up"
    ),
)
async def test_each_refusal_is_told_apart(server: MailServer, failure: Failure) -> None:
    async with serving(server):
        with pytest.raises(NotTaken) as refused:
            await to(server).send(LETTER)
    assert refused.value.failure is failure
    assert server.taken == []
    # What is kept of it, and logged, never quotes the server, which may have quoted the address.
    assert "xiaoman" not in str(refused.value)


async def test_a_slow_server_is_not_waited_for() -> None:
    async with serving(MailServer(dawdle_seconds=5.0)) as server:
        with pytest.raises(NotTaken, match="too long") as refused:
            await to(server).send(LETTER)
    assert refused.value.failure is Failure.SERVER


async def test_a_server_that_says_nothing_is_not_waited_for() -> None:
    async def say_nothing(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await asyncio.sleep(10)
        finally:
            writer.close()

    mute = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    server = MailServer(port=mute.sockets[0].getsockname()[1])
    with pytest.raises(NotTaken) as refused:
        await to(server).send(LETTER)
    assert refused.value.failure is Failure.SERVER
    mute.close()


async def test_nobody_at_the_port_is_the_servers_fault(open_server: MailServer) -> None:
    transport = to(open_server)
    open_server.port = 1
    with pytest.raises(NotTaken) as refused:
        await to(open_server).send(LETTER)
    assert refused.value.failure is Failure.SERVER
    await transport.send(LETTER)


async def test_a_certificate_nobody_vouches_for_gets_no_letter_and_no_password(certificate: Path) -> None:
    async with serving(MailServer(), certificate, security="starttls", asks_who=True) as server:
        with pytest.raises(NotTaken) as refused:
            await to(server, "smtp", LOGIN, "").send(LETTER)
    assert refused.value.failure is Failure.SERVER
    assert (server.users, server.taken) == ([], [])


async def test_a_server_without_starttls_gets_nothing_in_clear(open_server: MailServer) -> None:
    with pytest.raises(NotTaken) as refused:
        await to(open_server, query="").send(LETTER)
    assert refused.value.failure is Failure.SERVER
    assert open_server.taken == []


async def test_a_wrong_password_is_not_the_addresss_fault(certificate: Path) -> None:
    async with serving(MailServer(), certificate, security="starttls", asks_who=True) as server:
        with pytest.raises(NotTaken) as refused:
            await to(server, "smtp", f"{USER}:wrong@", f"?ca={certificate}").send(LETTER)
    assert refused.value.failure is Failure.SERVER
    assert server.taken == []


def test_a_file_of_certificates_that_is_none_is_said_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("nothing")
    for name in ("empty.pem", "missing.pem"):
        with pytest.raises(MailSettingsWrong, match="cannot be read"):
            SmtpTransport(read_smtp_url(f"smtp://mail.example.org?ca={tmp_path / name}"))
