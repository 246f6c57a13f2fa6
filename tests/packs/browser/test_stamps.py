"""The page reads timestamps as `verify.py` does: the same hold, and the same is said of those that do not."""

import base64
import random
from typing import Any

import pytest

from kabao.packs import verify
from packbuilder import STAMPS, Draft, bytes_of

# The tables stand with the tests of verify.py.
from ..stampmaker import ROOT, Maker, maker, stamp  # noqa: TID252
from ..test_der import DER_FORMS  # noqa: TID252
from ..test_manifest import SIGNED  # noqa: TID252
from ..test_timestamps import CHAINS, MESSAGE, WRONG, maker_for_names  # noqa: TID252
from .conftest import Laboratory, unlike, verdict_of

pytestmark = pytest.mark.browser

STAMPED = """async (cases) => {
  const { checkTimestamp } = await import('/static/verify/timestamp.js');
  const bytes = (letters) => Uint8Array.from(atob(letters), (letter) => letter.charCodeAt(0));
  const said = [];
  for (const [response, message, roots] of cases) {
    try {
      const told = await checkTimestamp(bytes(response), bytes(message), bytes(roots), new Uint8Array());
      said.push([told.at, told.signer, told.root]);
    } catch (wrong) {
      said.push(wrong.message);
    }
  }
  return said;
}"""

READ = """async (values) => {
  const { readDer } = await import('/static/verify/der.js');
  return values.map((value) => {
    try {
      return Boolean(readDer(Uint8Array.from(value.match(/../g) || [], (pair) => parseInt(pair, 16))));
    } catch {
      return false;
    }
  });
}"""

Case = tuple[bytes, bytes, bytes]


def said_by_page(laboratory: Laboratory, cases: list[Case]) -> list[Any]:
    given = [[base64.b64encode(part).decode() for part in case] for case in cases]
    said: list[Any] = laboratory.run(STAMPED, given)
    return said


def said_by_script(response: bytes, message: bytes, roots: bytes) -> Any:
    try:
        told = verify.check_timestamp(response, message, roots)
    except verify.WrongError as wrong:
        return wrong.zh
    return [round(told.at.timestamp() * 1_000_000), told.signer, told.root.hex()]


def agree(laboratory: Laboratory, cases: dict[str, Case]) -> list[Any]:
    said = said_by_page(laboratory, [*cases.values()])
    for (name, case), one in zip(cases.items(), said, strict=True):
        assert one == said_by_script(*case), name
    return said


def test_stamps_of_other_makers_hold(laboratory: Laboratory) -> None:
    message = (STAMPS / "message.txt").read_bytes()
    cases = {
        path.stem: (path.read_bytes(), message, path.with_suffix(".roots.pem").read_bytes())
        for path in sorted(STAMPS.glob("*.tsr"))
    }
    assert cases
    assert all(isinstance(one, list) for one in agree(laboratory, cases))


def test_each_algorithm_holds(laboratory: Laboratory) -> None:
    orders: list[tuple[str, dict[str, Any]]] = [
        ("p256", {}),
        ("p256", {"digest": "sha512"}),
        ("p384", {"digest": "sha384"}),
        ("p384", {"digest": "sha256"}),
        ("rsa", {}),
        ("rsa", {"scheme": "bare", "digest": "sha512"}),
        ("rsa", {"digest": "sha384"}),
        ("rsa", {"scheme": "pss"}),
        ("rsa", {"scheme": "pss", "digest": "sha384", "salt_size": 48}),
        ("p256", {"at": b"20261124210000.123456Z"}),
    ]
    cases: dict[str, Case] = {}
    for number, (kind, more) in enumerate(orders):
        by = maker(kind, digest=more.get("digest", "sha256"), middle=ROOT, pss=more.get("scheme") == "pss")
        cases[f"{number} right"] = stamp(MESSAGE, by, **more), MESSAGE, by.roots_pem
        wrong = stamp(MESSAGE, by, **more, signature=lambda right: right[:-1] + bytes((right[-1] ^ 1,)))
        cases[f"{number} wrong"] = wrong, MESSAGE, by.roots_pem
    assert [isinstance(one, list) for one in agree(laboratory, cases)] == [True, False] * len(orders)


def test_what_makes_a_stamp_or_a_chain_worthless_is_said_alike(laboratory: Laboratory) -> None:
    by = maker_for_names()
    cases: dict[str, Case] = {
        name: (stamp(MESSAGE, by, **more), MESSAGE, by.roots_pem) for name, (more, _) in WRONG.items()
    }
    makers: dict[str, Maker] = {name: one for name, (one, _) in CHAINS.items()}
    cases |= {name: (stamp(MESSAGE, one), MESSAGE, one.roots_pem) for name, one in makers.items()}
    rsa = maker("rsa")
    cases["a mask of another digest"] = stamp(MESSAGE, rsa, scheme="pss", mask="sha512"), MESSAGE, rsa.roots_pem
    assert all(isinstance(one, str) for one in agree(laboratory, cases))


@pytest.mark.parametrize("stem", ["openssl-ec", "openssl-rsa-chain", "sandbox-rsa"])
def test_a_flipped_bit_is_judged_alike(laboratory: Laboratory, stem: str) -> None:
    message, path = (STAMPS / "message.txt").read_bytes(), STAMPS / f"{stem}.tsr"
    roots, right = path.with_suffix(".roots.pem").read_bytes(), path.read_bytes()
    chance, cases = random.Random(5), {}  # noqa: S311  the same places every time
    for place in chance.sample(range(8 * len(right)), 400):
        wrong = bytearray(right)
        wrong[place // 8] ^= 1 << place % 8
        cases[str(place)] = bytes(wrong), message, roots
    said = said_by_page(laboratory, [*cases.values()])
    told = [said_by_script(*case) for case in cases.values()]
    assert [isinstance(one, list) for one in said] == [isinstance(one, list) for one in told]


def test_a_value_has_one_spelling(laboratory: Laboratory) -> None:
    assert laboratory.run(READ, [*DER_FORMS.values()]) == [False] * len(DER_FORMS)
    right = ["0101ff", "010100", "020100", "0201ff", "02020080", "0202ff7f", "0500", "06022a03", "3003020100", "3000"]
    assert laboratory.run(READ, right) == [True] * len(right)


def test_what_a_signer_says_and_does_not_hold_is_blamed_alike(
    laboratory: Laboratory, small: Draft, tmp_path: Any
) -> None:
    packs = {}
    for name, (change, _, _) in SIGNED.items():
        draft = small.copy()
        change(draft)
        packs[name] = bytes_of(draft)
    for name, found in zip(packs, laboratory.verdicts([*packs.values()]), strict=True):
        assert found.status == 1, name
        assert unlike(found, verdict_of(tmp_path / "pack.zip", packs[name])) == "", name
