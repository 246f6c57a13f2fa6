"""The simulated authorities: real answers, keys that one account may read, and names nobody takes for real."""

import stat
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from kabao.timestamps import Accepted, SandboxAuthorities, SandboxRefused, Unreachable, check_response, new_request

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)


async def test_their_keys_are_kept_for_one_account_and_serve_again(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    first = SandboxAuthorities(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["timestamp-sandbox-ecdsa.pem", "timestamp-sandbox-rsa.pem"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    again = SandboxAuthorities(folder, now=lambda: AT)
    assert again.authorities == first.authorities
    for authority in first.authorities:
        request = new_request(b"data")
        response = await again(authority.url, request.as_bytes())
        found = check_response(authority, request, b"data", response, AT)
        assert isinstance(found, Accepted)
        assert found.stamped_at == AT


def test_one_is_rsa_and_one_is_ecdsa_and_both_say_that_they_prove_nothing(tmp_path: Path) -> None:
    authorities = SandboxAuthorities(tmp_path / "secrets").authorities
    assert [authority.name for authority in authorities] == ["sandbox-rsa", "sandbox-ecdsa"]
    for authority, kind in zip(authorities, (rsa.RSAPublicKey, ec.EllipticCurvePublicKey), strict=True):
        (root,) = x509.load_pem_x509_certificates(authority.roots_pem)
        assert isinstance(root.public_key(), kind)
        assert "无证明力" in root.subject.rfc4514_string()
        assert "不是时间戳服务机构" in root.subject.rfc4514_string()
        assert b"PRIVATE" not in authority.roots_pem


async def test_any_other_address_leads_to_nobody(tmp_path: Path) -> None:
    with pytest.raises(Unreachable):
        await SandboxAuthorities(tmp_path / "secrets")("https://real.example/", b"")


def test_two_that_start_at_once_use_the_same_keys(tmp_path: Path) -> None:
    folder, found = tmp_path / "secrets", list[bytes]()
    barrier = threading.Barrier(4)

    def begin() -> None:
        barrier.wait()
        found.append(b"".join(authority.roots_pem for authority in SandboxAuthorities(folder).authorities))

    threads = [threading.Thread(target=begin) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1
    assert len(list(folder.iterdir())) == 2


@pytest.mark.parametrize(
    "content", [b"", b"nonsense", b"-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n"]
)
def test_a_damaged_file_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    folder = tmp_path / "secrets"
    SandboxAuthorities(folder)
    (folder / "timestamp-sandbox-rsa.pem").write_bytes(content)
    with pytest.raises(SandboxRefused) as refused:
        SandboxAuthorities(folder)
    assert "损坏" in refused.value.zh


def test_a_file_with_a_key_but_no_certificates_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    SandboxAuthorities(folder)
    file = folder / "timestamp-sandbox-rsa.pem"
    file.write_bytes(file.read_bytes().partition(b"-----BEGIN CERTIFICATE")[0])
    with pytest.raises(SandboxRefused):
        SandboxAuthorities(folder)


def test_a_file_that_others_may_read_is_refused_in_words(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    SandboxAuthorities(folder)
    (folder / "timestamp-sandbox-ecdsa.pem").chmod(0o640)
    with pytest.raises(SandboxRefused) as refused:
        SandboxAuthorities(folder)
    assert "chmod 600" in refused.value.zh


def test_a_link_in_the_place_of_a_file_is_not_followed(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    SandboxAuthorities(folder)
    file = folder / "timestamp-sandbox-rsa.pem"
    file.rename(tmp_path / "elsewhere")
    file.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SandboxRefused):
        SandboxAuthorities(folder)
