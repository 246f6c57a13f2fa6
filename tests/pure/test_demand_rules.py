"""Where no person decides, nothing goes beyond the demand, whatever the rules come to and whoever demands."""

from hypothesis import given
from hypothesis import strategies as st

from kabao.cases import words
from kabao.cases.ladder import awards, rules
from kabao.cases.model import Remedy
from ladders import HELD, HOUR, NOON, SILENT_MERCHANT, done


@given(
    st.sampled_from(["FULL_REFUND", "PARTIAL_REFUND", "REPLACE", "DENY", "DAMAGES", "PROMISE", "CONFLICT"]),
    st.integers(0, 2 * HELD),
    st.integers(0, 9 * HELD),
    st.sampled_from(Remedy),
    st.integers(1, HELD),
    st.integers(0, 2 * HELD),
)
def test_where_no_person_decides_nothing_beyond_the_demand_is_given(
    outcome: str, refund: int, damages: int, demand: Remedy, asked: int, in_place: int
) -> None:
    """Whatever the rules come to: in money, in kind, and never against who is claimed on by a merchant."""
    decision = {"outcome": outcome, "refund_minor": refund, "damages_minor": damages}
    given = awards.supported_of(decision, demand, asked, HELD, in_place)
    most = {
        Remedy.FULL_REFUND: HELD,
        Remedy.PARTIAL_REFUND: asked,
        Remedy.REPLACEMENT: min(in_place, HELD),
        Remedy.RELEASE: 0,
    }[demand]
    assert awards.demanded_of(demand, asked, HELD, in_place) == most
    if given is None:
        return
    assert 0 < given.refund_minor <= most
    assert (given.damages_minor, given.replaces) == (0, demand is Remedy.REPLACEMENT)
    stands = done(rules.decide_due(SILENT_MERCHANT, NOON + 48 * HOUR, given))
    assert stands.award == given
    # What is left out is said in words.
    suggested = awards.suggested_of(decision, demand, HELD)
    assert suggested is not None
    cut = given.refund_minor < suggested.refund_minor
    told = words.as_demanded(given, suggested)
    assert (words.yuan(given.refund_minor) in told) is (cut or damages > 0)
    assert ("要由人来裁" in told) is (damages > 0)
    assert words.as_demanded(given, None) == ""
