"""A ruling's sheet as a document for machines, as a paper for print, and as the few lines that are signed. Pure."""

from typing import Any, Final

from kabao.adjudication.reasons import NO_FAULT
from kabao.cases import Outcome
from kabao.cases.words import OUTSIDE, WHO, yuan
from kabao.dossier.model import RulingFacts
from kabao.dossier.rules import instant, ruling_document
from kabao.dossier.sheet import Point, RulingSheet, SheetItem
from kabao.dossier.words import moment
from kabao.kernel import canonical_bytes, digest_of
from kabao.paper import PaperFact, PaperSection, RulingPaper

FORMAT: Final = "kabao-ruling/1"
"""The first line of what is signed; a pack's signed text begins otherwise, so that neither passes for the other."""
BASIS: Final = "依据：消费者权益保护法第 39 条、电子商务法第 60 条。"
NOT_FINAL: Final = "平台的处理不是最终结论。不服的话，下面的路任何时候都能走，也不用先走完平台的复核。"
PARTIES: Final = ("买家", "商家", "平台")


def ruling_json(sheet: RulingSheet, facts: RulingFacts) -> bytes:
    """Write a ruling for machines, canonically; `record` is exactly what the public log's record of it says."""
    record = ruling_document(facts)
    return canonical_bytes(
        {
            "v": 1,
            "kind": "ruling",
            "case": sheet.ref,
            "order": sheet.order_ref,
            "no": sheet.no,
            "made_by": sheet.made_by,
            "label": sheet.label,
            "record": record,
            "record_sha256": digest_of(record).hex(),
            "stake_minor": sheet.stake_minor,
            "merchant_minor": sheet.merchant_minor,
            "differs_reason": sheet.differs,
            "points": [
                {"by": one.by, "text": one.text, "said": one.said, "item": one.item_no, "answer": one.answer}
                for one in sheet.points
            ],
            "rules": _rules(sheet),
            "evidence": [{"no": one.no, "sha256": one.sha256, "cited": one.is_cited} for one in sheet.items],
            "review_until": None if sheet.review_until is None else instant(sheet.review_until),
            "decision_sha256": sheet.decision_digest or None,
            "case_file_sha256": sheet.case_file_digest or None,
            "outside": [{"route": name, "how": how} for name, how in OUTSIDE],
        }
    )


def signed_text(document: bytes, pdf: bytes) -> str:
    """Write what is signed of a ruling: the format, then the SHA-256 of its document and of its PDF."""
    return f"{FORMAT}\n{digest_of(document).hex()}\n{digest_of(pdf).hex()}\n"


def ruling_sheet_paper(sheet: RulingSheet, facts: RulingFacts, *, key: str, site: str) -> RulingPaper:
    """Write a ruling for print; `key` is what its signature is checked with, `site` where it lies."""
    return RulingPaper(
        title=f"裁决书 {sheet.ref}",
        facts=_facts(sheet),
        found=sheet.found,
        reasons=sheet.reasons,
        sections=_sections(sheet),
        outside=NOT_FINAL,
        more=[
            PaperSection(title="平台外的路", said=BASIS, facts=[PaperFact(name, how) for name, how in OUTSIDE]),
            PaperSection(title="怎样核对", facts=_checks(sheet, facts, key, site)),
        ],
    )


def shares_text(sheet: RulingSheet) -> str:
    """Write who is responsible; empty on rulings from before shares were kept."""
    if sheet.shares is None:
        return ""
    if sheet.is_without_fault:
        return f"{NO_FAULT}，款由商家退还"
    parts = zip(PARTIES, (sheet.shares.buyer, sheet.shares.merchant, sheet.shares.platform), strict=True)
    return "，".join(f"{who} {share}%" for who, share in parts if share)


def _facts(sheet: RulingSheet) -> list[PaperFact]:
    is_swap = sheet.outcome is Outcome.REPLACEMENT
    money = [PaperFact("没有库存时退给买家" if is_swap else "退给买家", yuan(sheet.refund_minor))]
    if sheet.damages_minor:
        money.append(PaperFact("另赔买家", yuan(sheet.damages_minor)))
    if sheet.merchant_minor is not None:
        fee = "（含平台服务费）" if sheet.merchant_minor else ""
        money.append(PaperFact("付给商家", f"{yuan(sheet.merchant_minor)}{fee}"))
    facts = [
        PaperFact("案号", f"{sheet.ref}，第 {sheet.no} 份裁决"),
        PaperFact("订单", f"{sheet.order_ref}「{sheet.title}」"),
        PaperFact("诉求", sheet.opening),
        PaperFact("结果", sheet.label),
        *money,
        PaperFact("钱从哪来", sheet.payer),
        PaperFact("责任", shares_text(sheet)),
        PaperFact("由谁作出", sheet.made_by),
        PaperFact("作出时间", f"{moment(sheet.made_at)}（北京时间）"),
        PaperFact("适用规则", f"《虚拟商品管理细则》{sheet.version} 版" if sheet.version else ""),
        PaperFact("复核", sheet.reviews),
    ]
    return [fact for fact in facts if fact.text]


def _sections(sheet: RulingSheet) -> list[PaperSection]:
    sections = [
        PaperSection(title="为什么和规则推出的结果不同", said=sheet.differs),
        PaperSection(title="不同意见", said=sheet.dissent),
        PaperSection(
            title="双方的主张，和怎么认定", facts=[PaperFact(WHO[one.by], point_text(one)) for one in sheet.points]
        ),
    ]
    rules = sheet.rules
    if rules is not None:
        articles = [PaperFact(f"第 {one.number} 条", one.title) for one in rules.articles]
        sections += [
            PaperSection(title="按规则认定的事实", said="\n".join(rules.findings)),
            PaperSection(title="适用的条文", said=f"裁决那一刻按已知的事实推出：{rules.result}。", facts=articles),
            PaperSection(title="背后的法律", said="\n".join(law_text(one.name, one.summary) for one in rules.laws)),
        ]
    sections += [
        PaperSection(title="裁决时的证据", facts=[PaperFact(f"E{one.no}", item_text(one)) for one in sheet.items]),
        PaperSection(title="怎样申请复核", said=sheet.review),
    ]
    return [one for one in sections if one.said or one.facts]


def point_text(point: Point) -> str:
    """Write what a party brought forward, and how it was taken."""
    shown = f"（E{point.item_no}）" if point.item_no is not None else ""
    return "".join((point.text, point.said, shown, f" {point.answer}" if point.answer else ""))


def item_text(item: SheetItem) -> str:
    """Write an item of evidence: what it is, whose, and its digest."""
    return f"{item.about}{'，裁决或主张里引用' if item.is_cited else ''}。SHA-256 {item.sha256}"


def law_text(name: str, summary: str) -> str:
    """Write a provision and what it says."""
    return f"{name}：{summary}" if summary else name


def _checks(sheet: RulingSheet, facts: RulingFacts, key: str, site: str) -> list[PaperFact]:
    document = ruling_json(sheet, facts)
    checks = [
        PaperFact("在哪里核对", f"{site}/c/{sheet.ref}/ruling：这份 PDF 的签名（.sig）、数据（.json）和每条命令。"),
        PaperFact("说明什么", "签名对得上，这份文件从作出起一个字节都没有改过。它不能证明内容本身为真。"),
        PaperFact("数据的指纹", digest_of(document).hex()),
        PaperFact("日志里的指纹", digest_of(ruling_document(facts)).hex()),
        PaperFact("规则推理的指纹", sheet.decision_digest),
        PaperFact("依据事实的指纹", sheet.case_file_digest),
        PaperFact("签名的公钥", key),
    ]
    return [fact for fact in checks if fact.text]


def _rules(sheet: RulingSheet) -> dict[str, Any] | None:
    rules = sheet.rules
    if rules is None:
        return None
    return {
        "version": rules.version,
        "result": rules.result,
        "findings": rules.findings,
        "articles": [{"no": one.number, "id": one.article_id, "title": one.title} for one in rules.articles],
        "laws": [{"name": one.name, "says": one.summary} for one in rules.laws],
    }
