"""What a shop's owner has beside the single case: the list by time left, many answers at once, texts of his own.

Invariants: a list is for the owner alone; each case of a bulk is a transaction of its own and does what the case's page
would have done; nothing here moves a deadline.
"""
