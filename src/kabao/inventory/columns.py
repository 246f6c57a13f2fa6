"""Which columns of a file of card keys are the key: known headers, keys in two parts, and what is refused.

Decided from the first line that holds anything. A key in several columns (卡号 and 密码) is one key, written on one
line with its labels: `卡号 AAA001 密码 PW001`. No text of the file but the words listed below goes any further.
"""

import csv
import re
import unicodedata
from itertools import product
from typing import Final, NamedTuple

from kabao.inventory.model import UsedColumn
from kabao.kernel import Refusal, Refused

_KEYS: Final = {
    "卡密": ("卡密", "卡号卡密", "卡号密码", "卡密码"),
    "key": ("key", "cardkey", "licensekey", "productkey", "serialkey", "密钥"),
    "code": ("code", "cardcode", "redeemcode", "redemptioncode", "giftcode", "vouchercode", "couponcode"),
    "CDKEY": ("cdkey", "cdk"),
    "兑换码": ("兑换码", "礼品码", "券码", "兑换代码"),
    "激活码": ("激活码", "注册码", "授权码", "activationcode", "licence", "license"),
    "序列号": ("序列号", "serial", "serialnumber", "sn"),
}
_ACCOUNTS: Final = {
    "卡号": ("卡号", "card", "cardno", "cardnumber", "cardid"),
    "账号": ("账号", "帐号", "账户", "帐户", "account", "user", "username", "用户名", "登录名", "login"),
    "邮箱": ("邮箱", "email", "mail"),
}
_SECRETS: Final = {
    "密码": ("密码", "password", "pwd", "pass", "passwd", "cardpassword", "口令"),
    "PIN": ("pin", "pincode", "pin码"),
    "邮箱密码": ("邮箱密码", "emailpassword", "mailpassword"),
}
_LABELS: Final = {
    name: label for group in (_KEYS, _ACCOUNTS, _SECRETS) for label, names in group.items() for name in names
}
_FILLING: Final = re.compile(r"[\s_\-./（）()]+")
_DELIMITERS: Final = (",", "\t", ";", "|", "，", "----")
_CSV_DELIMITERS: Final = (",", "\t", ";")
_PARTS: Final = re.compile(
    rf"({'|'.join((*_ACCOUNTS, *_KEYS))}) (.+?) ({'|'.join((*sorted(_SECRETS, key=len, reverse=True), *_KEYS))}) (.+)"
)
_BETWEEN: Final = re.compile(r"-{2,}|[\s,，;|]+")
_AFTER_FIRST: Final = re.compile(r"(-{2,}|[,，;|\t]).*")


class Layout(NamedTuple):
    """How a file is read: whole lines (`delimiter` empty), or the cells at `columns` of lines `width` cells wide.

    A delimiter of one space stands for any run of blanks.
    """

    delimiter: str = ""
    columns: tuple[UsedColumn, ...] = ()
    width: int = 1
    has_header: bool = False

    @property
    def unused_columns(self) -> int:
        """Columns that have a header and are left out."""
        return self.width - len(self.columns) if self.has_header else 0


def layout_of(first: str, *, is_csv: bool) -> Layout | Refused:
    """Settle how a file is read from the first line that holds anything; COLUMNS_UNKNOWN."""
    for delimiter in _DELIMITERS:
        cells = cells_of(first, delimiter) or []
        if len(cells) > 1 and (used := _known(cells)):
            return _headed(delimiter, used, _filled(cells))
    words = first.split()
    if len(words) > 1 and len(used := _known(words)) == len(words):
        return _headed(" ", used, len(words))
    if used := _known(cells_of(first, ",") or []):
        return Layout(",", used, 1, has_header=True)
    if not is_csv:
        return Layout()
    if any(_filled(cells_of(first, delimiter) or []) > 1 for delimiter in _CSV_DELIMITERS):
        return Refused(Refusal.COLUMNS_UNKNOWN)
    return Layout(",", (UsedColumn(1, ""),))


def cells_of(text: str, delimiter: str) -> list[str] | None:
    """Cut a line into cells, with quotes as in RFC 4180; None where the quotes do not pair."""
    if delimiter == " ":
        return text.split()
    if '"' not in text or len(delimiter) > 1:
        return text.split(delimiter)
    try:
        (cells,) = csv.reader([text], delimiter=delimiter, strict=True)
    except (csv.Error, ValueError):
        return None
    return cells


def joined(layout: Layout, values: list[str]) -> str:
    """Write the parts of one key on one line; a key in one column is written bare."""
    if len(values) == 1:
        return values[0]
    return " ".join(f"{column.label} {value}" for column, value in zip(layout.columns, values, strict=True))


def spellings(text: str) -> list[str]:
    """List how a pasted key may stand in stock: as it is, or as two parts under any of the known pairs of labels."""
    parts = _BETWEEN.split(text.strip(), maxsplit=1)
    if len(parts) != 2 or not all(parts):  # noqa: PLR2004  a pair has two parts
        return [text]
    pairs = product((*_ACCOUNTS, *_KEYS), (*_SECRETS, *_KEYS))
    return [text, *(f"{first} {parts[0]} {second} {parts[1]}" for first, second in pairs)]


def tail_of(text: str) -> str:
    """Return the last four characters of a key, never more than half of it; of a key in two parts, of the first.

    Of a key in two parts the second is the secret, so nothing of it is told; a whole line such as AAA001----PW001 is
    taken for two parts too.
    """
    found = _PARTS.fullmatch(text)
    known = found[2] if found else _AFTER_FIRST.sub("", text)
    return known[len(known) - min(4, len(known) // 2) :]


def _known(cells: list[str]) -> tuple[UsedColumn, ...]:
    labels = (_LABELS.get(_FILLING.sub("", unicodedata.normalize("NFKC", cell).casefold())) for cell in cells)
    return tuple(UsedColumn(place, label) for place, label in enumerate(labels, 1) if label is not None)


def _headed(delimiter: str, used: tuple[UsedColumn, ...], width: int) -> Layout | Refused:
    """Take a header, unless it names half of a pair and the other half may be among the columns nobody knows."""
    if len(used) == 1:
        label = used[0].label
        half = "密码" if label in _ACCOUNTS else "卡号或账号" if label in _SECRETS else ""
        if half:
            return Refused(
                Refusal.COLUMNS_UNKNOWN,
                {"file": f"第一行认出了「{label}」，没有认出{half}那一列，没有导入。把那一列的列名改成{half}再来。"},
            )
    return Layout(delimiter, used, width, has_header=True)


def _filled(cells: list[str]) -> int:
    return max((place for place, cell in enumerate(cells, 1) if cell.strip()), default=0)
