"""Provisions as letters and deadlines name them: only those whose text was read and that are in force on the day."""

from datetime import date

from kabao.adjudication.model import Text
from kabao.law import citable, load_catalogue
from kabao.selfhelp.results import Cite


def provision(cite: str, on: date) -> Cite | None:
    """Return a provision of the catalogue by its id; None where it may not be named on that day."""
    found = load_catalogue().get(cite)
    if found is None or not citable(found, on):
        return None
    return Cite(
        cite=found.id,
        name=Text(found.text_zh(), found.text_en()),
        says=Text(found.summary_zh, found.summary_en),
        mark=found.mark.value,
    )


def provisions(cites: tuple[str, ...], on: date) -> tuple[Cite, ...]:
    """Return those of several that may be named, in their order."""
    return tuple(found for one in cites if (found := provision(one, on)) is not None)
