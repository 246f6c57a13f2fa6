"""A ruling's sheet as a document for machines, as a paper for print, and as the few lines that are signed. Pure."""

from typing import Any, Final

from kabao.adjudication.reasons import NO_FAULT
from kabao.cases import Outcome, RulingStage
from kabao.cases.words import OUTSIDE, WHO, yuan
from kabao.dossier.model import RulingFacts
from kabao.dossier.rules import instant, ruling_document
from kabao.dossier.sheet import Point, RulingSheet, SheetBasis, SheetItem, SheetRules
from kabao.dossier.words import moment
from kabao.kernel import canonical_bytes, digest_of
from kabao.paper import PaperFact, PaperSection, RulingPaper

FORMAT: Final = "kabao-ruling/1"
"""The first line of what is signed; a pack's signed text begins otherwise, so that neither passes for the other."""
BASIS: Final = "依据：消费者权益保护法第 39 条、电子商务法第 60 条。"
NOT_NAMED: Final = "没有另外点名条文，依据写在理由里。"
NOT_FINAL: Final = "平台的处理不是最终结论。不服的话，下面的路任何时候都能走，也不用先走完平台的复核。"
PARTIES: Final = ("买家", "商家", "平台")


def ruling_json(sheet: RulingSheet, facts: RulingFacts) -> bytes:
    """Write a ruling for machines, canonically; `record` is exactly what the public log's record of it says."""
    record = ruling_document(facts)
    own = {} if sheet.basis is None else _own(sheet)
    return canonical_bytes(
        {
            **own,
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
            "points": [_point(one, has_own=sheet.basis is not None) for one in sheet.points],
            "rules": _rules(sheet),
            "evidence": [{"no": one.no, "sha256": one.sha256, "cited": one.is_cited} for one in sheet.items],
            "review_until": None if sheet.review_until is None else instant(sheet.review_until),
            "decision_sha256": sheet.decision_digest or None,
            "case_file_sha256": sheet.case_file_digest or None,
            "outside": [{"route": name, "how": how} for name, how in OUTSIDE],
        }
    )


def _point(point: Point, *, has_own: bool) -> dict[str, Any]:
    told = {"by": point.by, "text": point.text, "said": point.said, "item": point.item_no, "answer": point.answer}
    unread = {"unread": True} if point.unread else {}
    return told | ({"key": point.key, "take": point.take, "why": point.why, **unread} if has_own else {})


def _own(sheet: RulingSheet) -> dict[str, Any]:
    """Write what a ruling rests on; one from before it was kept reads as it did."""
    basis = sheet.basis
    assert basis is not None  # noqa: S101  the caller has looked
    return {
        "basis": {
            "articles": [{"no": one.number, "id": one.article_id, "title": one.title} for one in basis.articles],
            "laws": [{"name": one.name, "says": one.summary} for one in basis.laws],
            "follows_rules": basis.follows,
        },
        "unanswered": sheet.unanswered,
    }


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
    if sheet.basis is not None:
        return [one for one in _own_sections(sheet, sheet.basis) if one.said or one.facts]
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


def _own_sections(sheet: RulingSheet, basis: SheetBasis) -> list[PaperSection]:
    """Write the parts of a ruling with its own basis; what the rules suggested stands apart from it."""
    rules = sheet.rules
    return [
        PaperSection(
            title="双方的主张，逐点回答", facts=[PaperFact(WHO[one.by], point_text(one)) for one in sheet.points]
        ),
        PaperSection(
            title="裁决的依据",
            said="" if basis.articles or basis.laws else NOT_NAMED,
            facts=[
                *(PaperFact(f"第 {one.number} 条", one.title) for one in basis.articles),
                *(PaperFact("法律", law_text(one.name, one.summary)) for one in basis.laws),
            ],
        ),
        PaperSection(title="没有等到的回答", said=sheet.unanswered),
        PaperSection(
            title="按规则推出的结果",
            said="" if rules is None else suggested_text(sheet, basis, rules),
            facts=[]
            if rules is None or basis.follows
            else [PaperFact(f"推出它的第 {one.number} 条", one.title) for one in rules.articles],
        ),
        PaperSection(title="为什么和规则推出的结果不同", said=sheet.differs),
        PaperSection(title="按规则认定的事实", said="" if rules is None else "\n".join(rules.findings)),
        PaperSection(title="不同意见", said=sheet.dissent),
        PaperSection(title="裁决时的证据", facts=[PaperFact(f"E{one.no}", item_text(one)) for one in sheet.items]),
        PaperSection(title="怎样申请复核", said=sheet.review),
    ]


def suggested_text(sheet: RulingSheet, basis: SheetBasis, rules: SheetRules) -> str:
    """Say what the rules suggested and whether the ruling follows it."""
    why = "，为什么见下面" if sheet.differs else ""
    by_itself = sheet.stage in {RulingStage.DEFAULT, RulingStage.GREEN}
    follows = "裁决由它作出，以诉求为限。" if by_itself else "裁决和它一致。"
    then = follows if basis.follows else f"这只是建议，裁决没有照它{why}。"
    return f"裁决那一刻按已知的事实推出：{rules.result}。{then}"


def point_text(point: Point) -> str:
    """Write what a party brought forward, how it was answered, and how the rules took it."""
    shown = f"（E{point.item_no}）" if point.item_no is not None else ""
    taken = f"\n{point.take}：{point.why}" if point.take else f"\n{point.unread}" if point.unread else ""
    return "".join((point.text, point.said, shown, f" {point.answer}" if point.answer else "", taken))


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
