"""Which provisions a ruling may name: the cites of articles looked up in the catalogue on the day that counts."""

from collections.abc import Sequence
from datetime import date
from functools import cache
from typing import NamedTuple

from kabao.law import Citation, citable, in_force, load_catalogue


class Authority(NamedTuple):
    """A cite as an article writes it, and the provision it names; ``fault`` says why it may not be relied on."""

    cite: str
    citation: Citation | None
    fault: str = ""


@cache
def authorities(cite: str, on: date) -> Sequence[Authority]:
    """Look a cite up. It may name several provisions; one that names none is a fault."""
    found = load_catalogue().find(cite, on)
    if not found:
        return (Authority(cite, None, "unknown"),)
    listed = []
    for one in found:
        written = one.mention.written
        if one.citation is None:
            listed.append(Authority(written, None, "not_in_force" if _ever(written) else "unknown"))
        elif not citable(one.citation, on):
            fault = "not_in_force" if not in_force(one.citation, on) else "not_read"
            listed.append(Authority(written, one.citation, fault))
        else:
            listed.append(Authority(written, one.citation))
    return tuple(listed)


def _ever(cite: str) -> bool:
    return any(one.citation is not None for one in load_catalogue().find(cite))
