"""Pack src/kabao/terms/data/*.yaml into packed.json, with every citation held against the catalogue of law."""

import json
import re
import sys
from collections.abc import Iterator
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML

from kabao.law import CITABLE_MARKS, load_catalogue
from kabao.terms.packed import unpack

FOLDER: Final = Path(__file__).parents[1] / "src" / "kabao" / "terms"
LISTS: Final = ("act", "lacks", "sentence_lacks", "actor", "actor_not")
SETS: Final = ("has", "before", "after", "near", "sentence")
QUANTITIES: Final = {"TIME", "PERCENT", "MONEY", "MULTIPLE", "TIMES"}
BUILT_IN: Final = {"FORBID", "DIGITAL", "GRANTED_LATE"}
SHORTEST_MADE_UP: Final = 3
OPAQUE: Final = {
    "SELFBEAR", "OWN_REASON", "MINOR", "ADULT", "QUALITY_OK", "LAW_RESERVED", "UPSTREAM", "SALE_FINAL", "UNDEFINED",
    "BUYER_FAULT", "LISTED", "DEFECT", "ALLGOODS", "AMOUNT_BASE", "OPERATOR", "LICENCE", "PERSONALINFO",
    "PLATFORM_ONLY", "GOODS", "BLAMED", "ALL_NEEDED", "AUTHORITY", "MONEYBACK", "CONSUMER", "BOUGHT_ELSEWHERE",
}  # fmt: skip
NOT_INHERITED: Final = {"MALICE", "DIFFER", "DEFECT", "OWN_REASON", "QUALITY_OK", "SHARE", "THEN"}
TODAY: Final = date(2026, 11, 23)


class DataError(Exception):
    """The data hold something that the checker would not understand."""


def read(name: str) -> Any:
    """Read one YAML file of the data."""
    return YAML(typ="safe").load((FOLDER / "data" / name).read_text(encoding="utf-8"))


def build() -> dict[str, Any]:
    """Return what packed.json holds; raises DataError."""
    lexicon = read("lexicon.yaml")
    derived = dict(lexicon["DERIVED"])
    words, concepts = _words(lexicon)
    concepts |= set(derived)
    characters = read("characters.yaml")
    catalogue, vague, topics = read("catalogue.yaml"), read("vague.yaml"), read("topics.yaml")
    return {
        "words": words,
        "entries": [_entry(entry, catalogue["macros"], concepts) for entry in catalogue["entries"]],
        "vague": [_entry(entry, vague["macros"], concepts) for entry in vague["entries"]],
        "topics": [
            {**_cited(topic), "says": [_rule(rule, {}, concepts, topic["id"]) for rule in topic["says"]]}
            for topic in topics["topics"]
        ],
        "requirements": [
            {
                **_cited(each),
                "any_of": [[_known(part.split("|"), concepts, each["id"]) for part in way] for way in each["any_of"]],
            }
            for each in read("requirements.yaml")["requirements"]
        ],
        "profile": [
            {
                **_cited(row),
                "gives": [_rule(rule, {}, concepts, row["id"]) for rule in row["gives"]],
                "refuses": [_rule(rule, {}, concepts, row["id"]) for rule in row["refuses"]],
            }
            for row in read("profile.yaml")["rows"]
        ],
        "derived": [[name, *pair.split()] for name, pair in derived.items()],
        "traditional": _pairs(characters["traditional"].split()),
        "look_alikes": _pairs(
            [(old, new) for new, several in characters["look_alikes"].items() for old in several],
        ),
        "prevails": {
            "order": topics["order"],
            "by_kind": topics["by_kind"],
            "by_drafter": topics["by_drafter"],
            "cases": [
                [concept, case]
                for concept, case in ((key.replace("~", "NO:"), case) for key, case in topics["cases"].items())
            ],
            "about": [list(pair) for pair in topics["about"].items()],
        },
    }


def _words(lexicon: dict[str, Any]) -> tuple[dict[str, list[list[str]]], set[str]]:
    compounds = lexicon.pop("COMPOUNDS")
    lexicon.pop("DERIVED")
    made = lexicon.pop("MADE")
    noise = set(_forms(lexicon.pop("NOISE")))
    meanings: dict[str, set[str]] = {}
    for concept, forms in lexicon.items():
        for form in _forms(forms):
            meanings.setdefault(form, set()).add(concept)
    for parts in [parts for parts in made if " " in parts]:
        compounds |= {form: parts for pattern in made.pop(parts) for form in _made(pattern) if form not in compounds}
    for concept, patterns in made.items():
        for form in (form for pattern in patterns for form in _made(pattern)):
            meanings.setdefault(form, set()).add(concept)
    for form in sorted(meanings, key=len):
        meanings[form] |= _inherited(form, meanings, noise)
    words = {form: [sorted(names)] for form, names in meanings.items()}
    for form in noise:
        words.setdefault(form, [[]])
    for form, parts in compounds.items():
        words[form.replace("_", " ")] = [[part] for part in parts.split()]
    unknown = {part for parts in compounds.values() for part in parts.split()} - set(lexicon)
    if unknown:
        raise DataError(f"lexicon.yaml: compounds name {sorted(unknown)}")
    return dict(sorted(words.items())), set(lexicon) | set(made) | QUANTITIES | BUILT_IN


def _inherited(form: str, meanings: dict[str, set[str]], noise: set[str]) -> set[str]:
    """Return what the words inside a form mean, unless one denies: 平台投诉 is platform and complaint."""
    if len(form) < SHORTEST_MADE_UP or not form.isalpha() or form.isascii() or meanings[form] & OPAQUE:
        return set()
    found: set[str] = set()
    position = 0
    while position < len(form):
        inner = next(
            (
                form[position:stop]
                for stop in range(len(form), position, -1)
                if form[position:stop] != form and (form[position:stop] in meanings or form[position:stop] in noise)
            ),
            form[position],
        )
        names = meanings.get(inner, set())
        if names & {"NEG", "REFUSE", "FORBID", "NOTEQ"}:
            return set()
        if len(inner) > 1:
            found |= names
        position += len(inner)
    return found - NOT_INHERITED


def _made(pattern: str) -> Iterator[str]:
    """Yield the forms that a pattern of alternatives makes: (您|用户)(|的)住所地 are four."""
    parts = (part[1:-1].split("|") if part.startswith("(") else [part] for part in re.split(r"(\([^()]*\))", pattern))
    for chosen in product(*parts):
        yield "".join(chosen).replace("_", " ").lower()


def _forms(text: Any) -> list[str]:
    return [form.replace("_", " ").lower() for form in str(text).split()]


def _entry(entry: dict[str, Any], macros: dict[str, str], concepts: set[str]) -> dict[str, Any]:
    made = _cited(entry)
    made["kind"] = made.pop("class")
    made["beside"] = _known(list(_spread(entry.get("beside", []), {})), concepts, entry["id"])
    for part in ("when", "fine"):
        made[part] = [_rule(rule, macros, concepts, entry["id"]) for rule in entry.get(part, [])]
    return made


def _cited(entry: dict[str, Any]) -> dict[str, Any]:
    """Add the law's names; every place that is cited must be one whose text was read and that is in force."""
    law = []
    for cite in entry["cites"]:
        found = load_catalogue().find(cite, TODAY)
        if not found:
            raise DataError(f"{entry['id']}: {cite} names no law")
        for each in found:
            if each.citation is None or each.citation.mark not in CITABLE_MARKS:
                raise DataError(f"{entry['id']}: {cite} may not be cited")
            law.append(each.citation.text_zh())
    return {**entry, "law": law}


def _rule(rule: dict[str, Any], macros: dict[str, str], concepts: set[str], where: str) -> dict[str, Any]:
    made = dict(rule)
    for key in LISTS:
        if key in made:
            several = made[key] if isinstance(made[key], list) else made[key].split()
            made[key] = list(_spread(several, macros))
            if key in {"act", "lacks", "sentence_lacks"}:
                _known(made[key], concepts, where)
    for key in SETS:
        if key in made:
            made[key] = [_known(list(_spread(each.split("|"), macros)), concepts, where) for each in made[key]]
    for key in ("neg", "bare", "wide"):
        if key in made:
            made[key] = made[key] in {True, "yes"}
    return made


def _spread(names: list[str], macros: dict[str, str]) -> Iterator[str]:
    for name in names:
        for each in macros[name[1:]].split() if name.startswith("$") else [name]:
            yield "NO:" + each[1:] if each.startswith("~") else each


def _known(names: list[str], concepts: set[str], where: str) -> list[str]:
    unknown = {name.removeprefix("NO:") for name in names} - concepts
    if unknown:
        raise DataError(f"{where}: unknown concepts {sorted(unknown)}")
    return names


def _pairs(pairs: Any) -> list[str]:
    pairs = [tuple(pair) for pair in pairs]
    return ["".join(old for old, _ in pairs), "".join(new for _, new in pairs)]


def main() -> int:
    """Write packed.json; return 1 with what is wrong."""
    try:
        content = build()
    except DataError as error:
        print(error, file=sys.stderr)
        return 1
    text = json.dumps(content, ensure_ascii=False, indent=0, sort_keys=True) + "\n"
    unpack(text.encode())
    (FOLDER / "packed.json").write_text(text, encoding="utf-8")
    print(f"{len(content['words'])} words, {len(content['entries'])} entries, {len(content['topics'])} topics")
    return 0


if __name__ == "__main__":
    sys.exit(main())
