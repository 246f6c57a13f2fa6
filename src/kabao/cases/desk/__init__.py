"""The desk of those who decide: their queue, who else has a case open, and what they have typed and not handed in.

Invariants: a draft is its author's alone and is gone once what it became can no longer be taken back; presence is a
lease that runs out and is shown to staff only; nothing here tells what the rulebook suggests.
"""
