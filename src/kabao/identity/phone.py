"""Phone numbers as people type them, made into the one form that is stored (E.164)."""

from typing import Final

import phonenumbers

REGION: Final = "CN"
MAX_PHONE_TEXT: Final = 40

_REACHABLE: Final = frozenset(
    {phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE},
)


def normal_phone(text: str) -> str | None:
    """Read a mobile number, without a country code as one of the mainland; None where a message cannot reach it."""
    if len(text) > MAX_PHONE_TEXT:
        return None
    try:
        number = phonenumbers.parse(text, REGION)
    except phonenumbers.NumberParseException:
        return None
    if number.extension or not phonenumbers.is_valid_number(number):
        return None
    if phonenumbers.number_type(number) not in _REACHABLE:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
