"""A timestamp authority that can be told to do anything wrong."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import new as new_hash
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from kabao.timestamps import der

AT = datetime(2026, 11, 24, 21, 0, 0, tzinfo=UTC)
HASHES: dict[str, HashAlgorithm] = {"sha256": SHA256(), "sha384": SHA384(), "sha512": SHA512()}
HASH_OIDS = {"sha256": "2.16.840.1.101.3.4.2.1", "sha384": "2.16.840.1.101.3.4.2.2", "sha512": "2.16.840.1.101.3.4.2.3"}
RSA_OIDS = {"sha256": "1.2.840.113549.1.1.11", "sha384": "1.2.840.113549.1.1.12", "sha512": "1.2.840.113549.1.1.13"}
EC_OIDS = {"sha256": "1.2.840.10045.4.3.2", "sha384": "1.2.840.10045.4.3.3", "sha512": "1.2.840.10045.4.3.4"}
TST_INFO = der.oid("1.2.840.113549.1.9.16.1.4")

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@cache
def key_of(kind: str, number: int = 0) -> Key:
    """Make a key once: `rsa`, `p256`, `p384` or `p521`."""
    del number
    if kind == "rsa":
        return rsa.generate_private_key(65537, 2048)
    if kind == "rsa2049":
        return _odd_key()
    if kind.startswith("rsa"):
        return rsa.generate_private_key(65537, int(kind.removeprefix("rsa")))  # a short one is to be refused
    curves = {"p256": ec.SECP256R1(), "p384": ec.SECP384R1(), "p521": ec.SECP521R1()}
    return ec.generate_private_key(curves[kind])


def _odd_key() -> rsa.RSAPrivateKey:
    """Make a key of 2,049 bits, of two primes of other keys, since OpenSSL makes even ones alone."""
    p = rsa.generate_private_key(65537, 2050).private_numbers().p
    q = rsa.generate_private_key(65537, 2048).private_numbers().q
    d = rsa.rsa_recover_private_exponent(65537, p, q)
    inner = (rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q))
    key = rsa.RSAPrivateNumbers(p, q, d, *inner, rsa.RSAPublicNumbers(65537, p * q)).private_key()
    assert key.key_size == 2049
    return key


def usage(*wanted: str) -> x509.KeyUsage:
    names = (
        *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
        *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
    )
    return x509.KeyUsage(**{name: name in wanted for name in names})


PURPOSE = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
Extensions = Sequence[tuple[x509.ExtensionType, bool]]
ROOT: Extensions = ((x509.BasicConstraints(ca=True, path_length=None), True), (usage("key_cert_sign"), True))
LEAF: Extensions = ((PURPOSE, True), (usage("digital_signature"), True))


def certificate(
    name: str,
    key: Key,
    issuer: str,
    issuer_key: Key,
    extensions: Extensions,
    *,
    since: datetime = AT - timedelta(days=30),
    until: datetime = AT + timedelta(days=30),
    digest: str = "sha256",
    pss: bool = False,
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
    )
    for extension, is_critical in extensions:
        builder = builder.add_extension(extension, critical=is_critical)
    algorithm: Any = HASHES[digest]
    if pss:
        how = padding.PSS(padding.MGF1(algorithm), padding.PSS.DIGEST_LENGTH)
        return builder.sign(issuer_key, algorithm, rsa_padding=how)
    return builder.sign(issuer_key, algorithm)


@dataclass(frozen=True)
class Maker:
    """Keys and certificates of an authority: the leaf that signs, what it sends along, and its root."""

    key: Key
    leaf: x509.Certificate
    root: x509.Certificate
    along: tuple[x509.Certificate, ...] = ()

    @property
    def roots_pem(self) -> bytes:
        return self.root.public_bytes(Encoding.PEM)


def maker(
    kind: str = "p256",
    *,
    leaf: Extensions = LEAF,
    root: Extensions = ROOT,
    middle: Extensions | None = None,
    leaf_valid: tuple[datetime, datetime] = (AT - timedelta(days=30), AT + timedelta(days=30)),
    root_valid: tuple[datetime, datetime] = (AT - timedelta(days=30), AT + timedelta(days=30)),
    digest: str = "sha256",
    pss: bool = False,
) -> Maker:
    """Make an authority; with `middle`, another one stands between the root and the leaf."""
    root_key, leaf_key = key_of(kind, 1), key_of(kind, 2)
    top = certificate("root", root_key, "root", root_key, root, since=root_valid[0], until=root_valid[1], digest=digest)
    issuer, issuer_key, along = "root", root_key, [top]
    if middle is not None:
        issuer, issuer_key = "middle", key_of(kind, 3)
        along.insert(0, certificate("middle", issuer_key, "root", root_key, middle, digest=digest, pss=pss))
    since, until = leaf_valid
    own = certificate("leaf", leaf_key, issuer, issuer_key, leaf, since=since, until=until, digest=digest, pss=pss)
    return Maker(leaf_key, own, top, tuple(along))


Der = bytes


def algorithm(dotted: str, *parameters: Der) -> Der:
    return der.sequence(der.oid(dotted), *parameters)


def attribute(dotted: str, *values: Der) -> Der:
    return der.sequence(der.oid(dotted), der.set_of(values))


@dataclass(frozen=True)
class Order:
    """How a timestamp shall be made; the functions get what is right and give what is put in its place."""

    digest: str = "sha256"
    scheme: str = "plain"
    salt_size: int = 32
    mask: str | None = None
    """The digest that PSS makes its mask with; as a rule that of the signature."""
    at: bytes = b"20261124210000Z"
    imprint: Callable[[Der], Der] = lambda right: right
    info: Callable[[Der], Der] = lambda right: right
    named: Callable[[Der], Der] = lambda right: right
    attributes: Callable[[list[Der]], list[Der]] = lambda right: right
    certificates: Callable[[list[Der]], list[Der]] = lambda right: right
    signature: Callable[[bytes], bytes] = lambda right: right
    signature_algorithm: Callable[[Der], Der] = lambda right: right
    signer: Callable[[Der], Der] = lambda right: right
    signers: Callable[[list[Der]], list[Der]] = lambda right: right
    response: Callable[[Der], Der] = lambda right: right
    status: int = 0
    content: Der = field(default=TST_INFO)


def stamp(message: bytes, by: Maker, order: Order | None = None, **more: Any) -> Der:
    """Make a TimeStampResp over a message."""
    how = replace(order or Order(), **more)
    imprint = der.sequence(algorithm(HASH_OIDS["sha256"]), der.octets(new_hash("sha256", message).digest()))
    info = how.info(
        der.sequence(
            der.integer(1),
            der.oid("2.999.1"),
            how.imprint(imprint),
            der.integer(77),
            der.value(der.GENERALIZED_TIME, how.at),
        )
    )
    leaf = by.leaf.public_bytes(Encoding.DER)
    attributes = how.attributes(
        [
            attribute("1.2.840.113549.1.9.3", TST_INFO),
            attribute("1.2.840.113549.1.9.4", der.octets(new_hash(how.digest, info).digest())),
            attribute(
                "1.2.840.113549.1.9.16.2.47",
                how.named(der.sequence(der.sequence(der.sequence(der.octets(new_hash("sha256", leaf).digest()))))),
            ),
        ]
    )
    used, signature = signed(by.key, der.set_of(attributes), how)
    signer = how.signer(
        der.sequence(
            der.integer(1),
            der.sequence(by.leaf.issuer.public_bytes(), der.integer(by.leaf.serial_number)),
            algorithm(HASH_OIDS[how.digest]),
            der.set_of(attributes, tag=der.TAGGED_0),
            how.signature_algorithm(used),
            der.octets(how.signature(signature)),
        )
    )
    sent = how.certificates([leaf, *(one.public_bytes(Encoding.DER) for one in by.along)])
    data = der.sequence(
        der.integer(3),
        der.set_of([algorithm(HASH_OIDS[how.digest])]),
        der.sequence(how.content, der.value(der.TAGGED_0, der.octets(info))),
        *([der.set_of(sent, tag=der.TAGGED_0)] if sent else []),
        der.set_of(how.signers([signer])),
    )
    token = der.sequence(der.oid("1.2.840.113549.1.7.2"), der.value(der.TAGGED_0, data))
    return how.response(der.sequence(der.sequence(der.integer(how.status)), token))


def signed(key: Key, message: bytes, how: Order) -> tuple[Der, bytes]:
    """Sign as ordered; give the algorithm's identifier and the signature."""
    chosen = HASHES[how.digest]
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return algorithm(EC_OIDS[how.digest]), key.sign(message, ec.ECDSA(chosen))
    if how.scheme == "pss":
        inner, mask = algorithm(HASH_OIDS[how.digest], der.NULL), how.mask or how.digest
        parameters = der.sequence(
            der.value(0xA0, inner),
            der.value(0xA1, algorithm("1.2.840.113549.1.1.8", algorithm(HASH_OIDS[mask], der.NULL))),
            der.value(0xA2, der.integer(how.salt_size)),
        )
        pad = padding.PSS(padding.MGF1(HASHES[mask]), how.salt_size)
        return algorithm("1.2.840.113549.1.1.10", parameters), key.sign(message, pad, chosen)
    name = "1.2.840.113549.1.1.1" if how.scheme == "bare" else RSA_OIDS[how.digest]
    return algorithm(name, der.NULL), key.sign(message, padding.PKCS1v15(), chosen)
