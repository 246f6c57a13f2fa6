"""Names of files that are saved: whole in Chinese, plain for old browsers, and no way into the header or the folder."""

from urllib.parse import unquote

import pytest

from kabao.web.files import file_headers
from kabao.web.saved_as import saved_as


@pytest.mark.parametrize(
    ("name", "plain", "shown"),
    [
        ("证据包.zip", "___.zip", "证据包.zip"),
        ("pack.zip", "pack.zip", None),
        ('a"b\r\nx: y.txt', "a_b__x__y.txt", None),
        ("../../etc/截图.png", ".._.._etc___.png", "....etc截图.png"),
        ("图\u202egnp.exe", "__gnp.exe", "图gnp.exe"),
        ("字" * 200 + ".txt", "_" * 200 + ".txt", "字" * 116 + ".txt"),
    ],
)
def test_a_name_is_whole_in_its_own_letters_and_harmless(name: str, plain: str, shown: str | None) -> None:
    value = saved_as(name)
    first, _, second = value.partition("; filename*=UTF-8''")
    assert first == f'attachment; filename="{plain}"'
    assert (unquote(second) if second else None) == shown
    assert value.isascii()


def test_a_given_file_keeps_its_chinese_name_with_the_ending_of_what_it_is() -> None:
    headers = file_headers("text/plain; charset=utf-8", "聊天.exe", inline=False)
    assert (
        unquote(headers["content-disposition"]) == "attachment; filename=\"__.exe.txt\"; filename*=UTF-8''聊天.exe.txt"
    )
