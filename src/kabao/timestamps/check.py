"""Whether an authority's answer is a stamp over our digest, by somebody we trust, at a time that can be true.

`rfc3161-client` (OpenSSL) checks the signature, the certificates up to the authority's roots at the stamped time, the
nonce and the key's purpose. Beside it stand what it leaves out: that the token names its certificate (RFC 5816, RFC
2634), and the clock.
"""

import re
from datetime import datetime
from hashlib import new as new_hash
from hashlib import sha256
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)
from rfc3161_client.tsp import TimeStampRequest, TimeStampResponse

from kabao.timestamps import der
from kabao.timestamps.model import Accepted, Authority, Fault, Faulty
from kabao.timestamps.rules import MAX_RESPONSE_BYTES, is_plausible

SHA256_OID: Final = x509.ObjectIdentifier("2.16.840.1.101.3.4.2.1")
GRANTED: Final = 0

_SIGNING_CERTIFICATE: Final = der.oid("1.2.840.113549.1.9.16.2.12")
_SIGNING_CERTIFICATE_V2: Final = der.oid("1.2.840.113549.1.9.16.2.47")
_HASHES: Final = {
    der.oid("2.16.840.1.101.3.4.2.1"): "sha256",
    der.oid("2.16.840.1.101.3.4.2.2"): "sha384",
    der.oid("2.16.840.1.101.3.4.2.3"): "sha512",
}


class _Token(NamedTuple):
    """A response as it is read: by the library, its certificates, the signer's name for its own, what it signed."""

    decoded: TimeStampResponse
    leaf: x509.Certificate | None
    attributes: list[der.Element]


def new_request(body: bytes) -> TimeStampRequest:
    """Build a request over the SHA-256 of `body`, with a fresh nonce, that asks for the certificates."""
    return TimestampRequestBuilder().data(body).hash_algorithm(HashAlgorithm.SHA256).build()


def check_response(
    authority: Authority, request: TimeStampRequest, body: bytes, response: bytes, now: datetime
) -> Accepted | Faulty:
    """Check a response to a request over `body`; `now` is the database's clock. Never raises for what a stranger sent.

    Faults, in this order: MALFORMED, REJECTED, OTHER_NONCE, OTHER_DIGEST, UNTRUSTED, CLOCK.
    """
    roots = x509.load_pem_x509_certificates(authority.roots_pem)
    try:
        return _judged(roots, request, body, response, now)
    except Exception:  # noqa: BLE001  the libraries raise what they like over bytes made to confuse them
        return Faulty(Fault.MALFORMED)


def check_stored(roots_pem: bytes, body: bytes, response: bytes) -> Accepted | Faulty:
    """Check a stored response once more, against the roots it was taken under; nonce and clock were checked then."""
    try:
        roots = x509.load_pem_x509_certificates(roots_pem)
        token = _read(response)
        return token if isinstance(token, Faulty) else _holds(roots, token, body)
    except Exception:  # noqa: BLE001  the libraries raise what they like over changed bytes
        return Faulty(Fault.MALFORMED)


def _judged(
    roots: list[x509.Certificate], request: TimeStampRequest, body: bytes, response: bytes, now: datetime
) -> Accepted | Faulty:
    token = _read(response)
    if isinstance(token, Faulty):
        return token
    info = token.decoded.tst_info
    if info.nonce != request.nonce:
        return Faulty(Fault.OTHER_NONCE)
    found = _holds(roots, token, body)
    if isinstance(found, Accepted) and not is_plausible(info.gen_time, now):
        return Faulty(Fault.CLOCK, f"{(info.gen_time - now).total_seconds():+.0f} s")
    return found


def _holds(roots: list[x509.Certificate], token: _Token, body: bytes) -> Accepted | Faulty:
    info = token.decoded.tst_info
    if info.message_imprint.hash_algorithm != SHA256_OID or info.message_imprint.message != sha256(body).digest():
        return Faulty(Fault.OTHER_DIGEST)
    why = _distrust(roots, token, body)
    if why or token.leaf is None:
        return Faulty(Fault.UNTRUSTED, why)
    return Accepted(
        stamped_at=info.gen_time,
        serial=f"{info.serial_number:x}",
        expires_at=token.leaf.not_valid_after_utc,
    )


def _distrust(roots: list[x509.Certificate], token: _Token, body: bytes) -> str:
    """Return why the signature does not count, or nothing."""
    try:
        VerifierBuilder(roots=roots).build().verify_message(token.decoded, body)
    except (VerificationError, ValueError) as failure:
        return _reason(str(failure))
    is_named = token.leaf is not None and _is_named(token.leaf, token.attributes)
    return "" if is_named else "the token does not name the certificate it is signed by"


def _reason(words: str) -> str:
    """Keep of OpenSSL's words the reason alone, which is one of a fixed list."""
    found = re.search(r"Verify error: ?([A-Za-z][A-Za-z0-9 ,'-]{3,80})", words) or re.fullmatch(
        r"([\w ,.-]{4,80})", words
    )
    return found[1] if found else "the signature does not hold"


def _read(response: bytes) -> _Token | Faulty:
    if len(response) > MAX_RESPONSE_BYTES:
        return Faulty(Fault.MALFORMED, "longer than 64 KB")
    status, *tokens = der.read(response).children()
    granted = status.children()[0]
    if granted.raw != der.integer(GRANTED):
        return Faulty(Fault.REJECTED, f"status {granted.body[-1]}")
    return _read_token(status, der.read(b"".join(token.raw for token in tokens)))


def _read_token(status: der.Element, token: der.Element) -> _Token:
    kind, wrapped = token.children()
    signed = der.read(der.read(wrapped.raw, der.TAGGED_0).body).children()
    carried = next((part for part in signed if part.tag == der.TAGGED_0), None)
    # openssl and others send certificates in the order of their chain, where DER wants them sorted, and the library
    # reads DER alone. They lie outside what is signed.
    parts = [der.set_of(_raws(part), tag=der.TAGGED_0) if part is carried else part.raw for part in signed]
    (signer,) = signed[-1].children()
    _, identifier, _, *rest = signer.children()
    issuer, serial = identifier.children()
    attributes, *_ = [part for part in rest if part.tag == der.TAGGED_0]
    return _Token(
        decoded=decode_timestamp_response(
            der.sequence(status.raw, der.sequence(kind.raw, der.value(der.TAGGED_0, der.sequence(*parts))))
        ),
        leaf=_leaf([] if carried is None else _raws(carried), issuer.raw, serial.raw),
        attributes=attributes.children(),
    )


def _raws(element: der.Element) -> list[bytes]:
    return [part.raw for part in element.children()]


def _leaf(carried: list[bytes], issuer: bytes, serial: bytes) -> x509.Certificate | None:
    """Return the certificate that the signer names, where it came along."""
    for raw in carried:
        certificate = x509.load_der_x509_certificate(raw)
        if certificate.issuer.public_bytes() == issuer and der.integer(certificate.serial_number) == serial:
            return certificate
    return None


def _is_named(leaf: x509.Certificate, attributes: list[der.Element]) -> bool:
    """Tell whether the signed attributes name the certificate by its hash, so that no other can be put in its place."""
    raw = leaf.public_bytes(Encoding.DER)
    named = 0
    for attribute in attributes:
        kind, values = attribute.children()
        if kind.raw in (_SIGNING_CERTIFICATE, _SIGNING_CERTIFICATE_V2):
            first = values.children()[0].children()[0].children()[0].children()
            algorithm = "sha1" if kind.raw == _SIGNING_CERTIFICATE else "sha256"
            if first[0].tag == der.SEQUENCE:
                algorithm = _HASHES.get(first.pop(0).children()[0].raw, "")
            if not algorithm or first[0].body != new_hash(algorithm, raw, usedforsecurity=False).digest():
                return False
            named += 1
    return named > 0
