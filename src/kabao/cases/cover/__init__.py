"""What stands in for a merchant who is away: a promise made beforehand, carried out in his name.

Invariants: it only gives what was demanded, within what its merchant set, as a step of his; it moves no deadline, so
that nobody waits longer for it; what it cannot give is left to people, and the merchant is told of either.
"""
