"""What identity decides, without I/O: when a code counts, what is shown of a phone, which texts are names."""

import ipaddress
import re
import unicodedata
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from kabao.identity.model import Visitor

CODE_DIGITS: Final = 6
CODE_SECONDS: Final = 5 * 60
CODE_TRIES: Final = 5
CODE_SPACING_SECONDS: Final = 60
EMAIL_CODE_SECONDS: Final = 15 * 60
"""Longer than a phone's code: a mail server may make a first letter wait some minutes."""
LINK_SECONDS: Final = 24 * 3600
SESSION_SECONDS: Final = 30 * 24 * 3600
SEEN_SECONDS: Final = 10 * 60
STAFF_SECONDS: Final = 12 * 3600
TOTP_SECONDS: Final = 30

MAX_DEVICE: Final = 200
MAX_NAME: Final = 40
MAX_EMAIL: Final = 254
MIN_PASSWORD: Final = 10
MAX_PASSWORD: Final = 200
UNKNOWN_NETWORK: Final = "unknown"

_LOCAL: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL: Final = re.compile(rf"(?=.{{1,64}}@){_LOCAL}(?:\.{_LOCAL})*@{_LABEL}(?:\.{_LABEL})+")
"""RFC 5321's dot-string at a host name: what every mail server takes, and nothing that a command could hide in."""


class Limit(NamedTuple):
    """At most `hits` in each aligned window of `seconds`; a burst across a boundary may reach twice that."""

    hits: int
    seconds: int


CODES_PER_PHONE: Final = Limit(5, 3600)
CODES_PER_NETWORK: Final = Limit(20, 3600)
CODES_PER_ACCOUNT: Final = Limit(5, 3600)
CODES_PER_ADDRESS: Final = Limit(5, 3600)
SIGN_INS_PER_NETWORK: Final = Limit(60, 3600)
STAFF_CHECKS_PER_ACCOUNT: Final = Limit(5, 900)


class Act(StrEnum):
    """What pages and the API let a person do only so often; the value names the bucket."""

    SAY = "say"
    GIVE_FILE = "file"
    SEND_CHUNK = "chunk"
    OFFER = "offer"
    SAY_FACT = "fact"
    SAVE_DRAFT = "draft"
    FORECAST = "forecast"
    PROPOSE = "propose"
    REVEAL = "reveal"
    OPEN_SHOP = "open-shop"
    MAKE_PACK = "pack"
    WEBHOOK = "webhook"
    """Changing where a shop's messages go, or trying it."""
    GRANT_MANY = "grant-many"
    PRINT_RULING = "ruling"
    CHECK_TERMS = "terms"
    READ_FILE = "terms-file"
    """Having a file of terms read, which takes a process of its own."""
    HELP = "help"
    """A step of the self-help pages."""
    MISS = "miss"
    """Asking for something by a reference that names nothing, or nothing of the asker's."""


LIMITS: Final[dict[Act, Limit]] = {
    Act.SAY: Limit(30, 60),
    Act.GIVE_FILE: Limit(30, 60),
    Act.SEND_CHUNK: Limit(1200, 60),
    Act.OFFER: Limit(20, 3600),
    Act.SAY_FACT: Limit(60, 3600),
    Act.SAVE_DRAFT: Limit(60, 60),
    Act.FORECAST: Limit(120, 3600),
    Act.PROPOSE: Limit(5, 86400),
    Act.REVEAL: Limit(60, 3600),
    Act.MAKE_PACK: Limit(20, 3600),
    Act.GRANT_MANY: Limit(30, 3600),
    Act.PRINT_RULING: Limit(120, 3600),
    Act.CHECK_TERMS: Limit(60, 3600),
    Act.READ_FILE: Limit(30, 3600),
    Act.HELP: Limit(300, 3600),
    Act.WEBHOOK: Limit(30, 3600),
    Act.OPEN_SHOP: Limit(10, 3600),
    Act.MISS: Limit(60, 600),
}
"""How often each act is let through, for the pages and the API together."""


class CodeVerdict(StrEnum):
    """What a sign-in try with a code comes to."""

    RIGHT = "right"
    WRONG = "wrong"
    ENDED = "ended"


def judge_code(*, attempts: int, expires_at: datetime, now: datetime, matches: bool) -> CodeVerdict:
    """Decide one try; `attempts` are the tries spent before it.

    The last wrong try ends the code, so that the person is told to ask for a new one.
    """
    if attempts >= CODE_TRIES or now >= expires_at:
        return CodeVerdict.ENDED
    if matches:
        return CodeVerdict.RIGHT
    return CodeVerdict.ENDED if attempts + 1 >= CODE_TRIES else CodeVerdict.WRONG


def was_sent_just_now(*, sent_at: datetime, now: datetime) -> bool:
    """Tell whether the last code to this phone is younger than the spacing between two codes."""
    return now - sent_at < timedelta(seconds=CODE_SPACING_SECONDS)


def is_seen_stale(*, seen_at: datetime, now: datetime) -> bool:
    """Tell whether a session's last sighting is old enough to be worth a write."""
    return now - seen_at >= timedelta(seconds=SEEN_SECONDS)


def clean_digits(text: str) -> str | None:
    """Read a six-digit code as typed (spaces and full-width digits are forgiven); None where it is not one."""
    digits = "".join(unicodedata.normalize("NFKC", text[:20]).split())
    return digits if len(digits) == CODE_DIGITS and digits.isascii() and digits.isdigit() else None


def mask_phone(phone: str) -> str:
    """Show an E.164 number with its middle hidden: ``138****8000`` for the mainland, ``+852****567`` elsewhere."""
    national = phone.removeprefix("+86")
    if national != phone and len(national) == len("13800138000"):
        return f"{national[:3]}****{national[-4:]}"
    return f"{phone[:4]}****{phone[-3:]}" if len(phone) >= len("+8521234567") else f"{phone[:2]}****{phone[-2:]}"


def default_name(account_id: int) -> str:
    """Name a new account; made from the id, since the phone's digits are nobody else's business."""
    return f"用户{account_id % 1_000_000:06d}"


def clean_name(text: str) -> str | None:
    """Tidy a display name; None where it is empty, longer than 40 characters or holds invisible characters."""
    name = " ".join(unicodedata.normalize("NFC", text[: 10 * MAX_NAME]).split())
    return name if 0 < len(name) <= MAX_NAME and name.isprintable() else None


def clean_email(text: str) -> str | None:
    """Tidy an e-mail address, its host in small letters; None where it cannot be one. Only a message shows the rest."""
    local, at, host = text.strip().rpartition("@")
    email = local + at + host.lower()
    return email if len(email) <= MAX_EMAIL and _EMAIL.fullmatch(email) else None


def mask_email(email: str) -> str:
    """Show an address with its name hidden but for its first letter: ``a***@example.com``."""
    local, _, host = email.rpartition("@")
    return f"{local[:1]}***@{host}"


def is_good_password(password: str) -> bool:
    """Tell whether a staff password has a length that is taken."""
    return MIN_PASSWORD <= len(password) <= MAX_PASSWORD


def totp_step(at: datetime) -> int:
    """Count the 30-second steps since 1970 (RFC 6238)."""
    return int(at.timestamp()) // TOTP_SECONDS


def network_prefix(client_ip: str | None) -> str:
    """Reduce an address to its /24 (IPv4) or /48 (IPv6) network, which is all that is kept of it."""
    try:
        address = ipaddress.ip_address((client_ip or "").partition("%")[0])
    except ValueError:
        return UNKNOWN_NETWORK
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            return str(ipaddress.ip_network((address, 48), strict=False))
        address = address.ipv4_mapped
    return str(ipaddress.ip_network((address, 24), strict=False))


def visitor_of(user_agent: str | None, client_ip: str | None) -> Visitor:
    """Describe who is asking, from a request's User-Agent and client address."""
    words = (letter for letter in (user_agent or "")[: 5 * MAX_DEVICE] if letter.isprintable())
    return Visitor("".join(words).strip()[:MAX_DEVICE], network_prefix(client_ip))
