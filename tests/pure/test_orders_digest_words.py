from kabao.orders.rules import digest_subject


def test_a_merchant_reads_how_many_and_how_much() -> None:
    assert (
        digest_subject("sale", "点卡店", 3, 1_234_550)
        == "「点卡店」卖出 3 单，共 ¥12,345.50，卡密已封存送达，钱在托管方"
    )
    assert digest_subject("payout", "点卡店", 1, 9_361) == "「点卡店」1 单已放款，扣除费用后 ¥93.61 付到商家账户"
