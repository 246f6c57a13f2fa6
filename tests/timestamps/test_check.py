"""A stamp counts where every part of it holds; each lie is told by its name."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha1, sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from rfc3161_client.tsp import TimeStampRequest

import stampliars
from kabao.timestamps import Accepted, Authority, Fault, Faulty, check_response, der, new_request
from kabao.timestamps.sandbox import Signer
from opensslauthority import OpensslAuthority, openssl, verifies

BODY = b"kabao.example/log\n41\n"
SECOND = timedelta(seconds=1)

HONEST = stampliars.signer()
KNOWN = stampliars.authority(HONEST)


def check(
    authority: Authority, request: TimeStampRequest, response: bytes, now: datetime | None = None
) -> Accepted | Faulty:
    return check_response(authority, request, BODY, response, now or datetime.now(UTC))


def fault(found: Accepted | Faulty) -> tuple[str, str]:
    assert isinstance(found, Faulty)
    return str(found.fault), found.detail


def test_an_honest_answer_tells_its_time_serial_and_when_its_certificate_ends() -> None:
    request = new_request(BODY)
    at = datetime.now(UTC).replace(microsecond=0)
    found = check(KNOWN, request, stampliars.answer(HONEST, request.as_bytes(), at), at)
    assert isinstance(found, Accepted)
    assert found.stamped_at == at
    assert found.expires_at == HONEST.leaf.not_valid_after_utc
    assert int(found.serial, 16) > 0


def answer_to_another_request(_: TimeStampRequest) -> bytes:
    return stampliars.answer(HONEST, new_request(BODY).as_bytes())


def answer_without_a_nonce(request: TimeStampRequest) -> bytes:
    return stampliars.answer(HONEST, stampliars.without_nonce(request.as_bytes()))


def stamp_on_something_else(request: TimeStampRequest) -> bytes:
    return stampliars.answer(HONEST, stampliars.with_digest(request.as_bytes(), sha256(b"else").digest()))


def stamp_of_a_stranger(request: TimeStampRequest) -> bytes:
    return stampliars.answer(stampliars.signer(), request.as_bytes())


def stamp_without_certificates(request: TimeStampRequest) -> bytes:
    return stampliars.answer(HONEST, stampliars.without_certificates(request.as_bytes()))


def forged_time(request: TimeStampRequest) -> bytes:
    now = datetime.now(UTC)
    honest = stampliars.answer(HONEST, request.as_bytes(), now)
    forged = honest.replace(der.generalized_time(now), der.generalized_time(now - timedelta(minutes=1)))
    assert forged != honest
    return forged


def forged_signature(request: TimeStampRequest) -> bytes:
    honest = bytearray(stampliars.answer(HONEST, request.as_bytes()))
    honest[-1] ^= 1
    return bytes(honest)


def rejection(_: TimeStampRequest) -> bytes:
    return stampliars.answer(HONEST, b"nonsense")


def granted_with_changes(request: TimeStampRequest) -> bytes:
    _, token = der.read(stampliars.answer(HONEST, request.as_bytes())).children()
    return der.sequence(der.sequence(der.integer(1)), token.raw)


def granted_without_a_token(_: TimeStampRequest) -> bytes:
    return der.sequence(der.sequence(der.integer(0)))


def not_a_signed_message(request: TimeStampRequest) -> bytes:
    honest = stampliars.answer(HONEST, request.as_bytes())
    return honest.replace(der.oid("1.2.840.113549.1.7.2"), der.oid("1.2.840.113549.1.7.1"))


LIES: list[tuple[Callable[[TimeStampRequest], bytes], Fault, str]] = [
    (answer_to_another_request, Fault.OTHER_NONCE, ""),
    (answer_without_a_nonce, Fault.OTHER_NONCE, ""),
    (stamp_on_something_else, Fault.OTHER_DIGEST, ""),
    (stamp_of_a_stranger, Fault.UNTRUSTED, "certificate signature failure"),
    (stamp_without_certificates, Fault.UNTRUSTED, "the signature does not hold"),
    (forged_time, Fault.UNTRUSTED, "the signature does not hold"),
    (forged_signature, Fault.UNTRUSTED, "the signature does not hold"),
    (rejection, Fault.REJECTED, "status 2"),
    (granted_with_changes, Fault.REJECTED, "status 1"),
    (granted_without_a_token, Fault.MALFORMED, ""),
    (not_a_signed_message, Fault.MALFORMED, ""),
    (lambda _: b"", Fault.MALFORMED, ""),
    (lambda _: b"<html>busy</html>", Fault.MALFORMED, ""),
    (lambda request: request.as_bytes(), Fault.MALFORMED, ""),
    (lambda request: stampliars.answer(HONEST, request.as_bytes()) + b"\0", Fault.MALFORMED, ""),
    (lambda _: b"0" * 65_537, Fault.MALFORMED, "longer than 64 KB"),
]


@pytest.mark.parametrize(("lie", "named", "detail"), LIES, ids=lambda value: getattr(value, "__name__", ""))
def test_each_lie_is_told_by_its_name(lie: Callable[[TimeStampRequest], bytes], named: Fault, detail: str) -> None:
    request = new_request(BODY)
    assert fault(check(KNOWN, request, lie(request))) == (named, detail)


@pytest.mark.parametrize(
    ("wishes", "detail"),
    [
        ({"ends": -timedelta(days=1)}, "certificate has expired"),
        ({"purposes": ()}, "unsuitable certificate purpose"),
        ({"purposes": (ExtendedKeyUsageOID.CODE_SIGNING,)}, "unsuitable certificate purpose"),
        ({"purposes": (stampliars.STAMPING, ExtendedKeyUsageOID.CODE_SIGNING)}, "unsuitable certificate purpose"),
        ({"is_critical": False}, "unsuitable certificate purpose"),
    ],
)
def test_a_certificate_that_is_not_for_stamping_or_has_ended_does_not_count(
    wishes: dict[str, object], detail: str
) -> None:
    wrong = stampliars.signer(**wishes)  # type: ignore[arg-type]
    request = new_request(BODY)
    found = check(stampliars.authority(wrong), request, stampliars.answer(wrong, request.as_bytes()))
    assert fault(found) == (Fault.UNTRUSTED, detail)


@pytest.mark.parametrize("off", [timedelta(minutes=10), -timedelta(minutes=10)])
def test_a_time_off_by_more_than_ten_minutes_does_not_count(off: timedelta) -> None:
    request = new_request(BODY)
    now = datetime.now(UTC).replace(microsecond=0)
    assert isinstance(check(KNOWN, request, stampliars.answer(HONEST, request.as_bytes(), now + off), now), Accepted)
    too_far = off + SECOND * (1 if off > timedelta(0) else -1)
    found = check(KNOWN, request, stampliars.answer(HONEST, request.as_bytes(), now + too_far), now)
    assert fault(found) == (Fault.CLOCK, f"{too_far.total_seconds():+.0f} s")


def test_another_certificate_for_the_same_key_and_number_cannot_be_put_in_the_place_of_the_one_that_signed() -> None:
    root_key = stampliars.new_key()
    mine = stampliars.signer(root_key=root_key)
    other = stampliars.signer(key=mine.key, root_key=root_key, root_of=mine, ends=timedelta(days=366))  # type: ignore[arg-type]
    request = new_request(BODY)
    honest = stampliars.answer(mine, request.as_bytes())
    swapped = honest.replace(mine.leaf.public_bytes(Encoding.DER), other.leaf.public_bytes(Encoding.DER))
    assert swapped != honest
    assert isinstance(check(stampliars.authority(mine), request, honest), Accepted)
    assert fault(check(stampliars.authority(mine), request, swapped)) == (
        Fault.UNTRUSTED,
        "the token does not name the certificate it is signed by",
    )


def naming(kind: str, *parts: bytes) -> bytes:
    return der.sequence(der.oid(kind), der.set_of([der.sequence(der.sequence(der.sequence(*parts)))]))


def hashed(of: Signer, name: str) -> bytes:
    raw = of.leaf.public_bytes(Encoding.DER)
    return der.octets((sha1 if name == "sha1" else sha256)(raw).digest())


V1, V2 = "1.2.840.113549.1.9.16.2.12", "1.2.840.113549.1.9.16.2.47"
SHA256 = der.sequence(der.oid("2.16.840.1.101.3.4.2.1"))
SHA1 = der.sequence(der.oid("1.3.14.3.2.26"))


@pytest.mark.parametrize(
    ("names", "holds"),
    [
        ([], False),
        ([naming(V1, hashed(HONEST, "sha1"))], True),
        ([naming(V1, hashed(HONEST, "sha256"))], False),
        ([naming(V2, SHA256, hashed(HONEST, "sha256"))], True),
        ([naming(V2, SHA1, hashed(HONEST, "sha1"))], False),
        ([naming(V1, hashed(HONEST, "sha1")), naming(V2, hashed(HONEST, "sha256"))], True),
        ([naming(V1, hashed(HONEST, "sha256")), naming(V2, hashed(HONEST, "sha256"))], False),
    ],
)
def test_the_certificate_is_named_by_its_hash_old_way_or_new(names: list[bytes], *, holds: bool) -> None:
    request = new_request(BODY)
    honest = stampliars.answer(HONEST, request.as_bytes())
    naming_new = der.oid(V2)
    response = stampliars.resigned(honest, HONEST, lambda parts: [p for p in parts if naming_new not in p] + names)
    assert isinstance(check(KNOWN, request, response), Accepted) is holds


def test_a_changed_bit_in_what_is_signed_is_found(tmp_path: Path) -> None:
    """Outside of it, as in a root that comes along and is not needed, openssl takes changes, and so do we."""
    request = new_request(BODY)
    honest = stampliars.answer(HONEST, request.as_bytes())
    now = datetime.now(UTC)
    content = der.read(der.read(honest).children()[1].children()[1].body).children()[2].raw
    start = honest.index(content)
    taken = {}
    for place in range(len(honest)):
        changed = bytearray(honest)
        changed[place] ^= 1 << place % 8
        if isinstance(check(KNOWN, request, bytes(changed), now), Accepted):
            taken[place] = bytes(changed)
    assert taken.keys().isdisjoint(range(start, start + len(content)))
    some = list(taken.values())[:: max(1, len(taken) // 10)]
    assert all(verifies(changed, BODY, KNOWN.roots_pem, tmp_path) for changed in some)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl program")
def test_a_rejection_and_a_stamp_of_another_program_are_read(tmp_path: Path) -> None:
    other = OpensslAuthority.make(tmp_path / "other", levels=2)
    request = new_request(BODY)
    assert isinstance(check(other.authority, request, other.answer(request.as_bytes())), Accepted)
    (tmp_path / "old").write_bytes(b"x")
    weak = openssl("ts", "-query", "-data", f"{tmp_path}/old", "-sha1", "-cert")
    assert fault(check(other.authority, request, other.answer(weak))) == (Fault.REJECTED, "status 2")
