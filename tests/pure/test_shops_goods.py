import pytest

from kabao.shops import CATEGORIES, PROHIBITED, ProhibitedGoods, ProhibitedList


@pytest.mark.parametrize(
    ("text", "goods_id"),
    [
        ("全新手机卡 0 月租", "phone_card"),
        ("手 机 卡 批发", "phone_card"),
        ("手\u200b机\u200b卡", "phone_card"),
        ("物联网卡 100G", "phone_card"),
        ("手機卡", "phone_card"),
        ("接码平台余额", "sms_code"),
        ("人脸代过，当天出", "sms_code"),
        ("ＱＱ小号 10 个", "real_name_account"),
        ("qq 小号", "real_name_account"),
        ("出售微信号，带实名", "real_name_account"),
        ("银行卡四件套", "payment_account"),
        ("长期收购对公账户", "payment_account"),
        ("出租收款码", "payment_account"),
        ("各地开房记录", "personal_information"),
        ("出售个人信息 10 万条", "personal_information"),
        ("跑分项目", "laundering"),
        ("GoIP 设备", "fraud_tools"),
        ("Ｇ Ｏ Ｉ Ｐ", "fraud_tools"),
        ("微信群控系统", "fraud_tools"),
        ("盗刷卡充值", "stolen_payment"),
        ("绝地外挂，自瞄", "cheats"),
        ("某软件破解版", "cheats"),
        ("百家乐上下分", "gambling"),
        ("解除防沉迷", "account_for_minors"),
        ("学生租号", "account_for_minors"),
    ],
)
def test_prohibited_goods_are_found_however_they_are_written(text: str, goods_id: str) -> None:
    finding = PROHIBITED.find(text)
    assert finding is not None
    assert finding.goods.goods_id == goods_id


@pytest.mark.parametrize(
    "text",
    [
        "星海点卡 100 元，国服通用",
        "解决手机卡顿的清理软件授权",
        "充值到手机 卡密秒发",
        "扫码后直接码上兑换",
        "复制链接码到兑换页",
        "支持支付宝付款，银行卡支付也可以",
        "请填写支付宝账号兑换",
        "QQ号充值 Q 币，请填 QQ号",
        "视频会员，微信登录后兑换",
        "安兔兔跑分软件专业版",
        "播放器会员，支持外挂字幕",
        "使用外挂会被封号",
        "熊猫池会员",
        "本店反洗钱，远离赌博",
        "用你的实名账号登录后兑换",
        "需成年实名认证后购买",
        "账户防盗刷保险",
        "通过人脸识别后激活",
        "我们不会出售个人信息",
        "贴心私服务",
        "",
    ],
)
def test_plain_goods_are_not_mistaken(text: str) -> None:
    assert PROHIBITED.find(text) is None


def test_the_allow_list_does_not_hide_what_stands_beside_it() -> None:
    finding = PROHIBITED.find("手机卡顿清理，另售手机卡")
    assert finding is not None
    assert finding.found == "手机卡"


def test_the_sentence_names_the_goods_and_the_law() -> None:
    finding = PROHIBITED.find("实名号批发")
    assert finding is not None
    assert finding.sentence.startswith("「实名号」属于实名账号、社交账号，不能卖：")
    assert "《反电信网络诈骗法》第三十一条第一款" in finding.sentence


def test_only_laws_whose_text_was_read_are_cited() -> None:
    assert PROHIBITED.goods
    for goods in PROHIBITED.goods:
        assert goods.basis
        assert {basis.mark for basis in goods.basis} <= {"V", "V2"}
        assert all(goods.words)
        assert goods.why_zh.endswith("。")


def test_an_entry_may_do_without_an_allow_list() -> None:
    listed = ProhibitedList([ProhibitedGoods("x", "甲类", "不能卖。", [], ["甲"])])
    assert listed.find("甲") is not None
    assert listed.find("乙") is None


def test_game_accounts_are_for_adults() -> None:
    assert [found.category_id for found in CATEGORIES.values() if found.adult] == ["game_code_18", "game_account"]
    assert len(CATEGORIES) == 9
