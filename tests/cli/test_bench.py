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
