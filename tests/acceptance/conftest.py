"""Real phones for the acceptance tests; see town.py."""

from town import chromium, demo, playwright, town

__all__ = ["chromium", "demo", "playwright", "town"]
