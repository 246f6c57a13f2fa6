"""Texts and files that anybody hands in to have them checked: read within limits and forgotten.

Two pages show what was found. A file is read in a process of its own, of which few run at a time.
"""

import asyncio
from enum import StrEnum
from http import HTTPStatus
from typing import Final, NamedTuple

from kabao.adjudication.model import Text
from kabao.identity import Act
from kabao.kernel import Refusal, Refused
from kabao.terms import Document, Kind, Report
from kabao.terms.apart import BusyError, Checked, Part, UnreadablePartError, checked, ending
from kabao.web.http import (
    CHUNK,
    Form,
    Page,
    PageRequest,
    Visit,
    enter,
    is_large,
    is_own_form,
    read_form,
    same_origin,
    stale_page,
)

LONGEST: Final = 20_000
"""Characters of a pasted text; a longer one is sent as a file."""
LARGEST: Final = 2_000_000
"""Bytes of a file: a long agreement is 100 kB as a Word document and 1 MB as a PDF with its fonts."""
FORM_LIMIT: Final = 2 * LARGEST + CHUNK
"""Bytes of the form that is read: two files, two texts and the rest."""
BODY_LIMIT: Final = 16_000_000
"""Bytes that are let come and thrown away, so that a browser shows the answer to a file that is too large."""
NAME_SHOWN: Final = 60
TAKEN: Final = ".pdf,.docx,.html,.htm,.md,.txt"
TOO_OFTEN: Final = Refused(Refusal.TOO_MANY_TRIES)
"""What somebody hears who checks more than his limit lets him."""


class Problem(StrEnum):
    """Why what was handed in was not checked."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    TOO_LARGE = "too_large"
    UNREADABLE = "unreadable"
    TOO_OFTEN = "too_often"
    BUSY = "busy"


SENTENCES: Final = {
    Problem.EMPTY: Text("先贴文字，或者选一个文件。", "Paste a text or choose a file first."),
    Problem.TOO_LONG: Text(
        f"贴的文字最多 {LONGEST} 个字。更长的存成文件再选，或者分几次贴。",
        f"At most {LONGEST} characters can be pasted. Choose a longer text as a file, or paste it in parts.",
    ),
    Problem.TOO_LARGE: Text(
        f"文件最大 {LARGEST // 1_000_000} MB，没有看。删掉图片另存一份，或者把文字贴进来。",
        f"A file may have {LARGEST // 1_000_000} MB; it was not read. Save it without its pictures, or paste the text.",
    ),
    Problem.UNREADABLE: Text(
        "没有看成：{}。",
        "This file could not be read. It may be scanned pictures, locked by a password, damaged, too long or no text. "
        "Save it as an ordinary PDF, DOCX or text file, or paste the text.",
    ),
    Problem.TOO_OFTEN: Text(TOO_OFTEN.zh, TOO_OFTEN.en),
    Problem.BUSY: Text(
        "这会儿看文件的人多，没有轮到。过十几秒再交一次；贴文字不用等。",
        "Too many files are being read right now. Send it again in some seconds; a pasted text need not wait.",
    ),
}
STATUS: Final = {Problem.TOO_OFTEN: TOO_OFTEN.status, Problem.BUSY: HTTPStatus.SERVICE_UNAVAILABLE}
"""Of the answer; every other problem is one of the form (422)."""
RETRY_SECONDS: Final = 15


class Sent(NamedTuple):
    """One document as it was sent, its line ends counted once; of a file the name, where there was one."""

    kind: Kind
    text: str = ""
    name: str = ""
    content: bytes = b""


class Trouble(NamedTuple):
    """A problem, the field it belongs to (none: ""), and what the file's reading said."""

    problem: Problem
    field: str = ""
    why: str = ""

    def said(self) -> dict[str, Text]:
        """Say it beside its field."""
        sentence = SENTENCES[self.problem]
        return {self.field: Text(sentence.zh.format(self.why), sentence.en)}


class Pasted(NamedTuple):
    """What was sent, with what was found or the trouble (never both); a page asks for one document or for two."""

    visit: Visit
    sent: tuple[Sent, ...]
    checked: Checked | None = None
    trouble: Trouble | None = None

    @property
    def status(self) -> int:
        """The status the answer has."""
        return STATUS.get(self.trouble.problem, HTTPStatus.UNPROCESSABLE_ENTITY) if self.trouble else HTTPStatus.OK

    @property
    def report(self) -> Report | None:
        """What was found."""
        return self.checked.report if self.checked else None

    def answered(self, shown: Page) -> Page:
        """Tell a browser when to come back, and not to go on with a body that nobody reads."""
        if self.trouble and self.trouble.problem is Problem.BUSY:
            shown.headers["retry-after"] = str(RETRY_SECONDS)
        if self.trouble and not self.visit.form.typed():
            shown.headers["connection"] = "close"
        return shown


async def read_pasted(request: PageRequest, usual: tuple[Kind, ...]) -> Pasted | Page:
    """Check the documents of a form; `usual` are their kinds where none was chosen, one for each document.

    Answers with the page for a stale form where the form is not the visitor's own. A large body is read only of who may
    have a file read, which is told by his network before anything of it came.
    """
    visit = await enter(request)
    if is_large(request):
        if not same_origin(request):
            return stale_page(visit)
        if (unread := await _heavy(visit)) is not None:
            return await _without_body(Pasted(visit, tuple(Sent(kind) for kind in usual), trouble=unread))
    visit.form = await read_form(request)
    if not is_own_form(visit):
        return stale_page(visit)
    sent = tuple([await _sent(visit.form, number, kind) for number, kind in enumerate(usual)])
    found = _trouble(sent) or await _found(visit, [one for one in sent if one.content or one.text.strip()])
    kept = tuple(one._replace(text=one.text[:LONGEST]) for one in sent)
    return Pasted(visit, kept, trouble=found) if isinstance(found, Trouble) else Pasted(visit, kept, found)


async def _heavy(visit: Visit) -> Trouble | None:
    """Say why a large body is not read, before anything of it came."""
    if not await _may(visit, Act.READ_FILE):
        return Trouble(Problem.TOO_OFTEN)
    size = visit.request.content_length
    return Trouble(Problem.TOO_LARGE, "file") if size is None or size > FORM_LIMIT else None


def field_of(name: str, number: int) -> str:
    """Name a field of the document of a number: text, text2."""
    return f"{name}{number + 1}" if number else name


async def _may(visit: Visit, act: Act) -> bool:
    return await visit.services.identity.may(act, _who(visit))


def _who(visit: Visit) -> str:
    """Name whom limits count: the account, or of nobody in particular the network."""
    return "net:" + visit.visitor.network if visit.signed_in is None else str(visit.me.account_id)


async def _without_body(pasted: Pasted) -> Pasted:
    """Let a body come that a browser is sending, so that it shows the answer; one beyond all measure is cut off."""
    request = pasted.visit.request
    if request.content_length is not None and request.content_length <= BODY_LIMIT:
        async for _ in request.stream():
            pass
    return pasted


async def _sent(form: Form, number: int, usual: Kind) -> Sent:
    said = form.text(field_of("kind", number))
    kind = Kind(said) if said in set(Kind) else usual
    # A browser sends each line end as two characters; places are told in one.
    text = form.raw(field_of("text", number)).replace("\r\n", "\n")
    for upload in form.files(field_of("file", number))[:1]:
        content = await upload.read(LARGEST + 1)
        return Sent(kind, text, (upload.filename or "?")[-NAME_SHOWN:], content or b"\n")
    return Sent(kind, text)


def _trouble(sent: tuple[Sent, ...]) -> Trouble | None:
    for number, one in enumerate(sent):
        if len(one.content) > LARGEST:
            return Trouble(Problem.TOO_LARGE, field_of("file", number))
        if not one.content and len(one.text) > LONGEST:
            # Spaces alone are no text, however many.
            return Trouble(Problem.TOO_LONG if one.text.strip() else Problem.EMPTY, field_of("text", number))
    return None if sent[0].content or sent[0].text.strip() else Trouble(Problem.EMPTY, "text")


async def _found(visit: Visit, sent: list[Sent]) -> Checked | Trouble:
    has_files = any(one.content for one in sent)
    is_counted = is_large(visit.request)
    if not is_counted and not await _may(visit, Act.READ_FILE if has_files else Act.CHECK_TERMS):
        return Trouble(Problem.TOO_OFTEN)
    if not has_files:
        return await asyncio.to_thread(checked, [Document(one.text, one.kind) for one in sent])
    parts = [
        Part(one.kind, content=one.content, form=ending(one.name)) if one.content else Part(one.kind, one.text)
        for one in sent
    ]
    try:
        return await visit.services.readers.check(parts, _who(visit))
    except BusyError:
        return Trouble(Problem.BUSY)
    except UnreadablePartError as error:
        number = error.document
        return Trouble(Problem.UNREADABLE, "" if number is None else field_of("file", number), str(error))
