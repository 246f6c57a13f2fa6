"""What the terms checker finds in the words a shop sold by, as facts of the rulebook.

Invariants: an order is read from the words frozen with it, once, as its first case is opened, so that a later catalogue
alters no case; a forecast reads the same and keeps nothing; a clause counts as void only from a confidence of 0.8; only
what bears on refunds counts, and only in a claim about terms; whoever decides may weigh otherwise.
"""
