"""What kabao tells people on its own pages, and by mail where they asked for it.

Invariants:

- A notice or a letter is written in the transaction that made it true; a notice links only to a path of this site;
  nobody reads or marks another person's notices.
- A letter goes only to an address that was confirmed and works, and only while its topic is wanted; each carries a
  signed link that stops its topic.
- A short message goes only by a channel that its account switched on, through the operator's own gateway.
- A letter or message is sent by who holds its lease, under the same Message-ID at each try; seven days after its end
  its text is gone.
- No letter holds a key; the one secret that is mailed, the code that confirms an address, is never queued.
"""

from kabao.notices.gateway import Gateway, GatewayCodeSender, GatewaySettingsWrong, gateways_of
from kabao.notices.mailer import CodeMail, Mailer
from kabao.notices.model import Attachment, Channel, Notice, QuietHours, Sender, ShortMessage, Topic
from kabao.notices.ports import MailTransport, NotTaken, ShortMessages
from kabao.notices.service import NoticeService
from kabao.notices.smtp import MailSettingsWrong, SmtpServer, SmtpTransport, read_smtp_url
from kabao.notices.terminal import TerminalShortMessages, TerminalTransport
from kabao.notices.texter import Texter

__all__ = [
    "Attachment",
    "Channel",
    "CodeMail",
    "Gateway",
    "GatewayCodeSender",
    "GatewaySettingsWrong",
    "MailSettingsWrong",
    "MailTransport",
    "Mailer",
    "NotTaken",
    "Notice",
    "NoticeService",
    "QuietHours",
    "Sender",
    "ShortMessage",
    "ShortMessages",
    "SmtpServer",
    "SmtpTransport",
    "TerminalShortMessages",
    "TerminalTransport",
    "Texter",
    "Topic",
    "gateways_of",
    "read_smtp_url",
]
