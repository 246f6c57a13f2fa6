"""Read a file that a stranger uploaded in a process of its own, which has little memory, little time and no secrets.

A PDF or an archive can be made so that reading it takes a machine's memory or never ends; here only that process dies.
"""

import asyncio
import contextlib
import re
import resource
import sys
from typing import Final, NamedTuple

import msgspec

from kabao.terms.reading import LARGEST_FILE, LARGEST_TEXT, Content, UnreadableError, read_file

START: Final = "from kabao.terms.apart import serve; serve()"
ENDING: Final = re.compile(r"\.([a-z0-9]{1,8})$")
LARGEST_ANSWER: Final = 7 * LARGEST_TEXT
"""Bytes of an answer: a character is at most six in JSON."""
OPEN_FILES: Final = 64
TOO_MUCH: Final = "读这个文件要用的内存或时间超过了上限，没有读完；请另存为普通的 PDF、DOCX 或文字文件，或者直接贴文字"


class Limits(NamedTuple):
    """What the process may use: bytes of address space, and seconds of a core; twice the seconds by the clock."""

    memory: int = 768_000_000
    seconds: int = 10


DEFAULTS: Final = Limits()


class Answer(msgspec.Struct):
    """What the process says: the text, or why there is none."""

    text: str = ""
    form: str = ""
    wrapped: bool = False
    refused: str = ""


async def read_apart(content: bytes, name: str = "", limits: Limits = DEFAULTS) -> Content:
    """Return the text of an uploaded file as ``read_file`` does; raises UnreadableError, also where a limit was met.

    Every call may use ``limits.memory``: the caller says how many run at the same time.
    """
    if len(content) > LARGEST_FILE:
        return read_file(content)  # which refuses it before it looks inside
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-I", "-c", START, str(limits.memory), str(limits.seconds)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={},
        cwd="/",
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(2 * limits.seconds):
            said = await _exchange(process, ending(name).encode() + b"\n" + content)
    except TimeoutError:
        raise UnreadableError(TOO_MUCH) from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return heard(said)


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


def heard(said: bytes) -> Content:
    """Return what a process answered; one that died, or said what is no answer, met a limit."""
    try:
        answer = msgspec.json.decode(said, type=Answer)
    except (msgspec.DecodeError, msgspec.ValidationError):
        raise UnreadableError(TOO_MUCH) from None
    if answer.refused or len(answer.text) > LARGEST_TEXT:
        raise UnreadableError(answer.refused or TOO_MUCH)
    return Content(answer.text, answer.form, answer.wrapped)


def answered(question: bytes) -> bytes:
    """Read what a question holds, a file's ending on the first line and then its bytes, and return the answer."""
    form, _, content = question.partition(b"\n")
    try:
        answer = Answer(*read_file(content, f"x.{form.decode()}"))
    except UnreadableError as error:
        answer = Answer(refused=str(error))
    except MemoryError:
        answer = Answer(refused=TOO_MUCH)
    return msgspec.json.encode(answer)


def serve() -> None:
    """Be the process: give up what is not needed, answer one question, end."""
    memory, seconds = int(sys.argv[1]), int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    sys.stdout.buffer.write(answered(sys.stdin.buffer.read(LARGEST_FILE + 64)))
