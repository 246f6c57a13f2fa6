"""Mail as the settings say it: by SMTP, or to the transport that a caller brings, or not at all."""

from email.headerregistry import Address
from email.utils import getaddresses
from typing import Final

from kabao.identity import clean_email
from kabao.notices import MailSettingsWrong, MailTransport, Sender, SmtpTransport, read_smtp_url
from kabao.wiring.settings import Settings

NAME: Final = "卡保"
UNSENT: Final = Sender("nobody@localhost", NAME, "", "")
"""Who would write where nothing is sent to anybody."""


def mail_of(settings: Settings, transport: MailTransport | None) -> tuple[MailTransport | None, Sender]:
    """Return the transport and whom mail comes from; a server of the settings goes before the caller's transport.

    Raises `MailSettingsWrong` for settings that cannot be used.
    """
    if not settings.smtp_url:
        return transport, Sender(UNSENT.address, NAME, "", settings.origin)
    if not settings.mail_from:
        raise MailSettingsWrong(
            zh="设了 KABAO_SMTP_URL，还要用 KABAO_MAIL_FROM 写明发件地址，例如 卡保 <no-reply@example.com>。没有启动。",
            en="With KABAO_SMTP_URL set, KABAO_MAIL_FROM has to name the sender, such as kabao <no-reply@example.com>.",
        )
    name, address = _address("KABAO_MAIL_FROM", settings.mail_from)
    reply_to = _address("KABAO_MAIL_REPLY_TO", settings.mail_reply_to)[1] if settings.mail_reply_to else ""
    sender = Sender(address, name or NAME, reply_to, settings.origin)
    return SmtpTransport(read_smtp_url(settings.smtp_url)), sender


def _address(variable: str, text: str) -> tuple[str, str]:
    (name, written), *more = getaddresses([text]) or [("", "")]
    address = clean_email(written)
    try:
        if address is None or more:
            raise ValueError(variable)  # noqa: TRY301  one sentence for all of it
        Address(name, addr_spec=address)
    except ValueError:
        raise MailSettingsWrong(
            zh=f"{variable} 不是一个邮箱地址，例如 卡保 <no-reply@example.com>。没有启动。",
            en=f"{variable} is not one mail address such as kabao <no-reply@example.com>.",
        ) from None
    return name, address
