"""The instant green channel (绿色通道): what the platform's own records prove is decided and paid as a case is opened.

Invariants: only for a full refund of money still held, of a small amount, where the records alone, without anybody's
word, decide the claim: the rulebook gives everything with them and not everything with the opposite; at most five a
person in thirty days; never where the buyer wants a person to decide. The reserve is not touched: a person on review
may find for the merchant, who is then paid out of it, and nothing is taken back from the buyer.
"""
