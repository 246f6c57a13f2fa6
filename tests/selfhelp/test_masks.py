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
        ("2026-11-14 付了 268.00，编号 20261114000123", "2026-11-14 付了 268.00，编号 20261114000123"),
    ],
)
def test_keys_and_passwords_go_and_order_numbers_and_dates_stay(text: str, left: str) -> None:
    found = masked(text, ("QX7P-99AB-KKM2", "ab"), ("A1B2-C3D4-E5F6",))
    assert found.lower() == left.lower()
    assert masked(found, ("QX7P-99AB-KKM2",), ("A1B2-C3D4-E5F6",)) == found
