"""Whatever the file holds, the verifier answers with a report and one of three numbers, never with a traceback."""

import contextlib
import copy
import io
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kabao.packs import verify
from packbuilder import SIGNER, Draft, bytes_of, canonical, entries_of, manifest_bytes, signature_of, zip_of

from .stampmaker import maker, stamp

FEW = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "pack.zip"


def answer(place: Path, content: bytes) -> int:
    """Run the program on these bytes as a shell would."""
    place.write_bytes(content)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        code = verify.main([str(place), "--en"])
        again = verify.main([str(place), "--json"])
    assert code == again
    assert code in (0, 1, 2)
    return code


CUTS = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 40), st.binary(max_size=40)),
    min_size=1,
    max_size=4,
)


@FEW
@given(cuts=CUTS)
def test_bytes_cut_out_and_put_in_anywhere(cuts: list[tuple[float, int, bytes]], small: Draft, place: Path) -> None:
    whole = bytes_of(small)
    altered = whole
    for where, length, put in cuts:
        at = int(where * len(altered))
        altered = altered[:at] + put + altered[at + length :]
    assert answer(place, altered) == 0 if altered == whole else answer(place, altered) in (1, 2)


@FEW
@given(content=st.binary(max_size=300), start=st.sampled_from([b"", b"PK\x03\x04", b"PK\x05\x06", b"PK\x01\x02"]))
def test_any_bytes_at_all(content: bytes, start: bytes, place: Path) -> None:
    assert answer(place, start + content) == 2


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.text(max_size=8)
    | st.sampled_from(["items/001.png", "records/000001.json", "checkpoints/11.txt", "0" * 64, SIGNER.text]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def signed_as(draft: Draft, manifest: bytes) -> bytes:
    head = {"manifest.json": manifest, "manifest.sig": signature_of(manifest, SIGNER)}
    return zip_of({**entries_of(draft), **head})


@FEW
@given(value=JSON)
def test_any_json_for_a_manifest(value: Any, small: Draft, place: Path) -> None:
    assert answer(place, signed_as(small, canonical(value))) == 1


@FEW
@given(data=st.data())
def test_any_value_of_the_manifest_replaced_by_any_other_and_signed(
    data: st.DataObject, small: Draft, place: Path
) -> None:
    """What a dishonest or broken signer could make; what holds by chance is a pack, and all else fails."""
    value = copy.deepcopy(verify.read_json(manifest_bytes(small)))
    for _ in range(data.draw(st.integers(1, 3))):
        inner, key = value, data.draw(st.sampled_from(sorted(value)))
        while isinstance(inner[key], dict | list) and inner[key] and data.draw(st.booleans()):
            inner = inner[key]
            key = data.draw(st.sampled_from(sorted(inner) if isinstance(inner, dict) else range(len(inner))))
        if data.draw(st.booleans()):
            inner[key] = data.draw(JSON)
        elif isinstance(inner, list):
            inner.insert(key, copy.deepcopy(inner[key]))
        else:
            del inner[key]
            break
    assert answer(place, signed_as(small, canonical(value))) in (0, 1)


@FEW
@given(name=st.integers(0, 100), cuts=CUTS)
def test_any_file_of_a_pack_altered_and_signed(
    name: int, cuts: list[tuple[float, int, bytes]], small: Draft, place: Path
) -> None:
    names = sorted(small.files)
    altered = small.copy()
    chosen = names[name % len(names)]
    for where, length, put in cuts:
        content = altered.files[chosen]
        at = int(where * len(content))
        altered.files[chosen] = content[:at] + put + content[at + length :]
    assert answer(place, bytes_of(altered)) in (0, 1)


STAMP_MAKER = maker()
STAMP = stamp(b"message", STAMP_MAKER)


@settings(max_examples=1000, deadline=None)
@given(cuts=CUTS)
def test_any_timestamp(cuts: list[tuple[float, int, bytes]]) -> None:
    altered = STAMP
    for where, length, put in cuts:
        at = int(where * len(altered))
        altered = altered[:at] + put[:length] + altered[at + length :]
    with contextlib.suppress(verify.WrongError):
        verify.check_timestamp(altered, b"message", STAMP_MAKER.roots_pem)


@settings(max_examples=1000, deadline=None)
@given(cuts=CUTS)
def test_any_certificate(cuts: list[tuple[float, int, bytes]]) -> None:
    (certificate,) = verify.read_pem(STAMP_MAKER.roots_pem)
    altered = certificate.raw
    for where, length, put in cuts:
        at = int(where * len(altered))
        altered = altered[:at] + (put + bytes(40))[:length] + altered[at + length :]
    with contextlib.suppress(verify.WrongError):
        read = verify.read_certificate(altered)
        assert read.authority() is not None
        read.purposes()
        assert read.may(verify.MAY_CERTIFY) in (True, False)
        verify.shown_subject(read.subject)
        verify.signature_holds(read.key, read.algorithm, None, read.signed, read.signature)


@settings(max_examples=300)
@given(content=st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_any_text_for_notes_proofs_keys_and_pem(content: bytes) -> None:
    key = verify.read_verifier_key(SIGNER.text)
    for reader in (
        lambda: verify.open_note(content, key),
        lambda: verify.read_proof(content),
        lambda: verify.read_proof(b"c2sp.org/tlog-proof@v1\n" + content),
        lambda: verify.read_checkpoint(content.decode("utf-8", "replace")),
        lambda: verify.read_verifier_key(content.decode("utf-8", "replace")),
        lambda: verify.read_pem(b"-----BEGIN CERTIFICATE-----\n" + content + b"\n-----END CERTIFICATE-----"),
        lambda: verify.read_json(content),
        lambda: verify.read_record(content, "message", None),
        lambda: verify.read_der(content),
        lambda: verify.rsa_opened(content, content),
    ):
        with contextlib.suppress(verify.WrongError):
            reader()
