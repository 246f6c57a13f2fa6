import pytest

from kabao.selfhelp.masks import masked


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("卡是 qx7p 99ab-kkm2 这张", "卡是 QX****M2 这张"),
        ("QX7P99ABKKM2", "QX****M2"),
        ("发来 AB12-CD34-EF56 用不了", "发来 AB****56 用不了"),
        ("订单 A1B2-C3D4-E5F6 已付", "订单 A1B2-C3D4-E5F6 已付"),
        ("密码：hunter22，验证码是 482913", "密码：hu****22，验证码是 ****"),
        ("密码：hu****22", "密码：hu****22"),
        ("给的是 ab12-cd34-ef56-gh78", "给的是 ab****78"),
        ("给的是Ab12C-d34Ef-56gh7", "给的是Ab****h7"),
        ("给的是 7KQ2MX9PLA3ZC8W1", "给的是 7K****W1"),
        ("a well-known-2026 page, game-card-2026", "a well-known-2026 page, game-card-2026"),
        ("https://a.example/ab12-cd34-ef56 SF1234567890123", "https://a.example/ab12-cd34-ef56 SF1234567890123"),
        ("信用代码 91310000MA1FL0000X", "信用代码 91310000MA1FL0000X"),
        ("id 123e4567-e89b-12d3-a456-426614174000", "id 123e4567-e89b-12d3-a456-426614174000"),
        ("兑换码【ABCDEFGHJKLM】，key: qwer-tyui-opas", "兑换码【AB****LM】，key: qw****as"),
        ("ABCD 1234 EFGH 5678 和 1234 5678 9012 3456", "AB****78 和 12****56"),
        ("STEAM 2026 YEAR CARD，monkey: abcdef，138 0013 8000", "STEAM 2026 YEAR CARD，monkey: abcdef，138 0013 8000"),
        ("2026-11-14 付了 268.00，编号 20261114000123", "2026-11-14 付了 268.00，编号 20261114000123"),
    ],
)
def test_keys_and_passwords_go_and_order_numbers_and_dates_stay(text: str, left: str) -> None:
    found = masked(text, ("QX7P-99AB-KKM2", "ab"), ("A1B2-C3D4-E5F6",))
    assert found.lower() == left.lower()
    assert masked(found, ("QX7P-99AB-KKM2",), ("A1B2-C3D4-E5F6",)) == found


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "hostile",
    [
        "卡密" + " " * 60_000 + "。",
        "卡密 是 " * 12_000,
        "key: [ " * 9_000,
        "ABCD " * 12_000,
        "a1-" * 20_000,
        "A1" * 30_000,
    ],
)
def test_a_page_made_to_be_slow_takes_no_longer_than_any_other(hostile: str) -> None:
    # With one repetition that gives signs back, 12,000 spaces took an hour.
    assert masked(hostile, ("QX7P-99AB-KKM2",)) == hostile
