"""Makes a letter into the message that travels (RFC 5322), so that no text in it can become a header."""

from collections.abc import Sequence
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final

from kabao.notices import rules, words
from kabao.notices.model import Attachment, Letter, Sender

POLICY: Final = SMTP.clone(cte_type="7bit")
"""Every server takes seven bits; the library encodes words in headers and the text in the body."""


def compose_letter(letter: Letter, address: str, sender: Sender, unsubscribe_url: str) -> EmailMessage:
    """Write a letter to its address: the same Message-ID at each try, and a way to unsubscribe by one click (RFC 8058).

    A server that took the letter just before we lost it gets it again; by the Message-ID it may know that.
    """
    text = letter.body + words.footer(sender, letter.topic, unsubscribe_url)
    message = _message(
        sender,
        address,
        letter.subject,
        text,
        message_id=f"kabao.{letter.mail_id}",
        at=letter.made_at,
        attachments=letter.attachments,
    )
    message["List-Unsubscribe"] = f"<{unsubscribe_url}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return message


def compose_code(
    sender: Sender, address: str, code: str, seconds: int, *, message_id: str, at: datetime
) -> EmailMessage:
    """Write the letter that carries a code to a mailbox."""
    text = words.code_text(code, seconds // 60, sender.origin)
    return _message(sender, address, words.code_subject(), text, message_id=message_id, at=at)


def _message(
    sender: Sender,
    address: str,
    subject: str,
    text: str,
    *,
    message_id: str,
    at: datetime,
    attachments: Sequence[Attachment] = (),
) -> EmailMessage:
    message = EmailMessage(policy=POLICY)
    message["From"] = Address(sender.name, addr_spec=sender.address)
    message["To"] = Address(addr_spec=address)
    if sender.reply_to:
        message["Reply-To"] = Address(addr_spec=sender.reply_to)
    # What looks like an encoded word (RFC 2047) would be decoded, line breaks and all, so it must not look like one.
    message["Subject"] = rules.fit_subject(subject).replace("=?", "= ?")
    message["Date"] = at
    message["Message-ID"] = f"<{message_id}@{sender.address.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(rules.clean_body(text), charset="utf-8", cte="base64")
    for attached in attachments:
        # As base64, so that what is proved by its bytes arrives byte for byte.
        message.add_attachment(
            attached.content,
            maintype="text",
            subtype="plain",
            cte="base64",
            filename=attached.name,
            params={"charset": "utf-8"},
        )
    return message
