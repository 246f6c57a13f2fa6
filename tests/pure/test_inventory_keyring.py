import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kabao.inventory import Keyring, KeyringRefused
from kabao.inventory.keyring import Wrapped


def key_file(folder: Path) -> Path:
    (found,) = folder.glob("kek-*.key")
    return found


def test_the_first_start_makes_a_key_only_its_account_reads(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    keyring = Keyring(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(key_file(folder).stat().st_mode) == 0o600
    assert key_file(folder).name == "kek-1.key"
    assert list(folder.iterdir()) == [key_file(folder)]
    again = Keyring(folder)
    assert again.kek_id == keyring.kek_id
    assert again.derive("x") == keyring.derive("x")
    assert keyring.derive("x") != keyring.derive("y")


def test_processes_that_start_at_once_share_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        rings = list(pool.map(lambda _: Keyring(tmp_path / "secrets"), range(16)))
    assert len({ring.kek_id for ring in rings}) == 1
    assert len({ring.derive("x") for ring in rings}) == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "secrets"
    Keyring(folder)
    key_file(folder).chmod(mode)
    with pytest.raises(KeyringRefused) as refused:
        Keyring(folder)
    assert "chmod 600" in refused.value.zh
    assert "chmod 600" in refused.value.en


def test_a_folder_that_others_may_enter_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    Keyring(folder)
    folder.chmod(0o755)
    with pytest.raises(KeyringRefused, match="chmod 700"):
        Keyring(folder)


@pytest.mark.parametrize("change", [{"kek": "AAAA"}, {"root": "AAAA"}, {"version": 2}, {"more": 1}])
def test_a_damaged_key_file_is_refused_without_showing_it(tmp_path: Path, change: dict[str, object]) -> None:
    Keyring(tmp_path / "secrets")
    path = key_file(tmp_path / "secrets")
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | change))
    with pytest.raises(KeyringRefused, match="damaged") as refused:
        Keyring(tmp_path / "secrets")
    assert content["kek"] not in str(refused.value) + refused.value.zh


def test_an_empty_key_file_is_never_replaced(tmp_path: Path) -> None:
    Keyring(tmp_path / "secrets")
    key_file(tmp_path / "secrets").write_bytes(b"")
    with pytest.raises(KeyringRefused):
        Keyring(tmp_path / "secrets")
    assert key_file(tmp_path / "secrets").read_bytes() == b""


def test_a_link_or_a_folder_is_no_key_file(tmp_path: Path) -> None:
    Keyring(tmp_path / "secrets")
    path = key_file(tmp_path / "secrets")
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(KeyringRefused, match="cannot be opened"):
        Keyring(tmp_path / "secrets")
    path.unlink()
    path.mkdir(mode=0o700)
    with pytest.raises(KeyringRefused, match="damaged"):
        Keyring(tmp_path / "secrets")


def test_files_of_two_installations_are_refused(tmp_path: Path) -> None:
    Keyring(tmp_path / "one")
    Keyring(tmp_path / "two")
    os.link(key_file(tmp_path / "two"), tmp_path / "one" / "kek-2.key")
    with pytest.raises(KeyringRefused, match="two installations"):
        Keyring(tmp_path / "one")


def test_a_wrapped_key_opens_at_its_place_only(tmp_path: Path) -> None:
    keyring = Keyring(tmp_path / "secrets")
    wrapped = keyring.wrap(7, 1, b"d" * 32)
    assert keyring.unwrap(7, 1, wrapped) == b"d" * 32
    for shop_id, dek_id, changed in (
        (8, 1, wrapped),
        (7, 2, wrapped),
        (7, 1, Wrapped(wrapped.kek_id, wrapped.wrapped[:-1] + bytes([wrapped.wrapped[-1] ^ 1]))),
        (7, 1, Wrapped(wrapped.kek_id, b"")),
    ):
        with pytest.raises(KeyringRefused, match="does not open"):
            keyring.unwrap(shop_id, dek_id, changed)


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    wrapped = Keyring(tmp_path / "lost").wrap(7, 1, b"d" * 32)
    with pytest.raises(KeyringRefused, match=wrapped.kek_id):
        Keyring(tmp_path / "secrets").unwrap(7, 1, wrapped)


def test_a_new_key_changes_no_other_secret_and_old_ones_open_until_removed(tmp_path: Path) -> None:
    keyring, elsewhere = Keyring(tmp_path / "secrets"), Keyring(tmp_path / "secrets")
    old = keyring.wrap(7, 1, b"d" * 32)
    derived, blind = keyring.derive("x"), keyring.blind("A")
    assert keyring.add_kek() != old.kek_id
    assert (keyring.derive("x"), keyring.blind("A")) == (derived, blind)
    new = keyring.wrap(7, 1, b"d" * 32)
    assert new.kek_id == keyring.kek_id != old.kek_id
    assert keyring.unwrap(7, 1, old) == elsewhere.unwrap(7, 1, new) == b"d" * 32
    assert keyring.remove_old() == 1
    assert key_file(tmp_path / "secrets").name == "kek-2.key"
    with pytest.raises(KeyringRefused):
        keyring.unwrap(7, 1, old)


def test_the_same_key_is_recognised_however_it_is_written(tmp_path: Path) -> None:
    keyring = Keyring(tmp_path / "secrets")
    assert keyring.blind(" ＡＢ-1 ") == keyring.blind("AB-1")
    assert keyring.blind("AB-1") != keyring.blind("ab-1")
    assert len(keyring.blind("AB-1")) == 16
    assert keyring.blind("AB-1") != Keyring(tmp_path / "other").blind("AB-1")


def test_no_representation_shows_a_secret(tmp_path: Path) -> None:
    keyring = Keyring(tmp_path / "secrets")
    content = json.loads(key_file(tmp_path / "secrets").read_text())
    shown = repr(keyring) + repr(list(keyring._files.values()))
    assert content["kek"] not in shown
    assert content["root"] not in shown
    assert keyring.kek_id in repr(keyring)
