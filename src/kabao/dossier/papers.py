"""The papers of a pack as values: cover, parties, timeline, items, ruling, and the listing as it was shown. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from kabao.cases.model import TimelineLine
from kabao.cases.words import WHO, yuan
from kabao.dossier.model import RulingFacts
from kabao.dossier.reading import CaseRead, OrderRead, case_ref
from kabao.dossier.rules import ruling_document
from kabao.dossier.words import moment, moment_of
from kabao.evidence import Item
from kabao.kernel import digest_of
from kabao.orders.rules import masked_name
from kabao.paper import PackPaper, PaperFact, PaperItem, PaperLine, RulingPaper
from kabao.tlog import StoredRecord

OUTSIDE: Final = (
    "平台的处理不是最终结论。对结果不认可，可以找 12315、消费者协会、仲裁机构或法院，"
    "依据是消费者权益保护法第 39 条、电子商务法第 60 条。"
)
VERIFYING: Final = (
    "打开发出这份材料的网站的 /verify 页，选中这个压缩包：核对在你的浏览器里进行，不上传。",
    "或者把压缩包里的 verify.py 取出来，运行 python3 -I verify.py 加压缩包的文件名；不需要联网，也不需要安装别的东西。",
    "或者按 VERIFY.txt 写的命令，用 OpenSSL 手工核对。",
)
PROVES: Final = "核对能证明：材料从做成那一刻起没有增减改动，记录当时已经写进公开日志。它不能证明内容本身为真。"
FAMILIES: Final = {"image": "图片", "video": "视频", "audio": "录音", "application": "PDF", "text": "文字"}
"""What each family of media types is called."""
ABSENT: Final = {
    "items": "证据文件",
    "records": "日志记录",
    "proofs": "日志证明",
    "checkpoints": "日志检查点",
    "timestamps": "时间戳",
    "ruling": "裁决",
}
"""What the parts of a manifest are called on paper."""


class ShownItem(msgspec.Struct, frozen=True, kw_only=True):
    """How an item is carried: original, preview or withheld; `file` is its entry, `why` what is said instead."""

    item: Item
    shown: str
    file: str | None
    why: str
    picture: str = ""


def size_text(size: int) -> str:
    """Write a size as people read it."""
    if size < 1024:  # noqa: PLR2004
        return f"{size} 字节"
    if size < 1024**2:
        return f"{size / 1024:.0f} KB"
    return f"{size / 1024**2:.1f} MB"


def item_about(item: Item) -> str:
    """Say in a line what an item is and whose."""
    where = "" if item.case_id is None else "在纠纷里"
    what = f"{FAMILIES.get(item.media_type.family, '文件')}（{item.media_type.value}），{size_text(item.byte_size)}"
    return f"{what}，{WHO[item.given_role]}于 {moment(item.at)} {where}提交"


def hints_text(item: Item) -> str:
    """Say what a file says of itself; the file's word, never ours."""
    hints = item.hints
    said = [
        f"{label} {text}"
        for label, text in (
            ("拍摄或制作于", hints.made_at),
            ("修改于", hints.changed_at),
            ("设备", hints.device),
            ("软件", hints.software),
        )
        if text
    ]
    if hints.has_location:
        said.append("带有位置")
    return f"文件自称：{'；'.join(said)}" if said else ""


def item_notes(item: Item) -> list[str]:
    """Say what else there is to know of an item: its address, how it was recorded, what was blacked out, its hints."""
    notes = [f"网址：{item.link}"] if item.link else []
    end = item.recording
    if end is not None:
        cut = "，没有正常收尾" if end.is_cut else ""
        opened, closed = moment(end.opened_at), moment(end.closed_at)
        notes.append(f"现场录制：{opened} 开始，{closed} 结束，共 {end.chunks} 段，每段录完就送到平台并记下时间{cut}。")
        if (size := _log_size(end.not_before)) is not None:
            notes.append(f"录制不早于公开日志写到 {size} 条的那个检查点。")
        notes.append(f"哈希链的末端 {end.head}")
    if item.masked_at is not None:
        notes.append(f"预览遮过 {item.masks} 次，最近一次在 {moment(item.masked_at)}；原件没有动。")
    hints = hints_text(item)
    return [*notes, hints] if hints else notes


def _log_size(note: str) -> str | None:
    """Read from a checkpoint how many entries it covers; None where there was no log."""
    lines = note.split("\n")
    return lines[1] if len(lines) > 1 and lines[1].isdecimal() else None


def kept_facts(records: Sequence[StoredRecord]) -> list[PaperFact]:
    """Write what the order's records keep beyond a sentence: notices ticked, the promise, each opening of a key."""
    facts = []
    for record in records:
        if record.kind != "order_event" or record.body is None:
            continue
        at, content = moment(record.at), msgspec.json.decode(record.body)["content"]
        notices = (content.get("seen") or {}).get("notices", [])
        facts += [PaperFact("下单前勾选的提示", _notice_text(notice)) for notice in notices]
        if promise := (content.get("delivery") or {}).get("promise_seconds"):
            facts.append(PaperFact("交付", f"承诺付款后 {_duration(promise)}内，实际 {at}"))
        for reveal in content.get("reveals", []):
            network = f"；网络 {reveal['network']}" if reveal["network"] else ""
            device = f"；设备 {reveal['device']}" if reveal["device"] else ""
            facts.append(PaperFact(f"拆封第 {reveal['pos']} 张", f"{at}{network}{device}"))
    return facts


def _notice_text(notice: Mapping[str, Any]) -> str:
    dwell = notice.get("dwell_ms")
    by_page = notice.get("dwell_by") == "page"
    words = "在眼前 {} 秒后勾选" if by_page else "下单页打开 {} 秒后提交"
    seen = "" if dwell is None else "，" + words.format(dwell // 1000)
    return f"{notice['wording']}（第 {notice['version']} 版，{notice['place']}，{moment_of(notice['at'])}{seen}）"


def paper_line(line: TimelineLine) -> PaperLine:
    """Write a line of the timeline for print."""
    file = f"（{line.file.file_name}）" if line.file is not None else ""
    return PaperLine(at=moment(line.at), who=WHO[line.who], text=line.text + file, said=line.said)


def ruling_paper(case: CaseRead, ruled: RulingFacts) -> RulingPaper:
    """Write a ruling for print."""
    ruling = case.ruling
    assert ruling is not None  # noqa: S101  what was ruled has a ruling
    facts = [
        PaperFact("案号", case_ref(case)),
        PaperFact("诉求", case.opening),
        PaperFact("结果", ruling.label),
        PaperFact("作出时间", f"{moment(ruling.made_at)}（北京时间）"),
    ]
    if ruled.rulebook:
        facts.append(PaperFact("适用规则", f"《虚拟商品管理细则》{ruled.rulebook} 版"))
    if ruled.shares is not None:
        parts = zip(("买家", "商家", "平台"), ruled.shares, strict=True)
        facts.append(PaperFact("责任", "，".join(f"{who} {share}%" for who, share in parts if share)))
    if ruled.dissent:
        facts.append(PaperFact("不同意见", ruled.dissent))
    facts.append(PaperFact("裁决指纹", digest_of(ruling_document(ruled)).hex()))
    return RulingPaper(
        title=f"裁决书 {case_ref(case)}", facts=facts, found=ruling.facts, reasons=ruling.reasons, outside=OUTSIDE
    )


def ruled_case(cases: Sequence[CaseRead]) -> tuple[CaseRead, RulingFacts] | None:
    """Find the newest case that was ruled on, with what its ruling says."""
    for case in reversed(cases):
        if case.ruled is not None:
            return case, case.ruled
    return None


def pack_paper(
    read: OrderRead, case: CaseRead | None, shown: Sequence[ShownItem], absent: Mapping[str, str], size: int | None
) -> PackPaper:
    """Write the paper of a pack; the same for every reader but for how items are carried."""
    order = read.order
    ruled = ruled_case(read.cases)
    facts = [PaperFact("订单", order.ref)]
    if case is not None:
        facts += [PaperFact("案号", case_ref(case)), PaperFact("诉求", case.opening)]
    facts += [
        PaperFact("商品", order.title),
        PaperFact("金额", f"{yuan(order.amount_minor)}（{order.quantity} 件）"),
        PaperFact("截至", f"{moment(read.now)}（北京时间）"),
        PaperFact("商品快照", order.snapshot_digest.hex()),
    ]
    if size is not None:
        facts.append(PaperFact("日志检查点", f"第 {size} 条为止"))
    facts += kept_facts(read.records)
    shop = order.shop
    return PackPaper(
        title=f"证据包 {order.ref if case is None else case_ref(case)}",
        subtitle=f"「{order.title}」的{'订单' if case is None else '纠纷'}材料",
        facts=facts,
        parties=[
            PaperFact("买家", masked_name(order.buyer_name)),
            PaperFact("商家", f"{shop.name}（{shop.legal_name}，执照号 {shop.licence_number}）"),
        ],
        verifying=list(VERIFYING),
        proves=PROVES,
        timeline=[paper_line(line) for line in read.timeline()],
        items=[
            PaperItem(
                no=one.item.item_no,
                name=one.item.file_name,
                about=item_about(one.item),
                sha256=one.item.digest.hex(),
                note="\n".join([*item_notes(one.item), *([one.why] if one.why else [])]),
                picture=one.picture,
            )
            for one in shown
        ],
        ruling=None if ruled is None else ruling_paper(*ruled),
        absent=[PaperFact(ABSENT[part], why) for part, why in absent.items()],
    )


def terms_lines(terms: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Write a snapshot's terms as the listing page did, label by label."""
    hours = int(terms.get("escrow_hours", 0))
    days = f"拆封后 {terms.get('claim_days', 0)} 天内提出"
    again = "全额退或补发" if terms.get("replacement_offered") else "全额退"
    percent = terms.get("partial_fee_percent")
    lines = [
        ("没拆封", "放款前随时全额退"),
        ("卡密无效或已被用", f"{again}，{days}"),
        ("和描述不符", f"全额退，{days}"),
        ("卡密有效，不想要了", f"退，扣 {percent}%，要协商" if percent else "不退"),
        ("送达", f"付款后 {_duration(int(terms.get('delivery_promise_seconds', 60)))}内"),
        ("自动确认放款", f"送达后 {_duration(hours * 3600)}"),
    ]
    if terms.get("warranty_days"):
        lines.append(("质保", f"{terms['warranty_days']} 天"))
    named = (("validity_text", "有效期"), ("region_text", "区服、地区"), ("free_text", "商家另外写的"))
    return [*lines, *((label, str(terms[key])) for key, label in named if terms.get(key))]


def _duration(seconds: int) -> str:
    for unit, word, least in ((86400, "天", 3), (3600, "小时", 1), (60, "分钟", 1)):
        if seconds % unit == 0 and seconds >= least * unit:
            return f"{seconds // unit} {word}"
    return f"{seconds} 秒"
