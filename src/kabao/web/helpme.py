"""Self-help for a purchase made elsewhere: one step per page, computed and forgotten; the story travels sealed.

Every step is one form that carries the sealed story. Nothing is stored: what the browser sends back is all there is.
"""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Any, Final, NamedTuple

import msgspec
from litestar import Response, get, post

from kabao.adjudication.model import Text
from kabao.helpcases import HelpState
from kabao.identity import Act
from kabao.kernel import Refusal, Refused
from kabao.selfhelp import CHINA, Assessment, Language, Question, Story, To
from kabao.selfhelp.assessing import assess
from kabao.selfhelp.book import law_rules
from kabao.selfhelp.calendar import deadlines
from kabao.selfhelp.checklist import checklist, hows
from kabao.selfhelp.ics import ics
from kabao.selfhelp.questions import AMOUNTS, questions
from kabao.selfhelp.rules import faults, first_steps_answered, is_fraud, is_unlawful
from kabao.selfhelp.signs import FIRST, SIGNS
from kabao.selfhelp.storyfile import plain_of
from kabao.web import helpwords
from kabao.web.helpchat import given_of_chats, names_asked
from kabao.web.helpdays import days_given
from kabao.web.helpforms import (
    BLANK_EVENTS,
    EVENTS,
    Taken,
    room_for_text,
    take_claim,
    take_events,
    take_first,
    take_parties,
    take_start,
    take_terms,
)
from kabao.web.helpkept import Held, hold_step
from kabao.web.helppapers import (
    Shown,
    chosen_letter,
    folder_of,
    letters_given,
    named_file,
    print_letter,
    show_letter,
    take_letters,
)
from kabao.web.helpstate import Lost, open_state, seal_state
from kabao.web.helpwords import CALENDAR, FOLDER
from kabao.web.http import (
    HEADERS,
    Form,
    Page,
    PageRequest,
    Visit,
    ask_to_sign_in,
    enter,
    is_large,
    is_own_form,
    page,
    read_form,
    refusal_page,
    same_origin,
    stale_page,
)


class Step(StrEnum):
    """The steps in their order; `FIRST` stands among them only where there are signs of fraud."""

    START = "start"
    FIRST = "first"
    EVENTS = "events"
    CLAIM = "claim"
    EVIDENCE = "evidence"
    PARTIES = "parties"
    TERMS = "terms"
    LETTERS = "letters"
    DAYS = "days"


TITLES: Final = {
    Step.START: Text("先看能不能帮上", "Can this help?"),
    Step.FIRST: Text("先保住钱", "Save the money first"),
    Step.EVENTS: Text("说清经过", "What happened"),
    Step.CLAIM: Text("能要什么", "What you can ask for"),
    Step.EVIDENCE: Text("留好证据", "Keep the evidence"),
    Step.PARTIES: Text("找谁负责", "Who is responsible"),
    Step.TERMS: Text("对方的规则", "Their rules"),
    Step.LETTERS: Text("写信", "Letters"),
    Step.DAYS: Text("别错过的日子", "Days not to miss"),
}
EXPIRED: Final = Text(
    "上次填的已经过了 30 天，打不开了，请从头来。", "What you had filled in is older than 30 days and no longer opens."
)
BROKEN: Final = Text(
    "上次填的打不开：没有收全，或者不是这个网站发的。请从头来。",
    "What you had filled in does not open: it is not whole, or not from this site. Please begin anew.",
)
TOO_MUCH: Final = Text(
    "内容太多，这一步没有记下来。按浏览器的返回键回到刚才那一页，聊天和条款只贴要紧的部分。",
    "This is too much to carry along, so the step was not taken. Go back in your browser and paste only what matters.",
)


class Fact(NamedTuple):
    """A question of the law's, and what was answered."""

    name: str
    label: Text
    meaning: Text | None
    answer: str


class Figure(NamedTuple):
    """A number or sum that the computation needs, as it is typed."""

    name: str
    label: Text
    value: str


@get("/help-me")
async def help_page(request: PageRequest) -> Page:
    """Begin: what this can and cannot do, and the first questions."""
    visit = await enter(request)
    state = HelpState(story=_new_story(visit.now, request.query_params.get("lang", "")))
    return show_step(visit, state, Step.START)


@post("/help-me", status_code=200)
async def help_step(request: PageRequest) -> Page:
    """Take a step's answers into the story, and show the step that was asked for."""
    came = await came_with(request)
    if not isinstance(came, Came):
        return came
    visit, state = came
    form = visit.form
    step = named_step(form.text("step"))
    if step is None:
        # A device that goes on where it stopped sends what it kept, and no answers.
        at = wanted_step(Step.START, form.text("go"), state.story)
        return await asyncio.to_thread(show_step, visit, state, at)
    done = await take_step(visit, state, step)
    if done.state is None:
        return await asyncio.to_thread(show_step, visit, state, step, errors=done.errors)
    held = await hold_step(visit, done.state)
    return await asyncio.to_thread(show_step, visit, held.state, done.step, errors=done.errors, held=held.why)


class Done(NamedTuple):
    """What a step came to: the state it leaves (None where it was too much), the step to show, what is wrong."""

    state: HelpState | None
    step: Step
    errors: Mapping[str, Text]


async def take_step(visit: Visit, state: HelpState, step: Step) -> Done:
    """Take the fields of a step into the state, and say which step comes."""
    form = visit.form
    if step is Step.LETTERS:
        state = await asyncio.to_thread(_with_letters, state, form, visit.now)
    taken = _take(step, state.story, form, visit.now)
    wanted = step if form.text("pick") else wanted_step(step, form.text("go"), taken.story)
    # Back is always free; on goes only what can be read.
    goes_on = not taken.errors or _place(wanted) < _place(step)
    target = wanted if goes_on else step
    reached = max(state.reached, _place(target))
    new = msgspec.structs.replace(state, story=taken.story, reached=reached)
    if seal_state(new, visit.services.form_key, visit.now) is None:
        return Done(None, step, {"": TOO_MUCH})
    return Done(new, target, {} if goes_on else taken.errors)


@post("/help-me/letter.txt", status_code=200)
async def help_letter(request: PageRequest) -> Page:
    """Give a letter as text."""
    return await _letter(request, "text/plain; charset=utf-8", "txt")


@post("/help-me/letter.pdf", status_code=200)
async def help_letter_pdf(request: PageRequest) -> Page:
    """Give a letter as PDF."""
    return await _letter(request, "application/pdf", "pdf")


async def _letter(request: PageRequest, media_type: str, ending: str) -> Page:
    came = await came_with(request)
    if not isinstance(came, Came):
        return came
    visit = came.visit

    def made() -> tuple[HelpState, To | None, bytes]:
        state = _with_letters(came.state, visit.form, visit.now)
        found = assess(state.story, law_rules(), visit.now)
        to = chosen_letter(visit.form, found, state.story)
        shown = show_letter(state, found, to, visit.now) if to is not None else None
        if not isinstance(shown, Shown):
            return state, None, b""
        if ending == "pdf":
            return state, to, print_letter(shown, visit.now)
        return state, to, f"{shown.letter.title}\n\n{shown.body}\n".encode()

    state, to, content = await asyncio.to_thread(made)
    if to is None:
        return await asyncio.to_thread(show_step, visit, state, wanted_step(Step.START, "letters", state.story))
    whom = helpwords.ADDRESSEES[to]
    named = Text(f"给{whom.zh}的信", f"letter to {whom.en}")
    return _file(content, media_type, named_file(state.story, named, f"letter-{to.value}.{ending}", visit.now))


@post("/help-me/folder.zip", status_code=200)
async def help_folder(request: PageRequest) -> Page:
    """Give the folder that the command line goes on with."""
    came = await came_with(request)
    if not isinstance(came, Came):
        return came
    name = named_file(came.state.story, FOLDER, "kabao-case.zip", came.visit.now)
    return _file(await asyncio.to_thread(folder_of, came.state, came.visit.now), "application/zip", name)


def _with_letters(state: HelpState, form: Form, now: datetime) -> HelpState:
    return take_letters(state, form, assess(state.story, law_rules(), now), now)


def _file(content: bytes, media_type: str, name: str) -> Page:
    headers = {"cache-control": "no-store", "content-disposition": name}
    return Response(content, media_type=media_type, headers=HEADERS | headers)


@post("/help-me/days.ics", status_code=200)
async def help_calendar(request: PageRequest) -> Page:
    """Give the days as a calendar file."""
    came = await came_with(request)
    if not isinstance(came, Came):
        return came
    story, now = came.state.story, came.visit.now
    name = named_file(story, CALENDAR, "kabao.ics", now)
    return _file(ics(story, deadlines(story, now), now, story.language), "text/calendar", name)


class Came(NamedTuple):
    """A step's form that opened: who sent it and what it carried."""

    visit: Visit
    state: HelpState


async def came_with(request: PageRequest) -> Came | Page:
    """Read a step's form: its size, token and seal; anything else is answered here."""
    visit = await enter(request)
    if is_large(request):
        return show_step(visit, HelpState(story=_new_story(visit.now, "")), Step.START, errors={"": TOO_MUCH})
    visit.form = await read_form(request)
    state = open_state(visit.form.raw("state"), visit.services.form_key, visit.now)
    if visit.signed_in is None and isinstance(state, HelpState) and state.saved and same_origin(request):
        # A saved case's session ran out: the step is taken once its owner is back.
        return ask_to_sign_in(visit)
    if not is_own_form(visit):
        return stale_page(visit)
    who = "net:" + visit.visitor.network if visit.signed_in is None else visit.me.account_id
    if not await visit.services.identity.may(Act.HELP, who):
        return refusal_page(visit, Refused(Refusal.TOO_MANY_TRIES), back="/help-me", link="回到开头")
    if isinstance(state, Lost):
        anew = HelpState(story=_new_story(visit.now, visit.form.text("lang")))
        return show_step(visit, anew, Step.START, errors={"": EXPIRED if state is Lost.EXPIRED else BROKEN})
    return Came(visit, state)


def _new_story(now: datetime, lang: str) -> Story:
    return Story(case_id=secrets.token_hex(8), created_at=now, language=Language.EN if lang == "en" else Language.ZH)


def named_step(text: str) -> Step | None:
    """Read a step's name; None for what is none."""
    return Step(text) if text in set(Step) else None


def _place(step: Step) -> int:
    return list(Step).index(step)


def _take(step: Step, story: Story, form: Form, now: datetime) -> Taken:
    if step is Step.CLAIM:
        book = law_rules().book
        return take_claim(story, form, claims=set(book.claims) - helpwords.NOT_OURS, facts=book.facts)
    if step is Step.TERMS:
        return take_terms(story, form, now=now)
    if step is Step.EVENTS:
        return take_events(story, form, now=now)
    takers = {Step.START: take_start, Step.FIRST: take_first, Step.PARTIES: take_parties}
    return takers[step](story, form) if step in takers else Taken(story, {})


def wanted_step(step: Step, go: str, story: Story) -> Step:
    """Decide which step comes; with signs of fraud none comes before the first ones were answered."""
    steps = _steps(story)
    here = steps.index(step) if step in steps else 0
    named = named_step(go)
    wanted = named if named in steps else steps[min(here + 1, len(steps) - 1)]
    if is_fraud(story) and not first_steps_answered(story) and _place(wanted) > _place(Step.FIRST):
        return Step.FIRST
    return wanted


def _steps(story: Story) -> list[Step]:
    """Name the steps of a story: signs of fraud put one first, unlawful goods leave none after the beginning."""
    if is_unlawful(story):
        return [Step.START, Step.FIRST] if is_fraud(story) else [Step.START]
    return [step for step in Step if step is not Step.FIRST or is_fraud(story)]


def show_step(
    visit: Visit, state: HelpState, step: Step, *, errors: Mapping[str, Text] | None = None, held: Held = Held.YES
) -> Page:
    """Show a step; `held` says why it is not saved, where it should be."""
    story = state.story
    language = "en" if story.language is Language.EN else "zh"

    def words(said: Text) -> str:
        return said.en if language == "en" else said.zh

    steps = _steps(story)
    place = steps.index(step)
    assessment = assess(story, law_rules(), visit.now)
    wrong = errors or {}
    more = _more(step, state, assessment, visit, words)
    return page(
        "help.html",
        visit,
        status=HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK if held is Held.YES else HTTPStatus.CONFLICT,
        private=True,
        lang=language,
        t=lambda zh, en: en if language == "en" else zh,
        words=words,
        step=step.value,
        steps=[(one.value, words(TITLES[one]), _place(one) <= state.reached) for one in steps],
        place=place,
        title=words(TITLES[step]),
        following=words(TITLES[steps[place + 1]]) if place + 1 < len(steps) else "",
        before=steps[place - 1].value if place else "",
        story=story,
        told=bool(story.shop.name),
        saved=state.saved,
        held=held.value,
        state=seal_state(state, visit.services.form_key, visit.now) or "",
        result=assessment,
        path=words(helpwords.PATHS[assessment.path]),
        unlawful=is_unlawful(story),
        fraud=is_fraud(story),
        faults=[words(fault.text) for fault in faults(story, visit.now)] if state.reached else [],
        typed=visit.form.text,
        was=lambda name, value: visit.form.raw(name) if wrong and visit.form.ticked(name) else value,
        ticked=visit.form.every,
        w=helpwords,
        labels=lambda named: [(value.value, words(text)) for value, text in named.items()],
        day=lambda moment: f"{moment.day}" if moment else "",
        clock=lambda moment: moment.words()[11:] if moment else "",
        minute=china_minute,
        errors={name: words(said) for name, said in wrong.items()},
        optional_mark=" (optional)" if language == "en" else "（选填）",
        errsum_words=("%d to change", "This step was not taken")
        if language == "en"
        else ("还有 %d 处要改", "这一步没有完成"),
        **more,
    )


def _more(
    step: Step, state: HelpState, assessment: Assessment, visit: Visit, words: Callable[[Text], str]
) -> dict[str, Any]:
    """Give what one step shows beside what all show."""
    story, now = state.story, visit.now
    given: dict[Step, Callable[[], dict[str, Any]]] = {
        Step.START: lambda: {"signs": SIGNS},
        Step.FIRST: lambda: {"first": FIRST},
        Step.EVENTS: lambda: _of_events(story, visit.form),
        Step.CLAIM: lambda: _of_claim(story, assessment, now),
        Step.EVIDENCE: lambda: _of_evidence(story, assessment),
        Step.TERMS: lambda: room_for_text(story),
        Step.LETTERS: lambda: letters_given(state, assessment, visit.form, now),
        Step.DAYS: lambda: _of_days(story, now, words),
    }
    return given[step]() if step in given else {}


def _of_events(story: Story, form: Form) -> dict[str, Any]:
    return {
        "blank": min(BLANK_EVENTS, EVENTS - len(story.events)),
        "most_events": EVENTS,
        **room_for_text(story),
        **given_of_chats(story, form),
    }


def _of_claim(story: Story, assessment: Assessment, now: datetime) -> dict[str, Any]:
    claims = [one for one in law_rules().book.claims.values() if one.claim_id not in helpwords.NOT_OURS]
    groups = {kind: [one for one in claims if one.kind == kind] for kind in helpwords.KINDS}
    asked = questions(story, law_rules(), now) if story.claim else ()
    return {
        "groups": groups,
        "facts": _facts(story, assessment, asked),
        "figures": _figures(story, asked),
        "names": names_asked(story),
        "is_open": bool(asked),
    }


def _of_evidence(story: Story, assessment: Assessment) -> dict[str, Any]:
    ready = checklist(story, assessment)
    return {"ready": ready, "hows": {one.how_id: one for one in hows(ready)}}


def _of_days(story: Story, now: datetime, words: Callable[[Text], str]) -> dict[str, Any]:
    return days_given(story, now, words) | {"told_line": words(helpwords.in_a_line(story))}


def _facts(story: Story, assessment: Assessment, asked: tuple[Question, ...]) -> list[Fact]:
    """List what decides the case: what is asked next, what was answered, and what else would turn it."""
    book = law_rules().book
    next_ones = [one.field.removeprefix("answers.") for one in asked]
    named = [*next_ones, *story.answers, *(one.fact for one in (*assessment.wanted, *assessment.risks))]
    return [
        Fact(name, book.facts[name].label, book.facts[name].meaning, str(story.answers.get(name, "")))
        for name in dict.fromkeys(named)
        if name in book.facts
    ]


def _figures(story: Story, asked: tuple[Question, ...]) -> list[Figure]:
    """List the figures that are asked for or were given; sums in yuan."""
    open_now = [one.field.removeprefix("amounts.") for one in asked if one.field.startswith("amounts.")]
    given = plain_of(story.amounts) | dict.fromkeys(
        story.unknown, "不知道" if story.language is Language.ZH else "unknown"
    )
    return [
        Figure(name, AMOUNTS[name], given.get(name, ""))
        for name in dict.fromkeys([*open_now, *given])
        if name in AMOUNTS
    ]


def china_minute(at: datetime, is_day: bool = False) -> str:  # noqa: FBT001, FBT002  a template's own call
    """Write a moment of China's time to the minute, or a day."""
    return f"{at.astimezone(CHINA):{'%Y-%m-%d' if is_day else '%Y-%m-%d %H:%M'}}"


handlers = [help_page, help_step, help_letter, help_letter_pdf, help_folder, help_calendar]
