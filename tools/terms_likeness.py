"""Learn the weights of kabao.terms.likeness from tests/terms/development and tests/terms/neutral.

The other halves of the corpus are never read, so that their figures stay what they are on words from elsewhere. The
same corpus gives the same weights. Takes about a minute and 1 GB.
"""

import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from ruamel.yaml import YAML

from kabao.terms.likeness import BITS, ID_BITS, WEIGHTS, codes_of, counted, groups
from kabao.terms.normal import normalise

CORPUS = Path(__file__).parents[1] / "tests" / "terms"
LOOSENESS = 64.0
"""How far single clauses may bend the weights (C of logistic regression)."""
DAMPING = 1.0
"""The same of the weights that tell the entries apart (lambda of ridge regression)."""
ROUNDS = 40
LARGEST_STEP = 5.0
SETTLED = 1e-3
LEVELS = 127


class Example(NamedTuple):
    """A clause, whether it is void, and by which entry first."""

    text: str
    is_void: bool
    entry: str


def examples() -> list[Example]:
    """Read every clause that may be learned from."""
    found = []
    yaml = YAML(typ="safe")
    for path in sorted((CORPUS / "development").glob("*.yaml")):
        for clause in yaml.load(path.read_text("utf-8"))["clauses"]:
            void = [label["id"] for label in clause["labels"] if label["class"] == "VOID"]
            found.append(Example(clause["text"].strip(), bool(void), void[0] if void else ""))
    lines = (CORPUS / "neutral" / "sentences.txt").read_text("utf-8").splitlines()
    return found + [Example(line.strip(), is_void=False, entry="") for line in lines if line.strip()]


def digest_of(known: Sequence[Example]) -> str:
    """Return a digest of what was learned from, which stands beside the weights."""
    told = "\n".join(f"{one.is_void:d}\t{one.entry}\t{one.text}" for one in known)
    return hashlib.sha256(told.encode()).hexdigest()


def features(text: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return which groups a clause holds, and how often by the root of how many there are."""
    codes, _ = codes_of(normalise(text).plain)
    found = np.concatenate(list(groups(codes, BITS)))
    numbers, times = np.unique(found, return_counts=True)
    return numbers, times / np.sqrt(len(found))


def learned(texts: Sequence[str], is_void: Sequence[bool]) -> tuple[npt.NDArray[np.float64], float]:
    """Return weights and intercept by logistic regression, both sides weighing the same (Newton's steps, dual form)."""
    held = [features(text) for text in texts]
    count = len(held)
    starts = np.cumsum([0] + [len(numbers) for numbers, _ in held])[:-1]
    numbers = np.concatenate([one for one, _ in held])
    values = np.concatenate([one for _, one in held])
    alike = np.empty((count, count))
    row = np.zeros(1 << BITS)
    for place, (mine, times) in enumerate(held):
        row[mine] = times
        alike[place] = np.add.reduceat(row[numbers] * values, starts)
        row[mine] = 0
    alike += 1  # the intercept, as a feature that every clause has
    wanted = np.array(is_void, dtype=float)
    weigh = np.where(wanted > 0, count / (2 * wanted.sum()), count / (2 * (count - wanted.sum())))
    share = np.zeros(count)
    for _ in range(ROUNDS):
        score = alike @ share
        chance = 1 / (1 + np.exp(-score))
        slope = np.maximum(chance * (1 - chance), 1e-6)
        target = score + (wanted - chance) / slope
        new = np.linalg.solve(alike + np.diag(1 / (LOOSENESS * weigh * slope)), target)
        step = float(np.abs(alike @ (new - share)).max())
        share += min(1.0, LARGEST_STEP / step) * (new - share)
        if step < SETTLED:
            break
    weight = np.zeros(1 << BITS)
    for (mine, times), of in zip(held, share, strict=True):
        weight[mine] += of * times
    return weight, float(share.sum())


def told_apart(void: Sequence[Example]) -> tuple[list[str], npt.NDArray[np.float64]]:
    """Return the entries, and of each the weights that tell it from the others, by ridge regression."""
    ids = sorted({one.entry for one in void})
    rows = np.stack(
        [counted(list(groups(codes_of(normalise(one.text).plain)[0], ID_BITS)), ID_BITS) for one in void]
    ).astype(float)
    wanted = np.array([[float(one.entry == name) for name in ids] for one in void]) - 1 / len(ids)
    share = np.linalg.solve(rows @ rows.T + DAMPING * np.eye(len(void)), wanted)
    return ids, share.T @ rows


def levels(values: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.int8], float]:
    """Round to 255 levels; return them and what one is worth."""
    worth = float(np.abs(values).max()) / LEVELS
    return np.round(values / worth).astype(np.int8), worth


def main() -> int:
    """Learn, and write the weights beside the checker."""
    known = examples()
    weight, intercept = learned([one.text for one in known], [one.is_void for one in known])
    ids, of_id = told_apart([one for one in known if one.is_void])
    rounded, scale = levels(weight)
    np.savez_compressed(
        WEIGHTS,
        weight=rounded,
        scale=np.float64(scale),
        intercept=np.float64(intercept),
        ids=np.array(ids),
        of_id=levels(of_id)[0],
        learned_from=np.array(digest_of(known)),
    )
    sys.stdout.write(f"{len(known)} clauses, {len(ids)} entries, {WEIGHTS.stat().st_size // 1000} kB\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
