"""DER has one spelling for every value, and the verifier takes no other."""

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from kabao.packs import verify
from kabao.timestamps import der

DER_FORMS = {
    "BOOLEAN of one": "010101",
    "BOOLEAN of two bytes": "0102ffff",
    "INTEGER of nothing": "0200",
    "INTEGER with a zero too many": "02020001",
    "INTEGER with ones too many": "0202ff80",
    "ENUMERATED with a zero too many": "0a020001",
    "BIT STRING of nothing": "0300",
    "BIT STRING with nine spare bits": "03020900",
    "BIT STRING with spare bits in nothing": "030101",
    "BIT STRING with spare bits that are set": "03020101",
    "NULL of something": "050100",
    "OBJECT IDENTIFIER of nothing": "0600",
    "OBJECT IDENTIFIER without its end": "060181",
    "OBJECT IDENTIFIER with a zero too many": "06028001",
    "OBJECT IDENTIFIER with a later zero too many": "0603018001",
    "SEQUENCE that is primitive": "1000",
    "SET that is primitive": "1100",
    "OCTET STRING in parts": "2400",
    "a tag of several bytes": "1f8100",
    "a length of several bytes for few": "04810101",
    "a length with a zero in front": "0482000101",
    "a length without end": "30800000",
    "a length of five bytes": "048501000000000000",
    "a length and no content": "0405aa",
    "half a length": "0482",
    "a tag and no length": "04",
    "nothing": "",
    "a value and more": "050000",
}


@pytest.mark.parametrize("name", DER_FORMS)
def test_a_value_has_one_spelling(name: str) -> None:
    with pytest.raises(verify.WrongError):
        verify.read_der(bytes.fromhex(DER_FORMS[name]))


def test_values_in_their_one_spelling_are_read() -> None:
    for right in (
        "0101ff",
        "010100",
        "020100",
        "0201ff",
        "02020080",
        "0202ff7f",
        "030100",
        "03020780",
        "0500",
        "06028101",
    ):
        assert verify.read_der(bytes.fromhex(right)).raw.hex() == right
    deep = der.sequence()
    for _ in range(30):
        deep = der.sequence(deep)
    assert verify.read_der(deep).raw == deep
    for _ in range(10):
        deep = der.sequence(deep)
    with pytest.raises(verify.WrongError):
        verify.read_der(deep)


def test_names_of_authorities_cannot_steer_a_terminal() -> None:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "TSA\x1b[31m\u202e")]).public_bytes()
    assert verify.shown_subject(name) == "TSA\\u{1b}[31m\\u{202e}"
    assert verify.read_time(verify.read_der(bytes.fromhex("170d") + b"491231235959Z")).year == 2049
    assert verify.read_time(verify.read_der(bytes.fromhex("170d") + b"500101000000Z")).year == 1950
