"""What an operator writes into KABAO_TIMESTAMP_AUTHORITIES, taken or refused in words."""

from pathlib import Path

import pytest
from cryptography import x509

from kabao.timestamps import AuthoritiesRefused, read_authorities

VECTORS = Path(__file__).parents[1] / "vectors" / "timestamps"
ROOTS = VECTORS / "openssl-rsa.roots.pem"


def test_nothing_named_is_nothing_asked() -> None:
    assert read_authorities("") == ()
    assert read_authorities(" ; ") == ()


def test_names_addresses_and_roots_are_read() -> None:
    first, second = read_authorities(
        f"one=https://a.example/tsa?x=1&y=2={ROOTS}; two = http://b.example:3161/ = {VECTORS}/openssl-ec.roots.pem ;"
    )
    assert (first.name, first.url) == ("one", "https://a.example/tsa?x=1&y=2")
    assert (second.name, second.url) == ("two", "http://b.example:3161/")
    assert x509.load_pem_x509_certificates(first.roots_pem) == x509.load_pem_x509_certificates(ROOTS.read_bytes())


def test_only_certificates_are_kept_of_a_file(tmp_path: Path) -> None:
    mixed = tmp_path / "mixed.pem"
    secret = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n"
    mixed.write_text(f"subject: who\n{secret}" + ROOTS.read_text() + (VECTORS / "openssl-ec.roots.pem").read_text())
    (only,) = read_authorities(f"one=https://a.example/={mixed}")
    assert only.roots_pem.count(b"BEGIN CERTIFICATE") == 2
    assert b"PRIVATE" not in only.roots_pem
    assert b"who" not in only.roots_pem


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("one", "第 1 项的写法不对"),
        ("one=https://a.example/", "第 1 项的写法不对"),
        (f"=https://a.example/={ROOTS}", "第 1 项的写法不对"),
        (f"one=={ROOTS}", "第 1 项的写法不对"),
        (f"a=https://a.example/={ROOTS};One=https://a.example/={ROOTS}", "第 2 项的名字"),
        (f"{'a' * 31}=https://a.example/={ROOTS}", "的名字只能用小写字母"),
        (f"sandbox-x=https://a.example/={ROOTS}", "不能以 sandbox 开头"),
        (f"one=ftp://a.example/={ROOTS}", "http:// 或 https://"),
        (f"one=https:///tsa={ROOTS}", "http:// 或 https://"),
        (f"one=https://user:word@a.example/={ROOTS}", "不含用户名和密码"),
        (f"one=https://a.example:99999/={ROOTS}", "http:// 或 https://"),
        (f"one=https://a.example/ x={ROOTS}", "http:// 或 https://"),
        (f"one=https://a.example/{'x' * 500}={ROOTS}", "http:// 或 https://"),
        (f"one=https://a.example/={VECTORS}/missing.pem", "打不开"),
        (f"one=https://a.example/={VECTORS}/message.txt", "没有 PEM 证书"),
        (f"one=https://a.example/={ROOTS};one=https://b.example/={ROOTS}", "用了两次"),
        (";".join(f"a{n}=https://a.example/={ROOTS}" for n in range(9)), "最多写 8 家"),
    ],
)
def test_what_cannot_be_used_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(AuthoritiesRefused) as refused:
        read_authorities(text)
    assert words in refused.value.zh
    assert "KABAO_TIMESTAMP_AUTHORITIES" in refused.value.en
    assert "word" not in refused.value.zh + refused.value.en.replace("password", "")


def test_a_file_over_64_kb_is_refused(tmp_path: Path) -> None:
    large = tmp_path / "large.pem"
    large.write_bytes(ROOTS.read_bytes() * 60)
    with pytest.raises(AuthoritiesRefused, match="64 KB"):
        read_authorities(f"one=https://a.example/={large}")
