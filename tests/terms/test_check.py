"""What the checker says of texts: exact places, tricks, lists, exceptions, conflicts, waivers, profile."""

import sys
from types import FrameType
from typing import Any

import pytest

from kabao.terms import Document, Finding, Kind, Report, check
from kabao.terms.lexicon import read_number


def one(text: str, *, kind: Kind = Kind.NOTICE) -> Report:
    return check([Document(text, kind)], clause=True)


def ids(text: str) -> list[str]:
    return [finding.id for finding in one(text).findings]


def only(report: Report) -> Finding:
    assert len(report.findings) == 1, report.findings
    return report.findings[0]


def test_a_finding_stands_at_its_exact_words() -> None:
    text = "欢迎光临。\n\n一、售后\n1. 付款后10分钟内发货；**虚拟商品一经售出，概不退款**。谢谢！\n"
    finding = only(one(text))
    assert text[finding.start : finding.end] == finding.words == "虚拟商品一经售出，概不退款"
    assert finding.line == 4
    assert finding.kind.value == "VOID"
    assert "《消费者权益保护法》第二十六条第二款" in finding.law
    assert "违法" not in finding.why + finding.title + finding.rewrite


@pytest.mark.parametrize(
    ("text", "trick"),
    [
        ("虚拟商品一经售出，概\u200b不\u200b退款", "zero_width"),
        ("虚拟商品一经售出，概·不·退·款", "interleaved"),
        ("虚拟商品一经售出，概卟蹆欵", "look_alike"),
    ],
)
def test_characters_that_hide_words_are_undone_and_told(text: str, trick: str) -> None:
    report = one(text)
    assert only(report).id == "K01"
    assert only(report).evasion == (trick,)
    assert {told.kind for told in report.evasions} == {trick}
    assert text[only(report).start : only(report).end] == only(report).words


def test_a_page_printed_by_a_browser_hides_nothing() -> None:
    """Printing puts radicals in place of the characters they look like; a dot parts a name. Neither is told."""
    report = one("虚拟商品⼀经售出，概不退款；⻓期有效。张·三、阿·买提同意。")
    assert {finding.id for finding in report.findings} >= {"K01"}
    assert not report.evasions
    assert not report.normalised
    assert not any(finding.evasion for finding in report.findings)


@pytest.mark.parametrize(
    "title", ["一、尽快发货", "二、预计到账时间", "5. 发货速度及排队", "【秒发】QQ音乐会员月卡", "七、长期质保"]
)
def test_a_heading_that_only_names_a_matter_leaves_nothing_open(title: str) -> None:
    assert not one(title).findings
    assert not one(f"{title}\n付款后10分钟内发货。").findings


@pytest.mark.parametrize("text", ["一、付款后尽快发货", "发货时间：秒发", "一般秒发"])
def test_a_line_that_says_when_is_no_heading(text: str) -> None:
    assert only(one(text)).id == "K27"


@pytest.mark.parametrize("text", ["过时不退", "逾期概不退款", "超时不退换"])
def test_what_is_refused_once_a_time_is_over_is_answered_with_what_the_time_may_do(text: str) -> None:
    assert only(one(text)).id == "K03"
    assert "结算" in only(one(text)).rewrite


def test_a_dot_put_into_a_word_is_told() -> None:
    assert {told.kind for told in one("虚拟商品一经售出概不退·款").evasions} == {"interleaved"}


@pytest.mark.parametrize(
    "text",
    [
        "虚拟商品—经售出，概不退换。",
        "虚 拟 商 品 一 经 售 出 ，概 不 退 换",
        "虚拟商品一经售岀,慨不退換 .",
        "虚拟商品ー经售出 概不退换 |",
    ],
)
def test_a_scan_that_was_read_by_a_machine_is_read_through_its_noise(text: str) -> None:
    assert "K01" in {finding.id for finding in check([Document(text)], clause=True).findings}


def test_full_width_and_traditional_characters_are_read_and_counted() -> None:
    report = one("退款收取２０％手續費，最終解釋權歸本店所有")
    assert [finding.id for finding in report.findings] == ["K10", "K05"]
    assert report.normalised["traditional"] >= 5
    assert report.normalised["full_width"] == 2


@pytest.mark.parametrize(
    "text",
    [
        "虚拟商品一经售出，概不退款，但法律另有规定的除外。",
        "虚拟商品一经售出，概不退款。但卡密无效的，包换包退。",
        "不得以任何理由拒绝退款。",
        "平台禁止商家标注“概不退款”。",
        "约定“概不退款”的条款无效。",
        "不会概不退款怎么办？能退吗？",
        "除卡密无法使用外，售出不退。",
    ],
)
def test_what_saves_a_term_is_read(text: str) -> None:
    assert ids(text) == []


def test_a_lawful_look_alike_is_told_with_its_reason() -> None:
    report = one("卡密查看后不支持七天无理由退货，质量问题可退换。")
    assert report.findings == ()
    assert report.fine
    assert all(fine.reason for fine in report.fine)


@pytest.mark.parametrize("text", ["质量问题可退", "只有质量问题才可退", "仅限质量问题退款"])
def test_a_refund_for_faults_alone_is_lawful_and_told_what_else_the_law_gives(text: str) -> None:
    report = one(text)
    assert not report.findings
    assert [fine.id for fine in report.fine] == ["K01"]
    assert "没有送达" in report.fine[0].reason


def test_what_counts_for_intent_too_is_not_saved_by_naming_it() -> None:
    assert ids("除故意或重大过失外，本店的赔偿以货款为限。") == []
    assert ids("无论何种原因（包括本店故意或重大过失），本店的赔偿以货款为限。") == ["K13"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("甲方收款后可以单方取消订单。乙方付款后七日内有效。", ["K22"]),
        ("甲方（买方）与乙方（供方）约定如下。甲方付款后可以单方取消订单。", []),
        ("购买人（以下简称“甲方”）与乙方约定如下。甲方付款后可以单方取消订单。", []),
        ("甲方向乙方采购授权码，乙方收讫货款后交付。甲方付款后可以单方取消订单。", []),
        ("甲方支付货款后，乙方收款后可以单方取消订单。", ["K22"]),
    ],
)
def test_the_first_party_of_a_contract_is_who_its_text_makes_it(text: str, found: list[str]) -> None:
    assert ids(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "您因把密码告诉朋友而受到的损失，平台不承担责任。",
        "会员不得通过非法途径取得资格。由此产生的纠纷由会员自行解决，平台不负责任。",
        "平台不承担责任，如您因自身原因遇到下列情形：\n（1）您把密码交给他人造成的损失；",
        "在约定期限内买家未进行处理的，系统自动确认收货。",
        "不退换的商品会写明理由。",
        "我们不会以缺货为由主张合同未成立。",
        "别家写概不退款，我们不这样。",
        "除了卡打不开、面值不对，拍下就不退。",
        "开始代充后不退，没开始之前都能退。",
        "争议由本公司所在地法院管辖；个人消费者可以向其住所地法院起诉。",
        "平台有权根据法律规定修改本协议，修改后的协议会公告。",
    ],
)
def test_whose_doing_it_is_and_what_stands_beside_are_read(text: str) -> None:
    assert [finding.id for finding in one(text).findings if finding.kind.value == "VOID"] == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("您因本店卡密无效受到的损失，本店不承担责任。", "K01"),
        ("平台不介入任何交易纠纷。", "K06"),
        ("平台根据主管部门要求单方面变更规则，无需通知您。", "K19"),
        ("买家与商家之间的一切争议自行解决，平台不受理。", "K06"),
        ("会员服务可以取消，但已支付的会员费不予退还。", "K23"),
    ],
)
def test_what_only_looks_like_an_excuse_is_none(text: str, found: str) -> None:
    assert found in ids(text)


def test_a_year_is_twelve_months_and_a_plan_is_not_another() -> None:
    def contradict(page: str, notice: str) -> list[str]:
        told = check([Document(page, Kind.PAGE), Document(notice, Kind.NOTICE)], clause=True).findings
        return [finding.topic for finding in told if finding.kind.value == "CONFLICT"]

    assert contradict("质保一年。", "质保12个月。") == []
    assert contradict("月卡质保30天。", "年卡质保一年。") == []
    assert contradict("质保一年。", "质保11个月。") == ["warranty"]
    assert contradict("手续费由本店承担。", "退款手续费由买家承担。") == ["fee_payer"]


def test_a_list_is_read_with_the_sentence_before_it() -> None:
    void = "有下列情形之一的，不予退款：\n(1) 未成年人下单的\n(2) 您看错地区买错的\n"
    assert [(finding.id, finding.line) for finding in one(void).findings] == [("K25", 2)]
    assert ids("商家不得在公告中写下列内容：\n1. 概不退款\n2. 最终解释权归本店所有\n") == []


def test_a_vague_word_that_is_defined_beside_is_not_vague() -> None:
    assert ids("我们会尽快处理您的退款申请。") == ["V-TIME"]
    assert ids("我们会尽快（24小时内）处理您的退款申请。") == []


def test_the_page_beats_the_agreement_and_the_buyer_beats_who_wrote_it() -> None:
    across = check(
        [Document("付款后10分钟内发货", Kind.PAGE), Document("付款后24小时内发货", Kind.AGREEMENT)], clause=True
    )
    finding = only(across)
    assert (finding.kind.value, finding.topic, finding.document) == ("CONFLICT", "delivery_time", 1)
    assert finding.other[0].document == 0
    within = only(one("担保期为7天。\n担保期为3天。"))
    assert within.words.startswith("担保期")


def test_values_written_differently_do_not_contradict_each_other() -> None:
    assert ids("24小时内发货。\n一天内发货。") == []


def test_several_documents_are_one_reading_for_what_is_missing() -> None:
    bare = check([Document("欢迎使用本平台。", Kind.AGREEMENT)])
    assert {finding.kind.value for finding in bare.findings} == {"MISSING"}
    assert check([Document("欢迎使用本平台。", Kind.AGREEMENT)], clause=True).findings == ()
    both = check([Document("欢迎使用本平台。", Kind.AGREEMENT), Document("卡密无效可退款。", Kind.NOTICE)])
    assert "M-AFTERSALES" in {finding.id for finding in bare.findings}
    assert "M-AFTERSALES" not in {finding.id for finding in both.findings}


def test_a_waiver_with_a_reason_keeps_a_finding_out_and_is_told() -> None:
    text = "# kabao: allow K05 法务已审\n最终解释权归本店所有\n<!-- kabao: allow K01 只是示例 -->\n\n售出概不退款\n"
    report = one(text)
    assert report.findings == ()
    assert [(waived.finding.id, waived.reason) for waived in report.waived] == [
        ("K05", "法务已审"),
        ("K01", "只是示例"),
    ]
    assert ids("# kabao: allow K05\n最终解释权归本店所有\n") == ["K05"]


def test_a_waiver_is_no_part_of_the_text_and_one_that_allows_nothing_is_told() -> None:
    report = one("1. 概不退款 # kabao: allow K05 法务已审\n# kabao: allow K99 没有这一项\n2. 最终解释权归本店所有。\n")
    assert [(each.id, each.words, each.line) for each in report.findings] == [
        ("K01", "概不退款", 1),
        ("K05", "最终解释权归本店所有", 3),
    ]
    assert [(idle.id, idle.line, idle.reason) for idle in report.idle_waivers] == [
        ("K05", 1, "法务已审"),
        ("K99", 2, "没有这一项"),
    ]
    listed = "以下情形不予退款：\n# kabao: allow K20 法务已审\n1. 卡密无效的；\n2. 买错的。"
    plain = listed.replace("# kabao: allow K20 法务已审\n", "")
    assert [each.words for each in one(listed).findings] == [each.words for each in one(plain).findings]
    foreign = check([Document("# kabao: allow K05 概不退款")], clause=True, waivers=False)
    assert [each.id for each in foreign.findings] == ["K01"]  # what a stranger writes is read, whatever it looks like


def test_a_finding_keeps_its_fingerprint_when_text_moves() -> None:
    before, after = one("概不退款"), one("您好。\n\n概不退款\n概不退款")
    assert before.findings[0].fingerprint == after.findings[0].fingerprint
    assert len({finding.fingerprint for finding in after.findings}) == 2


def test_the_profile_says_what_a_buyer_may_expect_and_the_floor() -> None:
    profile = one("没看卡密随时可退，不想要了就退。\n卡密无效的，免费更换或退款。\n逾期未发货的，可以退款。").profile
    assert {key: row.gives for key, row in profile.items()} == {
        "sealed": "yes", "opened": "silent", "dead_key": "yes", "late": "yes", "changed_mind": "yes",
    }  # fmt: skip
    assert all(row.floor and row.law for row in profile.values())
    assert one("售出概不退换").profile["dead_key"].gives == "no"


@pytest.mark.parametrize(
    "text",
    [
        "平台审核用户发布的内容，对违规内容删除处理，并封禁账号。",
        "虚假的退款申请会导致账户封禁。",
        "投诉时暂时冻结货款，处理完才知道是退回给你还是结算给卖家。",
        "因您填错账号造成充值失败的，不得要求赔偿。",
        "使用礼券支付的订单缺货取消时，礼券不予返还。",
    ],
)
def test_the_profile_passes_over_what_is_not_about_a_dead_key(text: str) -> None:
    assert one(text).profile["dead_key"].gives == "silent"


def test_the_profile_shows_the_clause_that_says_most() -> None:
    profile = one("卡密有问题的，客服会受理。\n卡密无效的，免费更换或退款。").profile
    assert profile["dead_key"].says == "卡密无效的，免费更换或退款"


def test_hard_wrapped_lines_are_one_sentence() -> None:
    text = (
        "本店商品均为虚拟商品，由于虚拟商品具有可复制的特点，一经发货之后本\n"
        "店对于所有的虚拟商品都不再受理任何形式的退款与换货，请广大买家朋友\n"
        "们谅解支持，如果您不同意本条，请不要购买本店的商品，感谢您的理解哟\n好。"
    )
    wrapped = check([Document(text, Kind.NOTICE, wrapped=True)], clause=True)
    assert only(wrapped).kind.value == "VOID"
    assert "本\n店" in only(wrapped).words


@pytest.mark.parametrize(
    ("text", "number"), [("十五", 15), ("两百", 200), ("半", 0.5), ("2.5", 2.5), ("一千零五", 1005)]
)
def test_numbers_are_read(text: str, number: float) -> None:
    assert read_number(text) == number


@pytest.mark.parametrize("text", ["百分之٣", "扣1-٣天不退", "百分之𝟓", "¥٣，罚٣٣元", "第٣条 售后٣天"])
def test_digits_of_other_scripts_stop_nothing(text: str) -> None:
    assert "K01" in ids(f"{text}。虚拟商品概不退款")


def calls(text: str) -> int:
    """Count the calls that checking a text takes."""
    counted = 0

    def count(frame: FrameType, event: str, argument: Any) -> None:  # noqa: ARG001
        nonlocal counted
        counted += 1

    sys.setprofile(count)
    try:
        one(text)
    finally:
        sys.setprofile(None)
    return counted


@pytest.mark.parametrize(
    "unit",
    [
        "不",
        "退",
        "但",
        "(",
        "1",
        " ",
        "\n",
        "不得以",
        "概不退款",
        "的",
        "、",
        "”“",
        "<",
        "售后24小时",
        "1.",
        "a b ",
        "不退,",
        "除",
    ],
)
def test_work_grows_in_step_with_the_length(unit: str) -> None:
    """Whatever is repeated; counted, not timed."""
    one("概不退款")
    length = 3000
    small, large = calls(unit * (length // len(unit))), calls(unit * (2 * length // len(unit)))
    assert large <= 2.3 * small + 2000
