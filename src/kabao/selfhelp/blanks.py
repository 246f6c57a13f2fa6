"""What a letter leaves blank, in full-width brackets, for whoever sends it to fill in by hand."""

import re
from enum import StrEnum
from typing import Final

from kabao.adjudication.model import Text
from kabao.selfhelp.model import Language


class Blank(StrEnum):
    """What may be left blank."""

    NAME = "name"
    PHONE = "phone"
    ADDRESS = "address"
    THEIR_ADDRESS = "their_address"
    PAID_AT = "paid_at"
    PAID = "paid"
    SUM = "sum"
    ORDER = "order"
    COURT = "court"


NAMES: Final = {
    Blank.NAME: Text("你的姓名", "your name"),
    Blank.PHONE: Text("你的电话", "your phone"),
    Blank.ADDRESS: Text("你的地址", "your address"),
    Blank.THEIR_ADDRESS: Text("对方地址", "its address"),
    Blank.PAID_AT: Text("付款时间", "when paid"),
    Blank.PAID: Text("金额", "amount"),
    Blank.SUM: Text("要退的金额", "the sum"),
    Blank.ORDER: Text("订单号", "order number"),
    Blank.COURT: Text("人民法院名称", "name of the court"),
}
_KNOWN: Final = frozenset(word for name in NAMES.values() for word in (name.zh, name.en))
_BRACKETS: Final = re.compile(r"【([^【】\n]{1,40})】")


def blank(what: Blank, language: Language) -> str:
    """Write what is to be filled in."""
    name = NAMES[what]
    return f"【{name.zh if language is Language.ZH else name.en}】"


def blanks_in(text: str) -> tuple[str, ...]:
    """Name what is still to be filled in, in its order; a shop's own words in such brackets are none."""
    return tuple(dict.fromkeys(name for name in _BRACKETS.findall(text) if name in _KNOWN))
