"""What to have ready: what can vanish first, what fits the case, and what is there already."""

from helpletters import DEAD_KEY, MINOR, SWINDLE
from helpstories import NOW, told
from kabao.selfhelp import CheckState, Story
from kabao.selfhelp.assessing import assess
from kabao.selfhelp.book import law_rules
from kabao.selfhelp.checklist import checklist, hows


def states(story: Story) -> dict[str, str]:
    return {one.check_id: one.state.value for one in checklist(story, assess(story, law_rules(), NOW))}


def test_what_the_other_side_could_make_vanish_comes_first_and_what_is_there_is_named() -> None:
    found = checklist(DEAD_KEY, assess(DEAD_KEY, law_rules(), NOW))
    assert [one.urgent for one in found] == [True, True, True, False, False, False]
    assert {one.element for one in found} == {"transaction", "goods", "talk"}
    ready = {one.check_id: one.items for one in found if one.state is CheckState.READY}
    assert ready == {"terms": (), "chat": (2,), "fault": (1,)}


def test_a_case_is_asked_for_what_fits_it_alone() -> None:
    assert states(MINOR)["family"] == "missing"
    assert "fault" not in states(MINOR)
    assert states(SWINDLE)["police"] == "missing"
    assert not {"police", "family"} & set(states(told("key_invalid")))


def test_every_way_to_capture_is_told_once_in_both_languages() -> None:
    stories = (DEAD_KEY, MINOR, SWINDLE)
    items = [one for story in stories for one in checklist(story, assess(story, law_rules(), NOW))]
    ways = hows(items)
    assert len({way.how_id for way in ways}) == len(ways) == 12
    assert all(step.zh and step.en for way in ways for step in way.steps)
    assert all(one.title.en and one.why.en for one in items)
