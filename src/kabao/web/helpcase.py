"""One saved case: its files as evidence, the pack and the folder, what was sent and answered, and how it ended."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response import Stream

from kabao.adjudication.model import Text
from kabao.helpcases import CaseView
from kabao.helpcases.folders import pack_folder, zip_folder
from kabao.helpcases.model import LARGEST_BODY
from kabao.helpcases.rules import described, state_of, with_answer, with_letter
from kabao.identity import Act
from kabao.kernel import Refusal, Refused
from kabao.selfhelp import Assessment, CheckItem, Ending, EndKind, EvidenceItem, Kind, Moment, Story, To
from kabao.selfhelp.assessing import assess
from kabao.selfhelp.blanks import blanks_in
from kabao.selfhelp.book import law_rules
from kabao.selfhelp.checklist import checklist, kinds_of
from kabao.selfhelp.commands import next_rung
from kabao.selfhelp.pack import PackNotMadeError
from kabao.selfhelp.packpaper import ENDINGS, KINDS
from kabao.selfhelp.questions import questions
from kabao.selfhelp.rules import faults
from kabao.web import helpwords
from kabao.web.files import download, file_headers, take_files
from kabao.web.helpdays import days_given
from kabao.web.helpforms import SUMMARY, Fields
from kabao.web.helpme import china_minute
from kabao.web.helppapers import Shown, named_file, show_letter
from kabao.web.helpsaved import HERE, context_of, own_case, path_of
from kabao.web.helpwords import FOLDER, PACK
from kabao.web.http import CHUNK, HEADERS, Page, PageRequest, Visit, page, redirect, refusal_page
from kabao.web.words import HELP_NOTED, HELP_SAVED, size_text

BACK: Final = "回到这件维权"
DAYS_SHOWN: Final = 8
MOST_SHOWN_FACTS: Final = 12
NO_FILES: Final = Text("选一个文件。", "Choose a file.")
OTHERS: Final = Text("别的", "Something else")
NOT_YET: Final = Text("这个时间还没到。", "This time has not come yet.")
NO_LETTER: Final = Text("这封信现在还写不出来。", "This letter cannot be written now.")
STILL_BLANK: Final = Text(
    "信里还有没填的：{}。先去填好；发之前自己填了，或者就是这样发的，勾上再记。",
    "Still blank in the letter: {}. Fill it in first; if you did so before sending, or sent it as it is, tick this.",
)
ENDING_FIELDS: Final = {"ending.at": "ended", "ending.amount": "got"}
CLOSED: Final = Text("这件已经结束。", "This case is closed.")


class Kept(NamedTuple):
    """An item of evidence as the page lists it."""

    number: int
    file_id: int
    item: EvidenceItem
    shows: tuple[str, ...]


@get(f"{HERE}/{{case:int}}")
async def case_page(request: PageRequest, case: FromPath[int]) -> Page:
    """Show a saved case."""
    found = await own_case(request, case)
    return await asyncio.to_thread(show_case, *found) if isinstance(found, tuple) else found


def show_case(visit: Visit, view: CaseView, errors: Mapping[str, Text] | None = None, *, status: int = 200) -> Page:
    """Show a case with what comes next; `errors` by field, and what was typed stays."""
    story, now = view.story, visit.now
    found = assess(story, law_rules(), now)
    context = context_of(view)
    words: Callable[[Text], str] = context["words"]
    open_now = questions(story, law_rules(), now) if story.claim else ()
    ready = checklist(story, found)
    rung = next_rung(story, found, now)
    return page(
        "help_case.html",
        visit,
        status=status,
        **context,
        result=found,
        is_closed=story.ending is not None,
        state=state_of(story).value,
        way=words(helpwords.PATHS[found.path]),
        is_open=bool(open_now) or not story.claim,
        next_to=words(helpwords.ADDRESSEES[rung.to]) if rung.to else "",
        wait_until=china_minute(rung.wait_until) if rung.wait_until else "",
        most_days=DAYS_SHOWN,
        **days_given(story, now, words),
        ready=ready,
        kinds=_kinds(ready, words),
        kept=_kept(view),
        size_text=size_text,
        facts=[(name, words(law_rules().book.facts[name].label)) for name in _facts(story, found)],
        letters=[(to.value, words(helpwords.ADDRESSEES[to])) for to in found.letters],
        addressees={to: words(text) for to, text in helpwords.ADDRESSEES.items()},
        ends=[(kind.value, words(text)) for kind, text in ENDINGS.items()],
        minute=china_minute,
        typed=visit.form.text,
        ticked=visit.form.every,
        errors={name: words(said) for name, said in (errors or {}).items()},
    )


def _kept(view: CaseView) -> list[Kept]:
    labels = law_rules().book.facts
    return [
        Kept(number, view.case.files[one.file], one, tuple(one.shows))
        for number, one in enumerate(view.story.evidence, 1)
        if one.file in view.case.files and all(name in labels for name in one.shows)
    ]


def _kinds(ready: Iterable[CheckItem], words: Callable[[Text], str]) -> list[tuple[str, list[tuple[str, str]]]]:
    """List what a file may be under the line of the checklist it belongs to, each once; the rest at the end."""
    known, left = law_rules().book.evidence_kinds, list(Kind)
    groups = []
    for title, wanted in [*((one.title, kinds_of(one.check_id)) for one in ready), (OTHERS, tuple(Kind))]:
        fitting = [kind for kind in wanted if kind in left]
        left = [kind for kind in left if kind not in fitting]
        if fitting:
            named = [(kind.value, words(KINDS.get(kind, known[kind.value].label))) for kind in fitting]
            groups.append((words(title), named))
    return groups


def _facts(story: Story, found: Assessment) -> list[str]:
    """Name the facts that a file may show: what was answered, what is still to be shown, what files show already."""
    shown = [name for item in story.evidence for name in item.shows]
    named = [*story.answers, *(one.fact for one in found.wanted), *shown]
    return [name for name in dict.fromkeys(named) if name in law_rules().book.facts][: MOST_SHOWN_FACTS + len(shown)]


# ---- files


@post(f"{HERE}/{{case:int}}/files", status_code=200, request_max_body_size=LARGEST_BODY)
async def add_files(request: PageRequest, case: FromPath[int]) -> Page:
    """Take files as evidence, hung to a line of the checklist and to the facts they are said to show."""
    found = await own_case(request, case, is_step=True)
    if not isinstance(found, tuple):
        return found
    visit, view = found
    if not await visit.services.identity.may(Act.GIVE_FILE, visit.me.account_id):
        return refusal_page(visit, Refused(Refusal.TOO_MANY_TRIES), back=path_of(view), link=BACK)
    fields = Fields(visit.form)
    kind = fields.choice("kind", Kind, needed=True)
    chosen = [file for file in visit.form.files("files") if file.filename]
    if kind is None or not chosen:
        errors = fields.errors
        return await asyncio.to_thread(
            show_case, visit, view, errors | ({} if chosen else {"files": NO_FILES}), status=422
        )
    shows = _named_facts(visit)

    async def keep(name: str, stream: AsyncIterator[bytes]) -> CaseView | Refused:
        files = visit.services.help_files
        return await files.add(visit.me.account_id, view.case_id, name, stream, kind=kind, shows=shows)

    left = await take_files(chosen, keep)
    return redirect(f"{path_of(view)}#h-files", flash=HELP_SAVED if not left else HELP_NOTED, visit=visit, left=left)


@post(f"{HERE}/{{case:int}}/files/{{file:int}}", status_code=200)
async def describe_file(request: PageRequest, case: FromPath[int], file: FromPath[int]) -> Page:
    """Say anew what a file shows and whether its original goes into the pack."""
    found = await own_case(request, case, is_step=True)
    if not isinstance(found, tuple):
        return found
    visit, view = found
    shows, include = _named_facts(visit), visit.form.ticked("include")
    changed = await visit.services.help_cases.change(
        visit.me.account_id, view.case_id, lambda held: described(held, file, shows=shows, include=include)
    )
    return _noted(visit, view, changed, "#h-files")


@post(f"{HERE}/{{case:int}}/files/{{file:int}}/remove", status_code=200)
async def remove_file(request: PageRequest, case: FromPath[int], file: FromPath[int]) -> Page:
    """Take a file out and remove its bytes."""
    found = await own_case(request, case, is_step=True)
    if not isinstance(found, tuple):
        return found
    visit, view = found
    changed = await visit.services.help_files.remove(visit.me.account_id, view.case_id, file)
    return _noted(visit, view, changed, "#h-files")


@get(f"{HERE}/{{case:int}}/files/{{file:int}}")
async def give_file(request: PageRequest, case: FromPath[int], file: FromPath[int]) -> Page:
    """Give a file back byte for byte, as a download."""
    found = await own_case(request, case)
    if not isinstance(found, tuple):
        return found
    visit, view = found
    read = await visit.services.help_files.read(visit.me.account_id, view.case_id, file)
    if isinstance(read, Refused):
        return refusal_page(visit, read, back=path_of(view), link=BACK)
    item, pieces = read
    headers = file_headers(item.media_type, item.file.rpartition("/")[2], inline=False)
    return Stream(pieces, media_type=item.media_type, headers=headers | {"content-length": str(item.size)})


@get(f"{HERE}/{{case:int}}/files/{{file:int}}/view")
async def view_file(request: PageRequest, case: FromPath[int], file: FromPath[int]) -> Page:
    """Show a picture, or the beginning of a text."""
    found = await own_case(request, case)
    if not isinstance(found, tuple):
        return found
    visit, view = found
    if not await visit.services.identity.may(Act.HELP, visit.me.account_id):
        return refusal_page(visit, Refused(Refusal.TOO_MANY_TRIES), back=path_of(view), link=BACK)
    seen = await visit.services.help_files.look(visit.me.account_id, view.case_id, file)
    if isinstance(seen, Refused):
        return refusal_page(visit, seen, back=path_of(view), link=BACK)
    media_type, content = seen
    return download(content, media_type=media_type, name="preview", inline=True)


def _named_facts(visit: Visit) -> tuple[str, ...]:
    known = law_rules().book.facts
    return tuple(dict.fromkeys(name for name in visit.form.every("shows")[:100] if name in known))


# ---- pack and folder


@post(f"{HERE}/{{case:int}}/pack.zip", status_code=200)
async def give_pack(request: PageRequest, case: FromPath[int]) -> Page:
    """Give the pack, made as `kabao selfhelp pack` makes it."""
    return await _made(request, case, pack_folder, PACK, "kabao-pack.zip")


@post(f"{HERE}/{{case:int}}/folder.zip", status_code=200)
async def give_folder(request: PageRequest, case: FromPath[int]) -> Page:
    """Give the folder that the command line goes on with, and this site takes back."""
    return await _made(request, case, zip_folder, FOLDER, "kabao-case.zip")


async def _made(
    request: PageRequest, case: int, make: Callable[[CaseView, Path, Path, datetime], object], what: Text, plain: str
) -> Page:
    found = await own_case(request, case, is_step=True)
    if not isinstance(found, tuple):
        return found
    visit, view = found
    if not await visit.services.identity.may(Act.MAKE_PACK, visit.me.account_id):
        return refusal_page(visit, Refused(Refusal.TOO_MANY_TRIES), back=path_of(view), link=BACK)
    try:
        made = await visit.services.help_files.made_of(visit.me.account_id, view.case_id, make)
    except PackNotMadeError as error:
        return await asyncio.to_thread(show_case, visit, view, {"": error.text}, status=409)
    if isinstance(made, Refused):
        return refusal_page(visit, made, back=HERE, link="回到我的维权")
    _, opened = made
    name = named_file(view.story, what, plain, visit.now)
    headers = {"cache-control": "no-store", "content-disposition": name}
    return Stream(_pieces(opened), media_type="application/zip", headers=HEADERS | headers)


async def _pieces(opened: BinaryIO) -> AsyncIterator[bytes]:
    with opened:
        while piece := await asyncio.to_thread(opened.read, CHUNK):
            yield piece


# ---- letters sent, answers, the ending


@post(f"{HERE}/{{case:int}}/letters", status_code=200)
async def note_letter(request: PageRequest, case: FromPath[int]) -> Page:
    """Note a letter as sent, with its text as it stands now."""
    found = await own_case(request, case, is_step=True)
    if not isinstance(found, tuple):
        return found
    visit, view = found
    fields = Fields(visit.form)
    to, sent = fields.choice("to", To, needed=True), _past(fields, visit, "sent")
    shown = None
    if to is not None and sent is not None and not fields.errors:
        assessment = await asyncio.to_thread(assess, view.story, law_rules(), sent.at)
        shown = show_letter(view.case.state, assessment, to, sent.at) if to in assessment.letters else None
        if not isinstance(shown, Shown):
            fields.errors["to"] = NO_LETTER
        elif (left := blanks_in(shown.body)) and not visit.form.ticked("blank"):
            named = "".join(f"【{one}】" for one in left)
            fields.errors["blank"] = Text(STILL_BLANK.zh.format(named), STILL_BLANK.en.format(named))
    if view.story.ending is not None:
        fields.errors["to"] = CLOSED
    if to is None or sent is None or fields.errors or not isinstance(shown, Shown):
        return await asyncio.to_thread(show_case, visit, view, fields.errors, status=422)
    text, due = f"{shown.letter.title}\n\n{shown.body}\n", shown.letter.due
    changed = await visit.services.help_cases.change(
        visit.me.account_id, view.case_id, lambda held: with_letter(held, to, sent, due, text)
    )
    return _noted(visit, view, changed, "#h-log")


@post(f"{HERE}/{{case:int}}/letters/{{number:int}}", status_code=200)
async def note_answer(request: PageRequest, case: FromPath[int], number: FromPath[int]) -> Page:
    """Note what was answered to a letter, and when."""
    found = await own_case(request, case, is_step=True)
    if not isinstance(found, tuple):
        return found
    visit, view = found
    fields = Fields(visit.form)
    at, answer = _past(fields, visit, f"answered{number}"), fields.words(f"answer{number}", SUMMARY, needed=True)
    if at is None or fields.errors:
        return await asyncio.to_thread(show_case, visit, view, fields.errors, status=422)
    settled = visit.form.ticked(f"settled{number}")
    changed = await visit.services.help_cases.change(
        visit.me.account_id, view.case_id, lambda held: with_answer(held, number, at, answer, settled=settled)
    )
    return _noted(visit, view, changed, "#h-log")


@post(f"{HERE}/{{case:int}}/close", status_code=200)
async def close_case(request: PageRequest, case: FromPath[int]) -> Page:
    """Close a case with how it ended."""
    found = await own_case(request, case, is_step=True)
    if not isinstance(found, tuple):
        return found
    visit, view = found
    fields = Fields(visit.form)
    kind, at, amount = (
        fields.choice("ending", EndKind, needed=True),
        _past(fields, visit, "ended"),
        fields.amount("got"),
    )
    ending = None
    if kind is not None and at is not None:
        ending = Ending(kind=kind, at=at, amount=amount, public=visit.form.ticked("public"))
        ended = msgspec.structs.replace(view.story, ending=ending)
        for fault in faults(ended, visit.now):
            if fault.places[0] in ENDING_FIELDS:
                fields.errors.setdefault(ENDING_FIELDS[fault.places[0]], fault.text)
    if ending is None or fields.errors:
        return await asyncio.to_thread(show_case, visit, view, fields.errors, status=422)
    changed = await visit.services.help_cases.end(visit.me.account_id, view.case_id, ending)
    return _noted(visit, view, changed, "#h-end")


@post(f"{HERE}/{{case:int}}/reopen", status_code=200)
async def reopen_case(request: PageRequest, case: FromPath[int]) -> Page:
    """Open a closed case again."""
    found = await own_case(request, case, is_step=True)
    if not isinstance(found, tuple):
        return found
    visit, view = found
    changed = await visit.services.help_cases.end(visit.me.account_id, view.case_id, None)
    return _noted(visit, view, changed, "")


def _past(fields: Fields, visit: Visit, name: str) -> Moment | None:
    """Read a time that has come."""
    moment = fields.moment(name, needed=True)
    if moment is not None and moment.at > visit.now:
        fields.errors[name] = NOT_YET
    return moment


def _noted(visit: Visit, view: CaseView, changed: CaseView | Refused, place: str) -> Page:
    if isinstance(changed, Refused):
        return refusal_page(visit, changed, back=path_of(view), link=BACK)
    return redirect(f"{path_of(view)}{place}", flash=HELP_NOTED, visit=visit)


handlers = [
    case_page, add_files, describe_file, remove_file, give_file, view_file, give_pack, give_folder, note_letter,
    note_answer, close_case, reopen_case,
]  # fmt: skip
