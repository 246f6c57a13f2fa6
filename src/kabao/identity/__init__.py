"""Who someone is: accounts by phone, codes, links, sessions, staff checks, API tokens, mail addresses, rate limits.

Invariants:

- A code, link, session token or API token is stored only as HMAC-SHA-256 under the server's secret, and appears in
  no log, error or repr. Codes go out through `CodeSender` alone.
- Asking for a code tells nothing about whether a phone has an account; a staff check tells nothing, by answer or by
  time, about whether someone is staff.
- A code dies with its fifth wrong try, its fifth minute or its use; a link and a time step of an authenticator work
  once, whatever arrives at the same moment.
- A frozen account has no session and no token, and gets none.
- An e-mail address is in force only after a code sent there was typed in, and stays so until another is; whether it
  belongs to other accounts too is told to nobody.
- A token acts as one role, and only while the account holds it.
"""

from kabao.identity.emails import EmailService
from kabao.identity.model import CASE_ROLES, STAFF_ROLES, EmailState, NewSession, Person, Role, SignedIn, Visitor
from kabao.identity.phone import normal_phone
from kabao.identity.ports import CodeSender, CodeUnreachable, CodeWrongAddress, MailCodeSender, MailUnavailable
from kabao.identity.rules import Act, clean_email, mask_email, mask_phone, visitor_of
from kabao.identity.service import IdentityService
from kabao.identity.terminal import TerminalCodeSender
from kabao.identity.token_cache import TokenCache

__all__ = [
    "CASE_ROLES",
    "STAFF_ROLES",
    "Act",
    "CodeSender",
    "CodeUnreachable",
    "CodeWrongAddress",
    "EmailService",
    "EmailState",
    "IdentityService",
    "MailCodeSender",
    "MailUnavailable",
    "NewSession",
    "Person",
    "Role",
    "SignedIn",
    "TerminalCodeSender",
    "TokenCache",
    "Visitor",
    "clean_email",
    "mask_email",
    "mask_phone",
    "normal_phone",
    "visitor_of",
]
