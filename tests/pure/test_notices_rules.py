from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP

import pytest

from kabao.notices import Attachment, MailSettingsWrong, Sender, SmtpServer, Topic, read_smtp_url, words
from kabao.notices.compose import compose_code, compose_letter
from kabao.notices.model import Letter
from kabao.notices.rules import (
    Failure,
    clean_body,
    fit_subject,
    is_own_path,
    letter_fault,
    next_try,
    topic_of,
)

AT = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
SENDER = Sender("no-reply@mail.example.org", "卡保", "help@example.org", "https://kabao.example.org")
STOP = "https://kabao.example.org/mail/unsubscribe?t=7.cases.abc"


def letter(subject: str = "轮到你", body: str = "打开看。\n", *attachments: Attachment) -> Letter:
    return Letter(
        account_id=7,
        mail_id=8,
        topic=Topic.CASES,
        subject=subject,
        body=body,
        attachments=list(attachments),
        attempt=1,
        made_at=AT,
        now=AT,
    )


def arrived(message: EmailMessage) -> EmailMessage:
    """Read a message as the other side does, from its bytes."""
    read = message_from_bytes(message.as_bytes(), policy=SMTP)
    assert isinstance(read, EmailMessage)
    return read


def text_of(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    text: str = body.get_content()
    return text.replace("\r\n", "\n")


@pytest.mark.parametrize(
    ("kind", "topic"),
    [
        ("sale", Topic.ORDERS),
        ("payout", Topic.ORDERS),
        ("case_opened", Topic.CASES),
        ("case_ruled", Topic.CASES),
        ("receipt", Topic.RECEIPTS),
        ("address_failed", None),
    ],
)
def test_each_kind_of_notice_falls_under_one_choice(kind: str, topic: Topic | None) -> None:
    assert topic_of(kind) is topic


def test_a_subject_is_one_line_and_cut() -> None:
    assert fit_subject(" 卖出\r\nBcc: a@example.com\x00 ") == "卖出 Bcc: a@example.com"
    assert fit_subject("长" * 201) == "长" * 199 + "…"


@pytest.mark.parametrize(
    ("link", "is_own"),
    [("/o/1-2", True), ("//example.com", False), ("/" + "x" * 300, False), ("/\\a", False), ("/a\n", False)],
)
def test_links_stay_on_the_site(link: str, is_own: bool) -> None:  # noqa: FBT001  a table
    assert is_own_path(link) is is_own


def test_a_text_keeps_its_lines_and_loses_what_cannot_be_seen() -> None:
    assert clean_body("一\r\n二\r三\n\t四\x00\x1b[31m\u202e\ud800") == "一\n二\n三\n\t四[31m"


@pytest.mark.parametrize(
    ("text", "attachments", "fault"),
    [
        ("好", [Attachment("a.txt", b"x" * 256 * 1024)], None),
        ("长" * 21846, [], "the text is longer than 64 KiB"),
        ("", [Attachment("a.txt", b"")] * 21, "there are more than 20 attachments"),
        ("", [Attachment("../a", b"")], "an attachment's name is not 1 to 80 of A-Za-z0-9._-"),
        ("", [Attachment('a"\r\nX: y', b"")], "an attachment's name is not 1 to 80 of A-Za-z0-9._-"),
        (
            "",
            [Attachment("a", b"x" * 256 * 1024), Attachment("b", b"x")],
            "the attachments are larger than 256 KiB together",
        ),
    ],
)
def test_letters_have_limits(text: str, attachments: list[Attachment], fault: str | None) -> None:
    assert letter_fault(text, attachments) == fault


@pytest.mark.parametrize(
    ("failure", "attempt", "age", "wait"),
    [
        (Failure.SERVER, 1, timedelta(0), timedelta(minutes=1)),
        (Failure.LATER, 2, timedelta(hours=1), timedelta(minutes=5)),
        (Failure.LATER, 9, timedelta(days=2), timedelta(hours=6)),
        (Failure.LATER, 9, timedelta(days=3), None),
        (Failure.SERVER, 9, timedelta(days=4), None),
        (Failure.MESSAGE, 1, timedelta(0), None),
        (Failure.ADDRESS, 1, timedelta(0), None),
    ],
)
def test_a_failed_letter_waits_ever_longer_or_is_given_up(
    failure: Failure, attempt: int, age: timedelta, wait: timedelta | None
) -> None:
    assert next_try(failure, attempt=attempt, made_at=AT, now=AT + age) == wait


def test_a_letter_says_what_it_is_and_how_to_stop_it() -> None:
    message = arrived(compose_letter(letter(), "xiaoman@example.com", SENDER, STOP))
    assert str(message["From"]) == "卡保 <no-reply@mail.example.org>"
    assert (message["To"], message["Reply-To"]) == ("xiaoman@example.com", "help@example.org")
    assert message["Message-ID"] == "<kabao.8@mail.example.org>"
    assert message["Date"].datetime == AT
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Unsubscribe"] == f"<{STOP}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert text_of(message) == (
        "打开看。\n\n--\n卡保 https://kabao.example.org\n回复会送到平台的邮箱。\n"
        f"不再收「案件」的邮件：{STOP}\n通知设置：https://kabao.example.org/me/notices\n"
    )


def test_the_same_letter_travels_as_the_same_bytes_but_for_its_boundary() -> None:
    one, two = (compose_letter(letter(), "a@example.com", SENDER, STOP).as_bytes() for _ in range(2))
    assert one == two
    assert one.isascii()
    assert max(map(len, one.split(b"\r\n"))) <= 998
    assert b"\n" not in one.replace(b"\r\n", b"")


def test_without_an_address_for_answers_the_letter_says_so() -> None:
    silent = Sender("no-reply@example.org", "卡保", "", "https://kabao.example.org")
    message = arrived(compose_letter(letter(), "a@example.com", silent, STOP))
    assert message["Reply-To"] is None
    assert "回复没有人看" in text_of(message)


@pytest.mark.parametrize(
    "nasty",
    [
        "卖出\r\nBcc: victim@example.com",
        "卖出\nX-A: b",
        "卖出\r\n\r\n正文",
        "=?utf-8?q?a=0d=0aBcc:_v@example.com?=",
        "\x00" * 3,
    ],
)
def test_no_text_becomes_a_header(nasty: str) -> None:
    shown = letter(nasty, f"{nasty}\r\n.\r\nMAIL FROM:<x@example.com>", Attachment("a.txt", nasty.encode()))
    message = arrived(compose_letter(shown, "a@example.com", SENDER, STOP))
    assert message["Bcc"] is None
    assert message["X-A"] is None
    assert set(message.keys()) == {
        "From", "To", "Reply-To", "Subject", "Date", "Message-ID", "Auto-Submitted", "List-Unsubscribe",
        "List-Unsubscribe-Post", "MIME-Version", "Content-Type",
    }  # fmt: skip


def test_what_is_attached_arrives_byte_for_byte() -> None:
    proof = Attachment("1-2.tlog-proof", b"c2sp.org/tlog-proof@v1\r\nindex 7\n\xff\x00\n\xe2\x80\x94 origin\n")
    message = arrived(compose_letter(letter("s", "b", proof), "a@example.com", SENDER, STOP))
    [part] = message.iter_attachments()
    assert part.get_filename() == "1-2.tlog-proof"
    assert part.get_content_type() == "text/plain"
    assert part.get_payload(decode=True) == proof.content


def test_a_code_stands_in_the_text_alone_and_cannot_be_unsubscribed() -> None:
    message = arrived(compose_code(SENDER, "a@example.com", "123456", 900, message_id="kabao.code.9", at=AT))
    assert "123456" not in message["Subject"]
    assert "验证码：123456" in text_of(message)
    assert "15 分钟内有效" in text_of(message)
    assert message["List-Unsubscribe"] is None


@pytest.mark.parametrize(("subject", "first"), [("轮到你", "轮到你。"), ("完成了。", "完成了。"), ("太长…", "太长…")])
def test_a_notice_by_mail_begins_with_its_subject(subject: str, first: str) -> None:
    text = words.notice_text(subject, "https://kabao.example.org/c/1-2")
    assert text == f"{first}\n\n打开看：https://kabao.example.org/c/1-2\n"


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example.org", SmtpServer(host="mail.example.org", port=587, security="starttls")),
        (
            "smtp://kabao%40example.org:p%3A%2F%40@mail.example.org:2525?tls=starttls&ca=/etc/ca.pem",
            SmtpServer(
                host="mail.example.org",
                port=2525,
                security="starttls",
                username="kabao@example.org",
                password="p:/@",
                ca_file="/etc/ca.pem",
            ),
        ),
        (
            "smtps://u:p@[2001:db8::1]/",
            SmtpServer(host="2001:db8::1", port=465, security="tls", username="u", password="p"),
        ),
        ("smtps://mail.example.org?tls=tls", SmtpServer(host="mail.example.org", port=465, security="tls")),
        ("smtp://mail.example.org?tls=none", SmtpServer(host="mail.example.org", port=25, security="none")),
        (
            "smtp://u:p@localhost:25?tls=none",
            SmtpServer(host="localhost", port=25, security="none", username="u", password="p"),
        ),
        (
            "smtp://u:p@127.0.0.2?tls=none",
            SmtpServer(host="127.0.0.2", port=25, security="none", username="u", password="p"),
        ),
    ],
)
def test_a_mail_server_is_one_url(url: str, server: SmtpServer) -> None:
    assert read_smtp_url(url) == server
    assert "p:/@" not in repr(read_smtp_url(url))


@pytest.mark.parametrize(
    "url",
    [
        "mail.example.org",
        "http://mail.example.org",
        "smtp://",
        "smtp://u:secret@mail.example.org:99999",
        "smtp://u:secret@mail.example.org/path",
        "smtp://u:secret@mail.example.org#x",
        "smtp://u:secret@mail.example.org?tls",
        "smtp://u:secret@mail.example.org?tls=maybe",
        "smtp://u:secret@mail.example.org?port=1",
        "smtp://u:secret@mail.example.org?tls=none",
        "smtp://u:secret@192.0.2.1?tls=none",
        "smtps://u:secret@mail.example.org?tls=none",
        "smtp://secret@mail.example.org",
        "smtp://u:secret@[::1",
    ],
)
def test_a_url_that_is_no_use_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(MailSettingsWrong) as wrong:
        read_smtp_url(url)
    assert "KABAO_SMTP_URL" in wrong.value.zh
    assert "secret" not in f"{wrong.value.zh}{wrong.value.en}{wrong.value!r}{wrong.value}"
