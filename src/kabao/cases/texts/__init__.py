"""Texts to begin with: the platform's and a shop's own, filled from the case; and what was typed and not sent.

Invariants: a text is only a beginning, whoever sends it may change every word and answers for it; what the case does
not know stays a blank that has to be filled in before it is sent.
"""
