"""What a notice may say and link to, without I/O."""

from typing import Final

MAX_SUBJECT: Final = 200
MAX_LINK: Final = 300
INBOX_LINES: Final = 50
UNREAD_SHOWN: Final = 100


def fit_subject(subject: str) -> str:
    """Put a subject on one line of at most 200 characters; told notices are cut, never lost."""
    line = "".join(letter for letter in " ".join(subject.split()) if letter.isprintable())
    return line if len(line) <= MAX_SUBJECT else line[: MAX_SUBJECT - 1] + "…"


def is_own_path(link: str) -> bool:
    """Tell whether a link stays on this site."""
    if len(link) > MAX_LINK or not link.isprintable() or "\\" in link:
        return False
    return link.startswith("/") and not link.startswith("//")
