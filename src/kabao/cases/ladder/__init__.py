"""The ladder above negotiation: questions with pauses, first views, the panel's draw and votes, rulings, their review.

Invariants: who rules has put down a first view before the rulebook's suggestion is shown; a ruling is seen by nobody
before its ten seconds for taking it back are over, and moves no money before its window is over, both sides waive it or
its review has ended; nobody acts in a case that is his own or that he has ruled on in an earlier stage; a deadline that
passes has one consequence, which its page told beforehand.
"""
