"""Saved cases of self-help: saved on a click, listed, gone on with by link, brought as a folder, deleted for good.

A case is its owner's alone; to everybody else it is not there.
"""

import asyncio
import secrets
from collections.abc import Mapping
from typing import Any, BinaryIO, Final, cast

import msgspec
from litestar import get, post
from litestar.params import FromPath

from kabao.adjudication.model import Text
from kabao.helpcases import CaseState, CaseView, HelpState
from kabao.helpcases.folders import Brought
from kabao.helpcases.model import LARGEST_BODY
from kabao.helpcases.rules import fresh, state_of
from kabao.identity import Act
from kabao.kernel import Refusal, Refused
from kabao.selfhelp import Language
from kabao.selfhelp.folder import SEED_SIZE
from kabao.selfhelp.storyfile import UnreadableCaseError, Wrong
from kabao.web import helpforms
from kabao.web.helpkept import carried
from kabao.web.helpme import Came, Step, came_with, named_step, show_step, take_step, wanted_step
from kabao.web.helpstate import seal_state
from kabao.web.http import (
    KEPT_LIMIT,
    Form,
    Page,
    PageRequest,
    Visit,
    ask_to_sign_in,
    page,
    posted,
    redirect,
    refusal_page,
    signed,
)
from kabao.web.words import HELP_DELETED, HELP_SAVED

HERE: Final = "/help-me/cases"
LARGEST_ID: Final = 2**63 - 1
STATES: Final = {
    CaseState.DRAFT: (Text("还没发信", "No letter sent yet"), "warn"),
    CaseState.ONGOING: (Text("进行中", "Under way"), "info"),
    CaseState.CLOSED: (Text("已结束", "Closed"), "ok"),
}
TOO_MUCH_TO_SIGN_IN: Final = Text(
    "内容太多，带不过登录这一步。先在最后一步下载文件夹，登录以后到「我的维权」导入。",
    "This is too much to carry through signing in. Download the folder at the last step, sign in, and import it.",
)
BY_COMMAND: Final = Text(
    "网站上的步骤带不动这么多内容。下载文件夹，用 kabao selfhelp 接着做；证据、信和证据包在这里照常能用。",
    "The steps on this site cannot carry so much. Go on with kabao selfhelp; files and the pack work here as ever.",
)
NO_FILE: Final = "选一个 zip 文件。"
MOST_WRONGS: Final = 30
"""Mistakes that are listed at once."""


@post(HERE, status_code=200)
async def save_case(request: PageRequest) -> Page:
    """Save what the steps hold as a new case; who is not signed in is asked to, and what he told comes along."""
    came = await came_with(request)
    if not isinstance(came, Came):
        return came
    visit, state = came
    step = named_step(visit.form.text("step"))
    if step is not None:
        done = await take_step(visit, state, step)
        if done.state is None or done.errors:
            return await asyncio.to_thread(show_step, visit, done.state or state, step, errors=done.errors)
        state = done.state
    if visit.signed_in is None:
        return await _after_sign_in(visit, state, step)
    saved = await visit.services.help_cases.save(visit.me.account_id, fresh(state, secrets.token_bytes(SEED_SIZE)))
    if isinstance(saved, Refused):
        said = {"": Text(saved.zh, saved.en)}
        return await asyncio.to_thread(show_step, visit, state, step or Step.START, errors=said)
    return redirect(path_of(saved), flash=HELP_SAVED, visit=visit)


async def _after_sign_in(visit: Visit, state: HelpState, step: Step | None) -> Page:
    sealed = seal_state(msgspec.structs.replace(state, saved=None), visit.services.form_key, visit.now) or ""
    if not 0 < len(sealed) < KEPT_LIMIT - 1024:
        return await asyncio.to_thread(show_step, visit, state, step or Step.START, errors={"": TOO_MUCH_TO_SIGN_IN})
    visit.form = Form([("state", sealed), ("lang", state.story.language.value)])
    return ask_to_sign_in(visit)


@get(HERE)
async def list_cases(request: PageRequest) -> Page:
    """Show a person's saved cases."""
    visit = await signed(request)
    return await _list(visit) if isinstance(visit, Visit) else visit


async def _list(visit: Visit, *, wrongs: tuple[Wrong, ...] = (), said: str = "", status: int = 200) -> Page:
    views = await visit.services.help_cases.cases(visit.me.account_id)
    return page(
        "help_cases.html",
        visit,
        status=status,
        views=[(view, *_state(view)) for view in views],
        wrongs=wrongs[:MOST_WRONGS],
        errors={"file": said} if said else {},
    )


def _state(view: CaseView) -> tuple[str, str]:
    words, kind = STATES[state_of(view.story)]
    return words.zh, kind


@post(f"{HERE}/import", status_code=200, request_max_body_size=LARGEST_BODY)
async def import_case(request: PageRequest) -> Page:
    """Save the case of a folder that `kabao selfhelp` or this site made, zipped."""
    visit = await posted(request)
    if not isinstance(visit, Visit):
        return visit
    if not await visit.services.identity.may(Act.GIVE_FILE, visit.me.account_id):
        return refusal_page(visit, Refused(Refusal.TOO_MANY_TRIES), back=HERE, link="回到我的维权")
    chosen = [file for file in visit.form.files("file") if file.filename]
    if not chosen:
        return await _list(visit, said=NO_FILE, status=422)

    def beyond_here(brought: Brought) -> tuple[Wrong, ...]:
        fits = seal_state(brought.case.state, visit.services.form_key, visit.now) is not None
        return beyond(brought) or (() if fits else (Wrong("case.yaml", 1, BY_COMMAND),))

    try:
        brought = cast("BinaryIO", chosen[0].file)
        saved = await visit.services.help_files.bring(visit.me.account_id, brought, beyond_here)
    except UnreadableCaseError as error:
        return await _list(visit, wrongs=error.wrongs, said="这个文件夹读不了，下面写了是哪里。", status=422)
    if isinstance(saved, Refused):
        return await _list(visit, said=saved.zh, status=saved.status)
    return redirect(path_of(saved), flash=HELP_SAVED, visit=visit)


def beyond(brought: Brought) -> tuple[Wrong, ...]:
    """Say what of a folder the steps on the site have no room for, so that none of it is cut off later."""
    story = brought.case.state.story
    pasted = sum(len(one.text) for one in story.chats) + sum(len(one.text) for one in story.terms)
    measured = (
        (len(story.events), helpforms.EVENTS, "经过", "events"),
        (len(story.secrets), helpforms.SECRETS, "要遮住的卡密", "secrets"),
        (len(story.terms), helpforms.TEXTS, "规则", "terms"),
        (len(story.clauses), helpforms.TEXTS, "有时限的规则", "clauses"),
        (pasted, helpforms.PASTED, "聊天和规则的字数", "characters of chats and terms"),
        (len(story.summary), helpforms.SUMMARY, "概述的字数", "characters of the summary"),
        (len(story.title), helpforms.NAME, "商品名的字数", "characters of the title"),
    )
    return tuple(
        Wrong("case.yaml", 1, Text(f"网站上{zh}最多 {most}，这里有 {found}", f"at most {most} {en} here, not {found}"))
        for found, most, zh, en in measured
        if found > most
    )


@get(f"{HERE}/{{case:int}}/at/{{step:str}}")
async def case_step(request: PageRequest, case: FromPath[int], step: FromPath[str]) -> Page:
    """Go on with a saved case at a step."""
    found = await own_case(request, case)
    if not isinstance(found, tuple):
        return found
    visit, view = found
    state = carried(view)
    if seal_state(state, visit.services.form_key, visit.now) is None:
        refused = Refused(Refusal.HELP_CASE_TOO_LARGE, {"": BY_COMMAND.zh})
        return refusal_page(visit, refused, back=path_of(view), link="回到这件维权")
    return await asyncio.to_thread(show_step, visit, state, wanted_step(Step.START, step, state.story))


@get(f"{HERE}/{{case:int}}/delete")
async def ask_delete(request: PageRequest, case: FromPath[int]) -> Page:
    """Ask before a case is deleted for good."""
    found = await own_case(request, case)
    if not isinstance(found, tuple):
        return found
    visit, view = found
    return page("help_delete.html", visit, **context_of(view))


@post(f"{HERE}/{{case:int}}/delete", status_code=200)
async def delete_case(request: PageRequest, case: FromPath[int]) -> Page:
    """Delete a case for good, its key first."""
    found = await own_case(request, case, is_step=True)
    if not isinstance(found, tuple):
        return found
    visit, view = found
    await visit.services.help_cases.delete(visit.me.account_id, view.case_id)
    return redirect(HERE, flash=HELP_DELETED, visit=visit)


async def own_case(request: PageRequest, case: int, *, is_step: bool = False) -> tuple[Visit, CaseView] | Page:
    """Let the owner of a case in, for a step with his form; to everybody else the case is not there."""
    visit = await (posted(request) if is_step else signed(request))
    if not isinstance(visit, Visit):
        return visit
    if is_step and not await visit.services.identity.may(Act.HELP, visit.me.account_id):
        return refusal_page(visit, Refused(Refusal.TOO_MANY_TRIES), back=HERE, link="回到我的维权")
    there = 0 < case <= LARGEST_ID
    view = await visit.services.help_cases.find(visit.me.account_id, case) if there else Refused(Refusal.NOT_FOUND)
    if isinstance(view, Refused):
        return refusal_page(visit, view, back=HERE, link="回到我的维权")
    return visit, view


def path_of(view: CaseView) -> str:
    """Where a saved case stands."""
    return f"{HERE}/{view.case_id}"


def context_of(view: CaseView) -> Mapping[str, Any]:
    """Give what every page of a saved case shows, in its language."""
    is_en = view.story.language is Language.EN
    said, kind = STATES[state_of(view.story)]
    return {
        "view": view,
        "story": view.story,
        "path": path_of(view),
        "lang": "en" if is_en else "zh",
        "t": lambda zh, en: en if is_en else zh,
        "words": lambda text: text.en if is_en else text.zh,
        "state_words": said.en if is_en else said.zh,
        "state_kind": kind,
        "optional_mark": " (optional)" if is_en else "（选填）",
        "errsum_words": ("%d to change", "This step was not taken") if is_en else ("还有 %d 处要改", "这一步没有完成"),
    }


handlers = [save_case, list_cases, import_case, case_step, ask_delete, delete_case]
