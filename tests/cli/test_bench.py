"""The benches answer a ratio, its two figures, and whether what they measured was right. Nothing is timed."""

import json

from program import kabao


def test_the_bench_of_orders_checks_its_books() -> None:
    said = kabao("bench", "orders", "--seconds", "1", "--rounds", "1", "--connections", "4", "--json")
    assert said.returncode == 0, said.stderr
    told = json.loads(said.stdout)
    assert {"ratio", "http_orders_per_second", "pgbench_orders_per_second"} <= set(told)
    assert told["is_correct"]
    assert told["orders"] == told["keys"] == told["holds"] > 0
    assert (told["lost_minor"], told["fsync"], told["synchronous_commit"]) == (0, "on", "on")


def test_the_bench_of_the_import_says_its_figures() -> None:
    said = kabao("bench", "import", "--keys", "5000", "--json")
    assert said.returncode == 0, said.stderr
    told = json.loads(said.stdout)
    assert {"ratio", "keys_per_second", "copy_rows_per_second"} <= set(told)


def test_the_bench_of_evidence_checks_the_log_and_every_proof() -> None:
    said = kabao("bench", "evidence", "--quick", "--json")
    told = json.loads(said.stdout)
    assert said.returncode == (0 if told["passed"] else 1), said.stderr
    assert {"ratio", "entries_per_second", "insert_rows_per_second", "bars"} <= set(told["parts"]["sequencing"])
    assert {"proof_ms_median", "proof_ms_p99", "leaves", "bars"} <= set(told["parts"]["proofs"])
    assert told["parts"]["sequencing"]["entries"] > 6_000
    assert told["parts"]["proofs"]["proofs"] == 300


def test_one_part_of_the_bench_of_evidence_is_asked_by_name() -> None:
    said = kabao("bench", "evidence", "--quick", "--only", "proofs")
    assert said.stdout.startswith("proofs: ")
    assert "sequencing" not in said.stdout
    unknown = kabao("bench", "evidence", "--only", "nothing")
    assert unknown.returncode == 1
    assert "there are: sequencing, proofs" in unknown.stderr
