"""Read and check files that a stranger uploaded in a process of its own: little memory, little time, no secrets.

A PDF or an archive can be made so that reading it takes a machine's memory or never ends; here only that process dies.
Long texts are checked there as well, so that nobody else waits for them. Nothing is written anywhere.
"""

import asyncio
import contextlib
import os
import re
import resource
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from typing import Final, NamedTuple

import msgspec

from kabao.terms.check import Document, check
from kabao.terms.model import Finding, FindingClass, Kind, Report
from kabao.terms.reading import Content, UnreadableError, read_file

START: Final = "from kabao.terms.apart import serve; serve()"
ENDING: Final = re.compile(r"\.([a-z0-9]{1,8})$")
LARGEST_QUESTION: Final = 24_000_000
"""Bytes of all documents together; who asks holds a smaller limit of his own."""
LARGEST_ANSWER: Final = 8_000_000
LONGEST_TEXT: Final = 200_000
"""Characters of one document that are checked here; a long agreement has 50,000."""
MOST_FOUND: Final = 200
"""Findings of a text that are told; one that has more is mended and read again."""
OPEN_FILES: Final = 64
ENVIRONMENT: Final = {"OPENBLAS_NUM_THREADS": "1"}
"""All that the process knows of the server's; it may start no thread, so its libraries are told not to want any."""
TOO_MUCH: Final = "读这个文件要用的内存或时间超过了上限，没有读完；请另存为普通的 PDF、DOCX 或文字文件，或者直接贴文字"
TOO_LONG: Final = "文字有 {} 个，这里一份最多看 {} 个；请分成几份，或者用命令行 kabao terms check"


class Limits(NamedTuple):
    """What the process may use: bytes of address space, and seconds of a core; twice the seconds by the clock."""

    memory: int = 768_000_000
    seconds: int = 10


DEFAULTS: Final = Limits()


class Part(msgspec.Struct, frozen=True):
    """A document as it was sent: the bytes of a file with its name's ending, or a text that was pasted."""

    kind: Kind
    text: str = ""
    content: bytes = b""
    form: str = ""


class Checked(msgspec.Struct, frozen=True):
    """Documents as they were read, and the first of what was found in them; `found` and `fine` count everything."""

    texts: tuple[str, ...]
    report: Report
    found: int
    fine: int


class Answer(msgspec.Struct, frozen=True):
    """What the process says: what it found, or why it could not read the document of a number."""

    checked: Checked | None = None
    refused: str = ""
    document: int = 0


class UnreadablePartError(UnreadableError):
    """One of several documents cannot be checked; `document` is its number, None where that is not known."""

    def __init__(self, why: str, document: int | None) -> None:
        super().__init__(why)
        self.document = document


class BusyError(Exception):
    """As many files are being read as may be at a time, and enough people wait already."""


class Readers:
    """Lets a few strangers' files be read at a time; some more wait a little, everybody else is asked to come back.

    Nobody has two of his files here, read or waiting, so that one who sends slow ones takes one place and not all.
    """

    def __init__(self, places: int = 2, waiting: int = 6, patience: float = 10.0) -> None:
        self._places = asyncio.Semaphore(places)
        self._room = waiting
        self._patience = patience
        self._present: set[str] = set()

    async def check(self, parts: Sequence[Part], who: str, limits: Limits = DEFAULTS) -> Checked:
        """Check documents of somebody in a process of their own; raises BusyError, or UnreadablePartError."""
        async with self.place(who):
            return await check_apart(parts, limits)

    @contextlib.asynccontextmanager
    async def place(self, who: str) -> AsyncIterator[None]:
        """Hold one of the places for somebody; raises BusyError."""
        if who in self._present:
            raise BusyError
        self._present.add(who)
        try:
            async with self._held():
                yield
        finally:
            self._present.discard(who)

    @contextlib.asynccontextmanager
    async def _held(self) -> AsyncIterator[None]:
        if self._places.locked() and self._room <= 0:
            raise BusyError
        self._room -= 1
        try:
            async with asyncio.timeout(self._patience):
                await self._places.acquire()
        except TimeoutError:
            raise BusyError from None
        finally:
            self._room += 1
        try:
            yield
        finally:
            self._places.release()


async def check_apart(parts: Sequence[Part], limits: Limits = DEFAULTS) -> Checked:
    """Check documents together as ``check`` does; raises UnreadablePartError, also where a limit was met.

    Every call may use ``limits.memory``: see ``Readers`` for how many run at the same time.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-I", "-c", START, str(limits.memory), str(limits.seconds)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=ENVIRONMENT,
        cwd="/",
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(2 * limits.seconds):
            said = await _exchange(process, msgspec.msgpack.encode(list(parts)))
    except TimeoutError:
        raise UnreadablePartError(TOO_MUCH, None) from None
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # and whatever it may have started
        await process.wait()
    return heard(said, len(parts))


async def _exchange(process: asyncio.subprocess.Process, question: bytes) -> bytes:
    """Send a question and hear the answer out, though the process may end before it has read everything."""
    asked, answering = process.stdin, process.stdout
    if asked is None or answering is None:
        raise RuntimeError("the process was started without its pipes")
    with contextlib.suppress(ConnectionError):
        asked.write(question)
        await asked.drain()
    asked.close()
    said = bytearray()
    while len(said) <= LARGEST_ANSWER and (piece := await answering.read(1 << 16)):
        said += piece
    if len(said) <= LARGEST_ANSWER:
        await process.wait()
    return bytes(said)


def ending(name: str) -> str:
    """Return what a file's name ends in, the only part of it that reading needs."""
    found = ENDING.search(name.lower())
    return found[1] if found else ""


def heard(said: bytes, documents: int) -> Checked:
    """Return what a process answered; one that died, or said what is no answer, met a limit."""
    try:
        answer = msgspec.msgpack.decode(said, type=Answer)
    except (msgspec.DecodeError, msgspec.ValidationError):
        raise UnreadablePartError(TOO_MUCH, None) from None
    if answer.refused:
        raise UnreadablePartError(answer.refused, answer.document)
    if answer.checked is None or len(answer.checked.texts) != documents:
        raise UnreadablePartError(TOO_MUCH, None)
    return answer.checked


def answered(question: bytes) -> bytes:
    """Read and check the documents that a question holds, and return the answer."""
    documents: list[Document] = []
    try:
        for part in msgspec.msgpack.decode(question, type=list[Part]):
            documents.append(_read(part))  # noqa: PERF401  how many were read tells which one was not
        answer = Answer(checked(documents))
    except UnreadableError as error:
        answer = Answer(refused=str(error), document=len(documents))
    except MemoryError:
        answer = Answer(refused=TOO_MUCH, document=len(documents))
    return msgspec.msgpack.encode(answer)


def _read(part: Part) -> Document:
    content = read_file(part.content, f"x.{part.form}") if part.content else Content(part.text, "text")
    if len(content.text) > LONGEST_TEXT:
        raise UnreadableError(TOO_LONG.format(len(content.text), LONGEST_TEXT))
    return Document(content.text, part.kind, wrapped=content.wrapped)


def checked(documents: Sequence[Document]) -> Checked:
    """Check texts that their authors do not judge, and keep the first findings, contradictions between texts before."""
    report = check(documents, waivers=False)
    return Checked(
        texts=tuple(document.text for document in documents),
        report=msgspec.structs.replace(
            report,
            findings=tuple(sorted(report.findings, key=lambda one: not is_between(one))[:MOST_FOUND]),
            fine=report.fine[:MOST_FOUND],
        ),
        found=len(report.findings),
        fine=len(report.fine),
    )


def is_between(finding: Finding) -> bool:
    """Whether a finding is a contradiction between two documents."""
    return finding.kind is FindingClass.CONFLICT and any(spot.document != finding.document for spot in finding.other)


def serve() -> None:
    """Be the process: give up what is not needed, answer one question, end."""
    memory, seconds = int(sys.argv[1]), int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    sys.stdout.buffer.write(answered(sys.stdin.buffer.read(LARGEST_QUESTION)))
