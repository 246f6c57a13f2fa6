"""Blacks out card keys, codes and passwords in any text that leaves the case. Pure.

What the person named as secret goes however it is written: with or without dashes, in either case. What only looks
like a card key, or is introduced as one, goes too; order and payment numbers stay.
"""

import re
from collections.abc import Iterable
from typing import Final

from kabao.selfhelp.model import Story

HIDDEN: Final = "****"
_SHORTEST: Final = 3
_SHOWN: Final = 2
_LONG: Final = 8
_GAP: Final = r"[\s\-_—–]*"
_KEY_SHAPED: Final = re.compile(
    r"(?<![A-Za-z0-9\-])(?=[A-Z0-9\-]*[A-Z])(?=[A-Z0-9\-]*\d)[A-Z0-9]{4,8}(?:-[A-Z0-9]{4,8}){2,7}(?![A-Za-z0-9\-])"
)
_LOWER_SHAPED: Final = re.compile(
    r"(?<![A-Za-z0-9\-/.@_])(?=(?:[A-Za-z]*-)*[A-Za-z]*\d[A-Za-z0-9]*-[A-Za-z\-]*\d)(?=[A-Z0-9\-]*[a-z])"
    r"[A-Za-z0-9]{4,8}(?:-[A-Za-z0-9]{4,8}){2,7}(?![A-Za-z0-9\-])"
)
"""With small letters two parts have to hold a digit: `well-known-2026` is a word."""
_WITHOUT_DASHES: Final = re.compile(
    r"(?<![A-Za-z0-9\-/.@_=])(?!9[1-3]\d{6})(?=[A-Z]*\d+[A-Z])(?=(?:\d*[A-Z]){3})(?=(?:[A-Z]*\d){3})"
    r"[A-Z0-9]{12,25}(?![A-Za-z0-9\-@_])"
)
"""Letters and digits mixed; a number behind a word (`SF1234567890123`) and a company's registration are none."""
_SPACED: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:(?=[A-Z0-9 ]{0,71}[A-Z])(?=[A-Z0-9 ]{0,71}\d[A-Z]* [A-Z0-9 ]{0,71}\d)"
    r"[A-Z0-9]{4,8}(?: [A-Z0-9]{4,8}){2,7}"
    r"|\d{4}(?: \d{4}){3,7})(?![A-Za-z0-9])"
)
"""In groups, as it is printed on a card; two groups hold a digit, and a telephone number's first is shorter."""
_NAMED: Final = re.compile(
    r"((?:(?:卡密|卡号|激活码|兑换码|充值码|序列号|密码|验证码|提取码|CDKEY|CDK|password|passcode)"
    r"\s*+(?:是|为)?+\s*+[:：=]?+|(?<![A-Za-z])key\s*+[:：=])\s*+[\[【「『（(<《“‘\"']?+\s*+)"
    r"([A-Za-z0-9][A-Za-z0-9\-_!@#$%^&*.]{3,}+)",
    re.IGNORECASE,
)
"""Everything that may repeat is possessive: a stranger's page of spaces takes no longer than any other."""


def hide(text: str, story: Story) -> str:
    """Black out a story's secrets; its numbers of order, payment and registration stay."""
    numbers = (story.order_no, story.payment.reference, story.shop.code, story.platform.code)
    return masked(text, story.secrets, numbers)


def masked(text: str, secrets: Iterable[str] = (), keep: Iterable[str] = ()) -> str:
    """Return the text without a secret in it; `keep` are numbers that are none, such as the order's."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = _without(text, secret)
    kept = {one for one in keep if one}
    for shape in (_KEY_SHAPED, _LOWER_SHAPED, _WITHOUT_DASHES, _SPACED):
        text = shape.sub(lambda found: found[0] if found[0] in kept else _stub(found[0]), text)
    return _NAMED.sub(lambda found: found[0] if found[2] in kept else found[1] + _stub(found[2]), text)


def _without(text: str, secret: str) -> str:
    plain = re.sub(_GAP, "", secret)
    if len(plain) < _SHORTEST:
        return text
    pattern = _GAP.join(re.escape(letter) for letter in plain)
    return re.sub(pattern, _stub(plain), text, flags=re.IGNORECASE)


def _stub(secret: str) -> str:
    """Keep two signs at each end of a long secret, so that both sides know which one is meant."""
    if HIDDEN in secret:
        return secret
    plain = re.sub(_GAP, "", secret)
    return f"{plain[:_SHOWN]}{HIDDEN}{plain[-_SHOWN:]}" if len(plain) >= _LONG else HIDDEN
