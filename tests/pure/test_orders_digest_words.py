from kabao.orders.rules import charged_back_subject, digest_subject, refused_subject


def test_a_merchant_reads_how_many_and_how_much() -> None:
    assert (
        digest_subject("sale", "点卡店", 3, 1_234_550)
        == "「点卡店」卖出 3 单，共 ¥12,345.50，卡密已封存送达，钱在托管方"
    )
    assert digest_subject("payout", "点卡店", 1, 9_361) == "「点卡店」1 单已放款，扣除费用后 ¥93.61 付到商家账户"


def test_who_waits_for_refused_money_reads_where_it_is_and_what_to_do() -> None:
    assert (
        refused_subject("点卡", 9_650, is_order=True)
        == "「点卡」有 ¥96.50 没能退到原付款账户，还在托管方，请到订单里换一个收款账户"
    )
    assert (
        refused_subject("点卡店", 500, is_order=False)
        == "「点卡店」的 ¥5.00 没能退到原付款账户，还在托管方，请看保证金页"
    )


def test_a_payment_taken_back_is_told_to_each_side_in_its_words() -> None:
    assert charged_back_subject("点卡", 9_650, is_buyer=True) == (
        "「点卡」的付款被你的付款银行撤回，¥96.50 由银行退给你，平台不再退第二次"
    )
    assert "不再付给店铺" in charged_back_subject("点卡", 9_650, is_buyer=False)
    assert "订单的钱没有动" in charged_back_subject("点卡", 0, is_buyer=True)
