"""Under which name a browser saves a file: in its own letters (RFC 6266, RFC 8187), with a plain name for old ones."""

from typing import Final
from urllib.parse import quote

_PLAIN: Final = frozenset("._-")
_LONGEST: Final = 120
"""Letters of a name; with its encoding it stays below what a header may be."""


def saved_as(name: str, plain: str = "") -> str:
    """Write the header's value; `plain` is the name in ASCII, made of the other where it is not given."""
    shown = "".join(letter for letter in name if letter.isprintable() and letter not in '/\\"')
    if len(shown) > _LONGEST:
        stem, dot, ending = shown.rpartition(".")
        shown = f"{stem[: _LONGEST - len(ending) - 1]}{dot}{ending}" if stem and len(ending) < _LONGEST else ""
    plain = plain or plain_name(name)
    value = f'attachment; filename="{plain}"'
    return value if shown.isascii() else f"{value}; filename*=UTF-8''{quote(shown, safe='')}"


def plain_name(name: str) -> str:
    """Return a name in ASCII letters, figures and a few signs, with _ for everything else."""
    return "".join(letter if letter.isascii() and (letter.isalnum() or letter in _PLAIN) else "_" for letter in name)
