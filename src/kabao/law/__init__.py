"""The law that rulings, letters and checks may name: a catalogue of citations as data.

Invariants: a citation says what a provision means in our own words, never at length in its own; every one carries the
mark of how surely its text is known, its sources and the day it was checked; an article that may be cited is one whose
text was read, down to the paragraph and item named; ``citable`` is asked with the day that counts (order time for
substance, filing time for procedure); what is known but may not be cited is in the catalogue too, so that a check can
say so; nothing here is legal advice. Reading the YAML (``kabao.law.reading``) is for building the packed file only.
"""

from kabao.law.catalogue import Catalogue, Found, in_english, load_catalogue, pack, unpack
from kabao.law.entries import CatalogueError
from kabao.law.mentions import Mention
from kabao.law.model import CITABLE_MARKS, Citation, Instrument, Mark, Place, citable, in_force

__all__ = [
    "CITABLE_MARKS",
    "Catalogue",
    "CatalogueError",
    "Citation",
    "Found",
    "Instrument",
    "Mark",
    "Mention",
    "Place",
    "citable",
    "in_english",
    "in_force",
    "load_catalogue",
    "pack",
    "unpack",
]
