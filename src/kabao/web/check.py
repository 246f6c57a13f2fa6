"""The page for before a purchase: hand in a shop's page, read what it promises, leaves out, may not say."""

import asyncio
from typing import Final

from litestar import get, post

from kabao.adjudication.model import Text
from kabao.selfhelp.beforehand import CAPTURING, PAYING, Beforehand, look
from kabao.terms import Kind
from kabao.web.http import Page, PageRequest, enter, page
from kabao.web.pasted import BODY_LIMIT, LARGEST, LONGEST, TAKEN, Pasted, Sent, read_pasted

MOST: Final = 40
"""Clauses that one page shows."""
MARKS: Final = {0x00: None, 0x0B: "\n", 0x1C: " "}
"""What stands for the markup of an HTML file, as a reader sees it."""
KINDS: Final = (
    (Kind.PAGE.value, Text("商品页", "Goods page")),
    (Kind.NOTICE.value, Text("店铺公告、售后说明", "Shop notice, after-sales terms")),
    (Kind.AGREEMENT.value, Text("用户协议、平台规则", "Agreement, platform rules")),
    (Kind.CHAT.value, Text("客服聊天", "Chat with the shop")),
)
CLASSES: Final = {
    "VOID": (Text("依法应属无效", "should be void by law"), "bad"),
    "LIKELY": (Text("像无效条款", "likely void"), "warn"),
    "HURDLE": (Text("要求过高", "asks too much"), "bad"),
    "CONFLICT": (Text("前后矛盾", "contradictory"), "warn"),
    "VAGUE": (Text("没说清", "vague"), "warn"),
    "MISSING": (Text("缺少", "missing"), "info"),
}
GIVES: Final = {
    "yes": (Text("给", "gives it"), "ok"),
    "no": (Text("不给", "refuses it"), "bad"),
    "conditional": (Text("看情形", "it depends"), "info"),
    "silent": (Text("没写", "says nothing"), "info"),
}
SAY: Final = {
    "title": Text("买前检查", "Check before you buy"),
    "lead": Text(
        "把商品页、售后说明或者客服的话贴进来，或者选一个文件，看它答应了什么、没写什么、哪些话站不住，"
        "再照着单子付款和留证据。看完就忘，不保存。",
        "Paste a shop's page, terms or chat, or choose a file: see what it promises, what it leaves out and what "
        "cannot stand, then pay and keep evidence by the list. It is read and forgotten.",
    ),
    "danger": Text("先停一下", "Stop first"),
    "danger_lead": Text("这些写法是钱追不回来的常见开头。", "This is how money that never comes back usually begins."),
    "promised": Text("它写了什么", "What it says"),
    "nothing": Text("这些都没写。", "It says none of this."),
    "missing": Text("没写的，先问清楚", "What it leaves out: ask first"),
    "ask": Text("可以这样问", "Ask"),
    "denied": Text("写明没有", "It says no"),
    "clauses": Text("站不住或者没说清的话", "Clauses that cannot stand or say little"),
    "clauses_note": Text(
        "只有法院或仲裁机构才能认定条款无效，这里只是提示，也可能看漏。",
        "Only a court or arbitral body declares a clause void; this is a hint and may miss some. "
        "Findings are in Chinese, the language of the law.",
    ),
    "clean": Text("没有找到。不等于没有问题。", "None found, which does not mean there is none."),
    "floor": Text("不管它怎么写，法律的底线", "What the law gives whatever it says"),
    "this_text": Text("这份文字：", "This text: "),
    "law": Text("依据：", "Law: "),
    "pay": Text("怎么付", "How to pay"),
    "capture": Text("付款前先留好", "Keep before you pay"),
    "print": Text("可以打印，或者存成 PDF，买的时候照着做。", "Print this or save it as PDF and follow it as you buy."),
    "again": Text("改一改，再看一遍", "Change it and look again"),
    "kind": Text("这是什么", "What this is"),
    "text": Text("贴商品页或者售后说明", "Paste the shop's page or terms"),
    "file": Text("或者选一个文件", "Or choose a file"),
    "file_hint": Text(f"PDF、Word（docx）、网页或文本，最大 {LARGEST // 1_000_000} MB。选了文件就看文件。",
                      f"PDF, Word, HTML or text of at most {LARGEST // 1_000_000} MB, taken in place of the text."),
    "read": Text("看的是文件：", "This file was read: "),
    "hint": Text(f"最多 {LONGEST} 个字。先去掉姓名、电话和卡密。",
                 f"At most {LONGEST} characters, without names, phones or keys."),
    "go": Text("检查", "Check"),
    "fix": Text("照理该写", "It should say"),
    "more": Text("还有几处没列出来，可以用「检查条款」看全部。", "There are more; /terms shows all."),
}  # fmt: skip


@get("/check")
async def check_page(request: PageRequest) -> Page:
    """Ask for a page, and show the list that is good for every purchase."""
    return _page(request, Pasted(await enter(request), (Sent(Kind.PAGE),)))


@post("/check", status_code=200, request_max_body_size=BODY_LIMIT)
async def checked(request: PageRequest) -> Page:
    """Read what was handed in and forget it."""
    pasted = await read_pasted(request, (Kind.PAGE,))
    if not isinstance(pasted, Pasted):
        return pasted
    seen = await asyncio.to_thread(look, pasted.checked.texts[0].translate(MARKS)) if pasted.checked else None
    return pasted.answered(_page(request, pasted, seen))


def _page(request: PageRequest, pasted: Pasted, seen: Beforehand | None = None) -> Page:
    lang = "en" if request.query_params.get("lang") == "en" else "zh"

    def words(said: Text) -> str:
        return said.en if lang == "en" else said.zh

    errors = pasted.trouble.said() if pasted.trouble else {}
    return page(
        "check.html",
        pasted.visit,
        status=pasted.status,
        private=True if pasted.checked or pasted.trouble else None,
        lang=lang,
        words=words,
        say={name: words(said) for name, said in SAY.items()},
        sent=pasted.sent[0],
        kinds=[(value, words(said)) for value, said in KINDS],
        report=pasted.report,
        seen=seen,
        most=MOST,
        classes=CLASSES,
        gives=GIVES,
        paying=PAYING,
        capturing=CAPTURING,
        longest=LONGEST,
        taken=TAKEN,
        errors={name: words(said) for name, said in errors.items()},
    )


handlers = [check_page, checked]
