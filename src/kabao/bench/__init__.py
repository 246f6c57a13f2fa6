"""Benchmarks that print ratios measured in one run, never absolute promises.

Invariant: every bench checks that what it measured is right (books balance, nothing sold twice) before it answers.
"""

from kabao.bench.evidence import bench_evidence
from kabao.bench.keys import bench_keys
from kabao.bench.orders import OrdersBench, bench_orders
from kabao.bench.terms import CLASSES, HALVES, bench_terms

__all__ = ["CLASSES", "HALVES", "OrdersBench", "bench_evidence", "bench_keys", "bench_orders", "bench_terms"]
