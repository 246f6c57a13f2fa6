"""What every timestamp authority must keep, run against the simulated ones and against `openssl ts` over HTTP."""

import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import pytest
from rfc3161_client import decode_timestamp_response

import stampliars
from kabao.packs import verify
from kabao.timestamps import (
    Accepted,
    Authority,
    Fault,
    Faulty,
    HttpPost,
    Post,
    SandboxAuthorities,
    check_response,
    der,
    new_request,
)
from opensslauthority import OpensslAuthority, openssl, verifies

BODY = b"kabao.example/log\n41\nAAAA\n"

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl program")


class Reached(NamedTuple):
    """An authority and the way to it."""

    authority: Authority
    post: Post

    async def ask(self, request: bytes) -> bytes:
        return await self.post(self.authority.url, request)


@pytest.fixture(params=["sandbox-rsa", "sandbox-ecdsa", "openssl-rsa", "openssl-ec"])
async def reached(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Reached]:
    maker, _, kind = str(request.param).partition("-")
    if maker == "sandbox":
        sandbox = SandboxAuthorities(tmp_path / "secrets")
        (authority,) = [one for one in sandbox.authorities if one.name == request.param]
        yield Reached(authority, sandbox)
        return
    made = OpensslAuthority.make(tmp_path / "authority", kind="rsa" if kind == "rsa" else "ec", levels=2)
    with made.serving():
        yield Reached(made.authority, HttpPost())


async def test_a_stamp_holds_by_every_verifier(reached: Reached, tmp_path: Path) -> None:
    request = new_request(BODY)
    response = await reached.ask(request.as_bytes())
    now = datetime.now(UTC)
    found = check_response(reached.authority, request, BODY, response, now)
    assert isinstance(found, Accepted)
    assert verifies(response, BODY, reached.authority.roots_pem, tmp_path)
    assert not verifies(response, BODY + b"x", reached.authority.roots_pem, tmp_path)
    in_packs = verify.check_timestamp(response, BODY, reached.authority.roots_pem)
    assert (in_packs.at, f"{in_packs.serial:x}") == (found.stamped_at, found.serial)
    with pytest.raises(verify.WrongError):
        verify.check_timestamp(response, BODY + b"x", reached.authority.roots_pem)


async def test_every_stamp_has_a_number_of_its_own(reached: Reached) -> None:
    serials = set()
    for _ in range(3):
        request = new_request(BODY)
        response = await reached.ask(request.as_bytes())
        found = check_response(reached.authority, request, BODY, response, datetime.now(UTC))
        assert isinstance(found, Accepted)
        serials.add(found.serial)
    assert len(serials) == 3


async def test_a_nonce_comes_back_only_where_one_was_sent(reached: Reached, tmp_path: Path) -> None:
    request = new_request(BODY)
    response = await reached.ask(stampliars.without_nonce(request.as_bytes()))
    assert verifies(response, BODY, reached.authority.roots_pem, tmp_path)
    found = check_response(reached.authority, request, BODY, response, datetime.now(UTC))
    assert found == Faulty(Fault.OTHER_NONCE)


async def test_certificates_come_along_only_where_they_were_asked_for(reached: Reached) -> None:
    request = new_request(BODY).as_bytes()
    without = await reached.ask(stampliars.without_certificates(request))
    assert decode_timestamp_response(without).signed_data.certificates == set()
    assert len(await reached.ask(request)) > len(without) + 500


async def test_what_is_no_request_or_no_sha_256_is_rejected_and_not_stamped(reached: Reached, tmp_path: Path) -> None:
    (tmp_path / "body").write_bytes(BODY)
    good = new_request(BODY)
    wrong = [
        openssl("ts", "-query", "-data", f"{tmp_path}/body", "-sha1", "-cert"),
        stampliars.with_digest(good.as_bytes(), sha256(BODY).digest()[:-1]),
    ]
    for request in wrong:
        found = check_response(reached.authority, good, BODY, await reached.ask(request), datetime.now(UTC))
        assert found == Faulty(Fault.REJECTED, "status 2")


@pytest.mark.parametrize(
    "stray",
    [
        b"",
        b"GET / HTTP/1.1",
        der.sequence(der.integer(1)),
        der.sequence(der.integer(2), der.sequence(der.NULL, der.octets(bytes(32)))),
        der.sequence(der.integer(1), der.sequence(der.NULL, der.integer(5))),
    ],
)
async def test_the_simulated_authorities_reject_what_is_no_request(tmp_path: Path, stray: bytes) -> None:
    sandbox = SandboxAuthorities(tmp_path / "secrets")
    for authority in sandbox.authorities:
        response = await sandbox(authority.url, stray)
        found = check_response(authority, new_request(BODY), BODY, response, datetime.now(UTC))
        assert found == Faulty(Fault.REJECTED, "status 2")
        assert decode_timestamp_response(response).status == 2
