"""Mail from the settings to a real server: read strictly at the start, sent by the workers, no secret printed."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import msgspec
import pytest

from helpstories import told
from kabao.helpcases import HelpState, SavedCase
from kabao.identity import Role, Visitor
from kabao.kernel import Refused
from kabao.notices import MailSettingsWrong, SmtpTransport, TerminalTransport
from kabao.postgres import Database
from kabao.selfhelp import Moment, SentLetter, To
from kabao.wiring import App, Pace, Settings, Workers, build
from kabao.wiring.post import mail_of
from mailserver import PASSWORD, USER, MailServer, make_certificate, serving
from market import person

FROM = "卡保演示 <no-reply@example.org>"
QUICK = Pace(mail=0.05, digest=0.05, tidy=0.05, reminders=0.1)
HOME = Visitor("test phone", "192.0.2.0/24")


def settings(folder: Path, **environment: str) -> Settings:
    return Settings.of(folder, environment={f"KABAO_{name}": text for name, text in environment.items()})


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await holds():  # noqa: ASYNC110  what is waited for happens elsewhere
            await asyncio.sleep(0.02)


async def test_a_notice_reaches_a_mailbox_by_itself(database: Database, tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    async with serving(MailServer(), certificate, security="starttls", asks_who=True) as server:
        url = f"smtp://{USER}:{quote(PASSWORD, safe='')}@127.0.0.1:{server.port}?ca={certificate}"
        given = settings(tmp_path, SMTP_URL=url, MAIL_FROM=FROM, MAIL_REPLY_TO="help@example.org")
        assert PASSWORD not in repr(given)
        app = await build(given, database)
        account = await app.identity.find_or_create("+12025550101", "小满", [Role.BUYER])
        me = person(account)
        assert await app.emails.request(me, "xiaoman@example.com", HOME) == "x***@example.com"
        body = server.taken[0].get_body(("plain",))
        assert body is not None
        found = re.search(r"\d{6}", body.get_content())
        assert found is not None
        assert await app.emails.confirm(me, found[0]) is None
        async with database.transaction() as conn:
            await app.notices.tell(conn, account, "case_ruled", "客服作出了裁决", "/c/1-2")
        workers = Workers(app, pace=QUICK)
        workers.start()

        async def is_sent() -> bool:
            return await database.fetchval("SELECT state FROM mail") == "sent"

        try:
            await until(is_sent)
        finally:
            await workers.stop()
    letter = server.taken[1]
    assert letter["From"] == FROM
    assert letter["Reply-To"] == "help@example.org"
    assert letter["Subject"] == "客服作出了裁决"
    assert server.recipients == ["xiaoman@example.com"] * 2
    assert server.users == [USER] * 2


async def test_a_day_of_a_saved_case_reaches_a_mailbox_without_a_word_of_the_case(
    database: Database, tmp_path: Path
) -> None:
    async with serving(MailServer()) as server:
        url = f"smtp://127.0.0.1:{server.port}?tls=none"
        app = await build(settings(tmp_path, SMTP_URL=url, MAIL_FROM=FROM), database)
        account = await app.identity.find_or_create("+12025550101", "小满", [Role.BUYER])
        await app.emails.request(person(account), "xiaoman@example.com", HOME)
        code = re.search(r"\d{6}", text_of(server, 0))
        assert code is not None
        assert await app.emails.confirm(person(account), code[0]) is None
        now = datetime.now(UTC)
        # Told three hours before: in a second from now.
        sent = SentLetter(to=To.MERCHANT, sent=Moment(now), due=Moment(now + timedelta(hours=3, seconds=1)))
        story = msgspec.structs.replace(told("key_invalid", title="谁也不该看到的商品"), letters=(sent,))
        saved = await app.help_cases.save(account, SavedCase(state=HelpState(story=story), seed=b"s" * 32))
        assert not isinstance(saved, Refused)
        workers = Workers(app, pace=QUICK)
        workers.start()

        async def has_come() -> bool:
            return len(server.taken) > 1

        try:
            await until(has_come)
        finally:
            await workers.stop()
    letter = server.taken[1]
    assert str(letter["Subject"]).startswith("我的维权：商家答复期满，")
    assert str(letter["Subject"]).endswith("还剩 3 小时")
    assert f"/help-me/cases/{saved.case_id}" in text_of(server, 1)
    assert "谁也不该看到的商品" not in letter.as_string() + text_of(server, 1)
    assert "一家店" not in text_of(server, 1)
    assert server.recipients == ["xiaoman@example.com"] * 2


def text_of(server: MailServer, number: int) -> str:
    body = server.taken[number].get_body(("plain",))
    assert body is not None
    text: str = body.get_content()
    return text


def test_without_a_server_mail_goes_where_the_caller_says_or_nowhere(tmp_path: Path) -> None:
    terminal = TerminalTransport()
    assert mail_of(settings(tmp_path), None)[0] is None
    assert mail_of(settings(tmp_path), terminal)[0] is terminal
    carrier, sender = mail_of(
        settings(tmp_path, SMTP_URL="smtp://mail.example.org", MAIL_FROM="a@Example.org"), terminal
    )
    assert isinstance(carrier, SmtpTransport)
    assert (sender.name, sender.address, sender.reply_to) == ("卡保", "a@example.org", "")
    assert sender.origin == "http://127.0.0.1:8080"


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"SMTP_URL": "smtp://u:secret@mail.example.org"}, "KABAO_MAIL_FROM"),
        ({"SMTP_URL": "smtp://u:secret@mail.example.org", "MAIL_FROM": "nobody"}, "KABAO_MAIL_FROM"),
        ({"SMTP_URL": "smtp://u:secret@mail.example.org", "MAIL_FROM": "a@b.cc, d@e.ff"}, "KABAO_MAIL_FROM"),
        ({"SMTP_URL": "smtp://u:secret@m.example.org", "MAIL_FROM": "a@b.cc", "MAIL_REPLY_TO": "x"}, "MAIL_REPLY_TO"),
        ({"SMTP_URL": "http://u:secret@mail.example.org", "MAIL_FROM": "a@b.cc"}, "KABAO_SMTP_URL"),
    ],
)
async def test_settings_of_no_use_end_the_start_with_one_sentence(
    database: Database, tmp_path: Path, environment: dict[str, str], named: str
) -> None:
    with pytest.raises(MailSettingsWrong) as wrong:
        await build(settings(tmp_path, **environment), database)
    assert named in wrong.value.zh
    assert named in wrong.value.en
    assert "secret" not in f"{wrong.value.zh}{wrong.value.en}{wrong.value!r}"


async def test_the_workers_of_a_site_without_mail_send_nothing(app: App) -> None:
    assert not app.mailer.is_on
    assert await app.notices.send_mail() == 0
    names = {job.name for job in Workers(app).jobs()}
    assert {"mail", "digest"} <= names
