"""The printed commands name whole keys, whatever letters their base64 happens to have."""

from datetime import UTC, datetime
from itertools import count

from kabao.packs.guide import guide_of
from kabao.packs.model import Absent, PackContent
from kabao.packs.signer import PackSigner


def test_a_key_with_a_plus_sign_in_it_is_printed_whole() -> None:
    signers = (PackSigner(name="kabao.example/pack", seed=number.to_bytes(32, "big")) for number in count(1))
    key = next(one.verifier_key for one in signers if one.verifier_key.count("+") > 2)
    content = PackContent(
        variant="full",
        order=None,
        case=None,
        title="",
        made_at=datetime(2026, 11, 24, tzinfo=UTC),
        absent=(Absent(part="records", why="没有"),),
    )
    raw = key.split("+", 2)[2]
    assert f"echo '{raw}' | base64 -d" in guide_of(content, key, "00" * 32)
