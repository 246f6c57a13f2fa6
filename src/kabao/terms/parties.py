"""Find out which of a contract's two parties sells: 甲方 is whoever the draftsman named first.

Without a sign to the contrary 甲方 is the platform or shop, as in the agreements that platforms write.
"""

import re
from typing import Final

from kabao.terms.bits import bits_of
from kabao.terms.model import Token

FIRST, SECOND = "甲方", "乙方"
BUYS: Final = "买方|买家|买受|采购|购买|需方|用户|客户|消费者|会员"
SELLS: Final = "卖方|卖家|出卖|供方|供货|销售|平台|商家|运营"
NAMED: Final = re.compile(
    rf"(?P<party>[甲乙]方)(?:[:(“]{{1,2}}(?:即|以下简称|下称)?|[为是即])(?:(?P<buys>{BUYS})|(?P<sells>{SELLS}))"
    rf"|(?:(?P<buyer>{BUYS})|(?P<seller>{SELLS}))[人商者方]?\((?:即|以下简称|下称)?“?(?P<called>[甲乙]方)"
)
ACTS: Final = re.compile(
    r"(?<![向从对与给为])(?P<party>[甲乙]方)(?:[向从对与给为][甲乙]方)?[^甲乙,。;!?\n]{0,9}?(?:(?P<buys>付款|支付|已付|采购|订购|选购|收货|验收|充值|下单)"
    r"|(?P<sells>交付|发货|供货|所供|所售|返还|退还|退款|收讫|收款|收取|提供服务|售后))"
)
STRONGER: Final = frozenset({"SHOP", "MERCHANT", "PLATFORM"})
PAID_TO: Final = re.compile("[^,。;]{0,10}?(?:支付|赔付|赔偿|缴纳|给付|偿付|交纳|赔)")
PAYING: Final = re.compile("(?:赔偿|赔付|偿付|赔)给?$|(?:支付|赔付|赔偿|缴纳|赔)[^,。;]{0,10}[给予]$")
FARTHEST_PAID: Final = 16
EXCHANGED: Final = {FIRST: frozenset({"BUYER"}), SECOND: frozenset({"SHOP"})}
A_NAME: Final = 5
"""Acts that weigh as much as a name."""


def paid(tokens: list[Token], text: str) -> None:
    """Mark who is to be paid a compensation where that is the stronger side: 须向商家赔付, 赔付给本店."""
    for token in tokens:
        if not token.names & STRONGER or "PAY_SHOP" in token.names:
            continue
        before = text[max(0, token.start - FARTHEST_PAID) : token.start]
        if (before[-1:] in {"向", "给", "对"} and PAID_TO.match(text, token.end)) or PAYING.search(before):
            token.names |= {"PAY_SHOP"}
            token.bits = bits_of(token.names)


def first_buys(text: str) -> bool:
    """Whether 甲方 is the buyer of a text: by how the parties are named, and by who pays and who delivers."""
    if FIRST not in text or SECOND not in text:
        return False
    told: list[bool] = [(each["party"] == FIRST) == (each["buys"] is not None) for each in ACTS.finditer(text)]
    for each in NAMED.finditer(text):
        is_first = (each["party"] or each["called"]) == FIRST
        told += [is_first == bool(each["buys"] or each["buyer"])] * A_NAME
    return 2 * sum(told) > len(told)


def exchange(tokens: list[Token], text: str) -> None:
    """Let 甲方 mean the buyer and 乙方 the seller."""
    for token in tokens:
        names = EXCHANGED.get(text[token.start : token.end])
        if names is not None:
            token.names, token.bits = names, bits_of(names)
