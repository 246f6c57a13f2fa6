"""The bench says its figures and checks its verdicts; how fast it was is not asked."""

from kabao.packs.bench import bench_verify


def test_the_bench_of_the_verifier_says_its_figures() -> None:
    told = bench_verify(3, rounds=1)
    assert told["ratio"] > 0
    assert told["bytes"] > 3 << 20
    assert {"verify_bytes_per_second", "sha256sum_bytes_per_second", "peak_bytes", "peak_bytes_small"} <= told.keys()
    assert 0 < told["peak_bytes"] < 200 << 20
