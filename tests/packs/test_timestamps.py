"""Timestamps: those that hold, by several makers, and everything that makes one worthless."""

import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from kabao.packs import verify
from kabao.timestamps import der
from opensslauthority import OpensslAuthority, verifies
from packbuilder import STAMPS, Draft, add_stamp, bytes_of, count, sample

from .conftest import Examine, answer_over
from .stampmaker import (
    AT,
    HASH_OIDS,
    LEAF,
    PURPOSE,
    ROOT,
    Maker,
    algorithm,
    attribute,
    certificate,
    key_of,
    maker,
    stamp,
    usage,
)

MESSAGE = b"kabao.example/log\n3\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
PLAIN = (x509.BasicConstraints(ca=False, path_length=None), True)
STRANGE = (x509.UnrecognizedExtension(ObjectIdentifier("2.999.5"), b"\x05\x00"), True)


def check(response: bytes, roots: bytes, message: bytes = MESSAGE) -> verify.Stamp:
    return verify.check_timestamp(response, message, roots)


@pytest.mark.parametrize("path", sorted(STAMPS.glob("*.tsr")), ids=lambda path: path.stem)
def test_stamps_of_other_makers_hold(path: Path) -> None:
    message = (STAMPS / "message.txt").read_bytes()
    told = check(path.read_bytes(), path.with_suffix(".roots.pem").read_bytes(), message)
    assert told.at.year == 2026
    assert told.signer


@pytest.mark.parametrize("stem", ["openssl-ec", "openssl-rsa"])
def test_a_flipped_bit_is_refused_unless_it_lies_where_nothing_is_read_from(stem: str) -> None:
    """Nothing is read from the copy of the root that is sent along, and both words for a granted stamp are the same."""
    message, path = (STAMPS / "message.txt").read_bytes(), STAMPS / f"{stem}.tsr"
    roots, right = path.with_suffix(".roots.pem").read_bytes(), path.read_bytes()
    (root,) = verify.read_pem(roots)
    unread = range(right.index(root.raw), right.index(root.raw) + len(root.raw))
    told, chance = check(right, roots, message), random.Random(7)  # noqa: S311  the same places every time
    for place in chance.sample(range(8 * len(right)), 2500):
        wrong = bytearray(right)
        wrong[place // 8] ^= 1 << place % 8
        try:
            again = check(bytes(wrong), roots, message)
        except verify.WrongError:
            continue
        assert again == told
        assert place // 8 in unread or right[place // 8 - 2 : place // 8 + 1] == b"\x02\x01\x00"


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("p256", {}),
        ("p256", {"digest": "sha512"}),
        ("p384", {"digest": "sha384"}),
        ("p384", {"digest": "sha256"}),
        ("rsa", {}),
        ("rsa", {"scheme": "bare", "digest": "sha512"}),
        ("rsa", {"digest": "sha384"}),
        ("rsa", {"scheme": "pss"}),
        ("rsa", {"scheme": "pss", "digest": "sha384", "salt_size": 48}),
        ("rsa", {"scheme": "pss", "digest": "sha512", "salt_size": 0}),
        ("rsa2049", {"scheme": "pss"}),
        ("rsa3072", {}),
    ],
)
def test_each_algorithm_holds_and_openssl_agrees(kind: str, more: dict[str, Any], tmp_path: Path) -> None:
    by = maker(kind, digest=more.get("digest", "sha256"), middle=ROOT, pss=more.get("scheme") == "pss")
    response = stamp(MESSAGE, by, **more)
    told = check(response, by.roots_pem)
    assert (told.at, told.serial, told.signer) == (AT, 77, "leaf")
    if more.get("scheme") != "pss":  # which `openssl ts` does not read; the signature is OpenSSL's own all the same
        assert verifies(response, MESSAGE, by.roots_pem, tmp_path)
    with pytest.raises(verify.WrongError):
        check(stamp(MESSAGE, by, **more, signature=lambda right: right[:-1] + bytes((right[-1] ^ 1,))), by.roots_pem)


CHAINS: dict[str, tuple[Maker, str]] = {
    "no purpose": (maker(leaf=(LEAF[1],)), "时间戳"),
    "a purpose that is not critical": (maker(leaf=((PURPOSE, False), LEAF[1])), "时间戳"),
    "another purpose": (
        maker(leaf=((x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), True),)),
        "时间戳",
    ),
    "a purpose beside it": (
        maker(
            leaf=(
                (
                    x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.SERVER_AUTH]),
                    True,
                ),
            )
        ),
        "时间戳",
    ),
    "a key that may not sign": (maker(leaf=(LEAF[0], (usage("key_encipherment"), True))), "不能用于签署"),
    "an authority that stamps": (maker(leaf=(*LEAF, ROOT[0])), "不能用于签署"),
    "an unknown critical extension": (maker(leaf=(*LEAF, STRANGE)), "不能用于签署"),
    "an expired signer": (maker(leaf_valid=(AT - timedelta(days=9), AT - timedelta(seconds=1))), "无效"),
    "a signer not valid yet": (maker(leaf_valid=(AT + timedelta(seconds=1), AT + timedelta(days=9))), "无效"),
    "an expired root": (maker(root_valid=(AT - timedelta(days=9), AT - timedelta(seconds=1))), "无效"),
    "a root that is no authority": (maker(root=(PLAIN,)), "无权签发"),
    "a root without constraints": (maker(root=()), "无权签发"),
    "a root that may not certify": (maker(root=(ROOT[0], (usage("digital_signature"), True))), "无权签发"),
    "one too many between": (
        maker(root=((x509.BasicConstraints(ca=True, path_length=0), True),), middle=ROOT),
        "无权签发",
    ),
    "no authority between": (maker(middle=(PLAIN,)), "无权签发"),
    "another purpose between": (
        maker(middle=(*ROOT, (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False))),
        "不能用于时间戳",
    ),
    "an unknown critical extension between": (maker(middle=(*ROOT, STRANGE)), "关键扩展"),
    "a curve that is not known": (maker("p521"), "曲线"),
    "a key too short": (maker("rsa1024"), "RSA 公钥不可用"),
}


@pytest.mark.parametrize("name", CHAINS)
def test_a_chain_that_proves_nothing_is_refused_with_its_reason(name: str) -> None:
    by, why = CHAINS[name]
    with pytest.raises(verify.WrongError) as wrong:
        check(stamp(MESSAGE, by), by.roots_pem)
    assert why in wrong.value.zh


def test_a_valid_chain_is_found_beside_one_that_is_not() -> None:
    by = maker(middle=ROOT)
    old = maker(middle=ROOT, root_valid=(AT - timedelta(days=9), AT - timedelta(days=1)))
    assert check(stamp(MESSAGE, by), old.roots_pem + by.roots_pem).at == AT
    any_purpose = (*ROOT, (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE]), False))
    wide = maker(middle=any_purpose, leaf=(*LEAF, PLAIN))
    assert check(stamp(MESSAGE, wide), wide.roots_pem).at == AT


def test_a_chain_to_a_foreign_root_of_the_same_name_is_refused() -> None:
    by = maker()
    key = key_of("p256", 9)
    foreign = certificate("root", key, "root", key, ROOT)
    other = certificate("elsewhere", key, "elsewhere", key, ROOT)
    for roots in (foreign, other, by.leaf):
        with pytest.raises(verify.WrongError, match="none of the roots"):
            check(stamp(MESSAGE, by), roots.public_bytes(Encoding.PEM))
    with pytest.raises(verify.WrongError):
        check(stamp(MESSAGE, by), b"no certificate at all")
    assert check(stamp(MESSAGE, by), foreign.public_bytes(Encoding.PEM) + by.roots_pem).at == AT


def test_many_certificates_of_one_name_do_not_keep_the_reader_busy() -> None:
    by = maker(middle=ROOT)
    key = key_of("p256", 9)
    crowd = [certificate("middle", key, "middle", key, ROOT) for _ in range(80)]
    crowded = Maker(by.key, by.leaf, by.root, (*crowd, *by.along))
    with pytest.raises(verify.WrongError):
        check(stamp(MESSAGE, crowded), crowd[0].public_bytes(Encoding.PEM))


def _second_version_by(name: str) -> Any:
    def named(right: bytes) -> bytes:
        leaf = maker_for_names().leaf.public_bytes(Encoding.DER)
        digest = verify.hashlib.new(name, leaf).digest()
        del right
        return der.sequence(der.sequence(der.sequence(algorithm(HASH_OIDS[name]), der.octets(digest))))

    return named


_FOR_NAMES: list[Maker] = []


def maker_for_names() -> Maker:
    if not _FOR_NAMES:
        _FOR_NAMES.append(maker())
    return _FOR_NAMES[0]


def _with_issuer(serial: int, name: str = "root", tag: int = 0xA4) -> Any:
    def named(_: bytes) -> bytes:
        leaf = maker_for_names().leaf.public_bytes(Encoding.DER)
        issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]).public_bytes()
        where = der.sequence(der.sequence(der.value(tag, issuer)), der.integer(serial))
        return der.sequence(der.sequence(der.sequence(der.octets(verify.hashlib.sha256(leaf).digest()), where)))

    return named


def test_the_signers_certificate_is_named_in_each_way_there_is() -> None:
    by = maker_for_names()
    for name in ("sha256", "sha384", "sha512"):
        assert check(stamp(MESSAGE, by, named=_second_version_by(name)), by.roots_pem).at == AT
    assert check(stamp(MESSAGE, by, named=_with_issuer(by.leaf.serial_number)), by.roots_pem).at == AT
    for named in (
        _with_issuer(by.leaf.serial_number + 1),
        _with_issuer(by.leaf.serial_number, "somebody"),
        _with_issuer(by.leaf.serial_number, tag=0xA5),
        lambda _: der.sequence(der.sequence(der.sequence(der.octets(bytes(32))))),
        lambda right: der.sequence(right, right),
        lambda _: der.sequence(),
    ):
        with pytest.raises(verify.WrongError):
            check(stamp(MESSAGE, by, named=named), by.roots_pem)


def test_a_signer_is_found_by_its_key_identifier() -> None:
    identifier = x509.SubjectKeyIdentifier(b"\x11" * 20)
    by = maker(leaf=(*LEAF, (identifier, False)))

    def by_identifier(right: bytes) -> bytes:
        _, _, *rest = der.read(right).children()
        return der.sequence(der.integer(3), der.value(0x80, b"\x11" * 20), *(one.raw for one in rest))

    def by_another(right: bytes) -> bytes:
        return by_identifier(right).replace(b"\x11" * 20, b"\x12" * 20)

    assert check(stamp(MESSAGE, by, signer=by_identifier), by.roots_pem).at == AT
    with pytest.raises(verify.WrongError, match="does not carry"):
        check(stamp(MESSAGE, by, signer=by_another), by.roots_pem)
    with pytest.raises(verify.WrongError, match="does not carry"):
        check(stamp(MESSAGE, by, certificates=lambda right: right[1:]), by.roots_pem)
    with pytest.raises(verify.WrongError, match="does not carry"):
        check(stamp(MESSAGE, by, certificates=lambda _: []), by.roots_pem)


OTHER = der.octets(verify.hashlib.sha256(b"another message").digest())


def _flat(right: bytes, drop: int) -> bytes:
    """A SEQUENCE without one of its parts."""
    parts = [one.raw for one in der.read(right).children()]
    del parts[drop]
    return der.sequence(*parts)


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "another imprint": ({"imprint": lambda _: der.sequence(algorithm(HASH_OIDS["sha256"]), OTHER)}, "something else"),
    "an imprint by another digest": (
        {"imprint": lambda _: der.sequence(algorithm(HASH_OIDS["sha512"]), der.octets(bytes(64)))},
        "not over a SHA-256",
    ),
    "an imprint by SHA-1": (
        {"imprint": lambda _: der.sequence(algorithm("1.3.14.3.2.26"), der.octets(bytes(20)))},
        "unsupported digest",
    ),
    "a rejection": ({"status": 2}, "did not grant"),
    "a content that is no timestamp": ({"content": der.oid("1.2.840.113549.1.7.1")}, "not a timestamp"),
    "two signers": ({"signers": lambda right: [*right, der.sequence(*right)]}, "not DER"),
    "no signer": ({"signers": lambda _: []}, "not DER"),
    "no digest signed": ({"attributes": lambda right: [right[0], right[2]]}, "lacks"),
    "no type signed": ({"attributes": lambda right: right[1:]}, "lacks"),
    "another type signed": (
        {"attributes": lambda right: [attribute("1.2.840.113549.1.9.3", der.oid("2.999")), *right[1:]]},
        "lacks",
    ),
    "no certificate named": ({"attributes": lambda right: right[:2]}, "does not name"),
    "an attribute twice": (
        {"attributes": lambda right: [*right, attribute("1.2.840.113549.1.9.3", der.oid("2.999"))]},
        "not DER",
    ),
    "an attribute of two values": (
        {"attributes": lambda right: [attribute("1.2.840.113549.1.9.3", der.oid("2.999"), der.NULL), *right[1:]]},
        "not DER",
    ),
    "another digest signed": (
        {"attributes": lambda right: [right[0], attribute("1.2.840.113549.1.9.4", OTHER), right[2]]},
        "own digest",
    ),
    "another signature algorithm": (
        {"signature_algorithm": lambda _: algorithm("1.2.840.10045.4.3.4")},
        "does not go with",
    ),
    "an unknown signature algorithm": ({"signature_algorithm": lambda _: algorithm("2.999.1")}, "unsupported"),
    "an RSA signature by a curve": (
        {"signature_algorithm": lambda _: algorithm("1.2.840.113549.1.1.11", der.NULL)},
        "unsupported",
    ),
    "a signature of nothing": ({"signature": lambda _: der.sequence(der.integer(0), der.integer(0))}, "invalid"),
    "a signature that is no DER": ({"signature": lambda right: right + b"\0"}, "not DER"),
    "a signature in long form": (
        {"signature": lambda right: right[:1] + b"\x81" + right[1:]},
        "not DER",
    ),
    "a version that is none": ({"info": lambda right: right.replace(b"\x02\x01\x01", b"\x02\x01\x02", 1)}, "SHA-256"),
    "a time without its end": ({"at": b"20261124210000"}, "not DER"),
    "a time with a zero too many": ({"at": b"20261124210000.10Z"}, "not DER"),
    "a day that is none": ({"at": b"20261131210000Z"}, "not DER"),
    "bytes behind": ({"response": lambda right: right + b"\0"}, "not DER"),
    "a longer form of its length": (
        {"response": lambda right: right[:1] + b"\x83\x00" + right[2:]},
        "not DER",
    ),
    "an indefinite length": ({"response": lambda right: b"\x30\x80" + right[4:] + b"\0\0"}, "not DER"),
    "no token": ({"response": lambda right: _flat(right, 1)}, "not DER"),
    "nothing": ({"response": lambda _: b""}, "not DER"),
    "no sequence": ({"response": lambda right: b"\x31" + right[1:]}, "not DER"),
    "another content info": (
        {"response": lambda right: right.replace(der.oid("1.2.840.113549.1.7.2"), der.oid("1.2.840.113549.1.7.3"), 1)},
        "not DER",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_makes_a_stamp_worthless_is_said(name: str) -> None:
    more, why = WRONG[name]
    by = maker_for_names()
    with pytest.raises(verify.WrongError, match=why):
        check(stamp(MESSAGE, by, **more), by.roots_pem)


def test_a_fraction_of_a_second_is_read() -> None:
    by = maker_for_names()
    assert check(stamp(MESSAGE, by, at=b"20261124210000.25Z"), by.roots_pem).at == AT + timedelta(milliseconds=250)


def test_an_ecdsa_signature_has_its_two_forms_and_no_others() -> None:
    """(r, n - s) is the same signature to ECDSA; the file's digest in the manifest tells the two apart."""
    by = maker_for_names()
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

    def other(right: bytes) -> bytes:
        r, s = decode_dss_signature(right)
        return encode_dss_signature(r, order - s)

    def larger(right: bytes) -> bytes:
        r, s = decode_dss_signature(right)
        return encode_dss_signature(r, order + s)

    assert check(stamp(MESSAGE, by, signature=other), by.roots_pem).at == AT
    with pytest.raises(verify.WrongError, match="invalid"):
        check(stamp(MESSAGE, by, signature=larger), by.roots_pem)


def test_a_signature_under_other_pss_parameters_is_refused() -> None:
    by = maker("rsa")
    digest = algorithm(HASH_OIDS["sha256"])
    masks = {
        "no parameters": algorithm("1.2.840.113549.1.1.10"),
        "SHA-1 by default": algorithm("1.2.840.113549.1.1.10", der.sequence()),
        "another mask": algorithm(
            "1.2.840.113549.1.1.10",
            der.sequence(der.value(0xA0, digest), der.value(0xA1, algorithm("2.999.1", digest))),
        ),
        "another salt": algorithm(
            "1.2.840.113549.1.1.10",
            der.sequence(
                der.value(0xA0, digest),
                der.value(0xA1, algorithm("1.2.840.113549.1.1.8", digest)),
                der.value(0xA2, der.integer(31)),
            ),
        ),
        "a salt by default": algorithm(
            "1.2.840.113549.1.1.10",
            der.sequence(der.value(0xA0, digest), der.value(0xA1, algorithm("1.2.840.113549.1.1.8", digest))),
        ),
        "a salt longer than the key": algorithm(
            "1.2.840.113549.1.1.10",
            der.sequence(
                der.value(0xA0, digest),
                der.value(0xA1, algorithm("1.2.840.113549.1.1.8", digest)),
                der.value(0xA2, der.integer(10**6)),
            ),
        ),
    }
    for parameters in masks.values():
        with pytest.raises(verify.WrongError):
            check(stamp(MESSAGE, by, scheme="pss", signature_algorithm=lambda _, it=parameters: it), by.roots_pem)


def test_a_pss_signature_whose_mask_has_another_digest_is_refused() -> None:
    by = maker("rsa")
    assert check(stamp(MESSAGE, by, scheme="pss"), by.roots_pem).at == AT
    with pytest.raises(verify.WrongError, match="unsupported"):
        check(stamp(MESSAGE, by, scheme="pss", mask="sha512"), by.roots_pem)


def test_an_rsa_signature_of_another_length_is_refused() -> None:
    by = maker("rsa")
    for change in (lambda right: right[1:], lambda right: b"\0" + right, lambda _: b"\xff" * 256):
        with pytest.raises(verify.WrongError):
            check(stamp(MESSAGE, by, signature=change), by.roots_pem)


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1()], ids=lambda curve: str(curve.name))
def test_a_point_that_is_not_on_the_curve_is_no_key(curve: ec.EllipticCurve) -> None:
    dotted = {"secp256r1": "1.2.840.10045.3.1.7", "secp384r1": "1.3.132.0.34"}[curve.name]
    known = verify.CURVES[verify.oid(dotted)]
    signature = encode_dss_signature(5, 7)
    right = b"\x04" + b"".join(part.to_bytes(known.size, "big") for part in known.base)
    digest = bytes(32)
    for point in (right[:-1], right + b"\0", b"\x02" + right[1:], right[:-1] + bytes((right[-1] ^ 1,)), b"\x04"):
        assert not verify.ecdsa_holds(known, point, digest, signature)
    assert not verify.ecdsa_holds(known, right, digest, signature)
    # A key equal to the base point, so that the sum doubles it; and a sum that ends in the point at infinity.
    assert not verify.ecdsa_holds(known, right, digest, encode_dss_signature(1, known.order - 1))
    opposite = (known.order - 5).to_bytes(known.size, "big")
    assert not verify.ecdsa_holds(known, right, opposite, encode_dss_signature(5, 7))


def test_the_pack_says_when_by_whom_and_under_which_root(stamped: Draft, examine: Examine) -> None:
    report = examine(bytes_of(stamped))
    assert report.exit_code == 0
    assert [one["authority"] for one in report.timestamps] == ["rsa", "ec"]
    for one in report.timestamps:
        assert one["checkpoint"] == "checkpoints/11.txt"
        assert one["signer"].startswith("leaf")
        assert any(one["root_sha256"] in note.en for note in report.notes)


def test_pinned_authorities_replace_those_of_the_pack(
    stamped: Draft, authorities: dict[str, OpensslAuthority], examine: Examine, tmp_path: Path
) -> None:
    roots = tmp_path / "roots.pem"
    roots.write_bytes(authorities["rsa"].authority.roots_pem)
    report = examine(bytes_of(stamped), verify.pins_of(authorities=roots))
    assert [fault.entry for fault in report.checks["timestamps"].faults] == ["timestamps/11-ec.tsr"]
    roots.write_bytes(b"".join(one.authority.roots_pem for one in authorities.values()))
    assert examine(bytes_of(stamped), verify.pins_of(authorities=roots)).exit_code == 0


def test_a_stamp_over_another_checkpoint_is_named(authorities: dict[str, OpensslAuthority], examine: Examine) -> None:
    draft = sample()
    authority = authorities["ec"]
    add_stamp(draft, "ec", answer_over(b"another checkpoint", authority), authority.authority.roots_pem)
    draft.manifest["absent"] = []
    count(draft)
    report = examine(bytes_of(draft))
    assert [check.id for check in report.failed] == ["timestamps"]
    assert report.checks["timestamps"].faults[0].entry == "timestamps/11-ec.tsr"


def test_a_record_that_gives_a_later_time_than_its_stamp_is_hinted_at(examine: Examine) -> None:
    by = maker_for_names()
    draft = sample()
    add_stamp(draft, "x", stamp(draft.files["checkpoints/11.txt"], by, at=b"20261124200200Z"), by.roots_pem)
    draft.manifest["absent"] = []
    count(draft)
    report = examine(bytes_of(draft))
    assert report.exit_code == 0
    assert any("records 3, 4, 6 " in note.en for note in report.notes)
