"""Turns a template and what it is about into a page: one Jinja2 environment, its words and its marks.

No page decides anything here. A template that asks for an unknown icon or an unset name fails the test that
renders it instead of reaching a reader half drawn.
"""

import hashlib
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from kabao.kernel import yuan_text
from kabao.law import in_english

HERE = Path(__file__).parent
STATIC = HERE / "static"
TEMPLATES = HERE / "templates"

CSRF_FIELD = "csrf_token"
SHANGHAI = ZoneInfo("Asia/Shanghai")

Step = Literal["done", "now", "todo"]

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_DAYS_SHOWN_FROM = 2 * _DAY
_HOURS_MOST = 72
_SHORT_HASH = 4
_MASKABLE_DIGITS = 8


@cache
def icon_names() -> frozenset[str]:
    """Name every symbol of the sprite."""
    return frozenset(re.findall(r'<symbol id="([^"]+)"', (STATIC / "icons.svg").read_text("utf-8")))


@cache
def static_url(path: str) -> str:
    """Address a static file by its content, so that it may be cached for ever.

    `path` is relative to `static/`. Raises FileNotFoundError for a file that does not exist.
    """
    digest = hashlib.sha256((STATIC / path).read_bytes()).hexdigest()[:12]
    return f"/static/{path}?v={digest}"


@cache
def folder_digest(folder: str) -> str:
    """Fingerprint everything in a folder of `static/`."""
    digest = hashlib.sha256()
    for path in sorted((STATIC / folder).iterdir()):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12]


def static_folder_url(folder: str) -> str:
    """Address a folder of modules by its content: modules import each other by bare names, so the folder has the key.

    `folder` lies directly in `static/`; a file in it is addressed below what is returned.
    """
    return f"/static/{folder}@{folder_digest(folder)}"


def icon(name: str, cls: str = "") -> Markup:
    """Draw one icon of the sprite, hidden from screen readers: the words beside it carry the meaning.

    Raises LookupError for a name the sprite does not hold.
    """
    if name not in icon_names():
        raise LookupError(f"no icon named {name!r} in icons.svg")
    classes = f"i {cls}".strip()
    return Markup('<svg class="{}" aria-hidden="true"><use href="{}#{}"/></svg>').format(
        classes, static_url("icons.svg"), name
    )


def yuan(minor: int) -> Markup:
    """Write an amount of minor units (分) with marks that let a large price set its ¥ and cents smaller."""
    sign = "-" if minor < 0 else ""
    whole, cents = divmod(abs(minor), 100)
    return Markup('<span class="money">{}<span class="y">¥</span>{}<span class="c">.{}</span></span>').format(
        sign, f"{whole:,}", f"{cents:02d}"
    )


def meter(parts: Iterable[tuple[float, str]], label: str, tick: float | None = None) -> Markup:
    """Draw a bar of `(percent, fill class)` parts; `label` says it in words, `tick` marks a threshold."""
    drawn: list[Markup] = []
    start = 0.0
    for width, fill in parts:
        drawn.append(
            Markup('<rect class="{}" x="{}%" width="{}%" height="100%"/>').format(
                fill, _percent(start), _percent(width)
            )
        )
        start += width
    if tick is not None:
        drawn.append(Markup('<line class="tick" x1="{0}%" x2="{0}%" y1="0" y2="100%"/>').format(_percent(tick)))
    return Markup(
        '<svg class="meter" role="img" aria-label="{}"><rect class="bg" width="100%" height="100%"/>{}</svg>'
    ).format(label, Markup("").join(drawn))


def _percent(value: float) -> str:
    return f"{max(0.0, min(100.0, value)):g}"


def short_hash(fingerprint: str | bytes) -> Markup:
    """Show a SHA-256 fingerprint as `a3f9…71c2`; the whole stands in the title."""
    whole = fingerprint.hex() if isinstance(fingerprint, bytes) else fingerprint
    short = whole
    if len(whole) > 2 * _SHORT_HASH + 1:
        short = f"{whole[:_SHORT_HASH]}…{whole[-_SHORT_HASH:]}"
    return Markup('<span class="hash" title="{}">{}<span class="vh">SHA-256 指纹 </span>{}</span>').format(
        whole, icon("fingerprint"), short
    )


def when(moment: datetime, now: datetime) -> str:
    """Write a moment as people say it, `11月23日 20:14`, with the year when it is not the year of `now`.

    Both must carry an offset; the text is Beijing time.
    """
    local = _local(moment)
    text = f"{local.month}月{local.day}日 {local:%H:%M}"
    return text if local.year == _local(now).year else f"{local.year}年{text}"


def stamp(moment: datetime) -> str:
    """Write a moment as records do, `2026-11-23 20:14:07`, Beijing time."""
    return f"{_local(moment):%Y-%m-%d %H:%M:%S}"


def _local(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a moment needs its offset before it can be shown")
    return moment.astimezone(SHANGHAI)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def hours_text(hours: int) -> str:
    """Write a service level: `72 小时`, and whole days above that (`7 天`)."""
    return f"{hours // 24} 天" if hours > _HOURS_MOST and hours % 24 == 0 else f"{hours} 小时"


def countdown(due: datetime, now: datetime, *, absolute: bool = True, paused_until: datetime | None = None) -> Markup:
    """Show a deadline twice: the moment, and how long until then, which the page's script keeps current.

    From 48 hours on it counts days (`2 天 23:41:08`), below that hours (`46:12:55`). The last hour is marked
    `hot`, a passed deadline `over`. `absolute=False` leaves the moment out where the sentence already has it. Until
    `paused_until` it stands still at what is left after the pause, on the server and in the script.
    """
    runs_from = now if paused_until is None else max(now, paused_until)
    left = max(0, int((due - runs_from).total_seconds()))
    mood = " over" if due <= runs_from else " hot" if left < _HOUR else ""
    pause = ""
    if runs_from > now:
        # In milliseconds, as the script counts.
        mood, pause = f"{mood} paused", Markup(' data-from="{}"').format(int(runs_from.timestamp() * 1000))
    days, hours, minutes = left // _DAY, left // _HOUR, left // _MINUTE % 60
    with_days = left >= _DAYS_SHOWN_FROM
    day_part = Markup('<b data-day data-u="d">{}</b><span data-day>天</span>').format(days) if with_days else ""
    unit, shown = ("h", f"{hours % 24:02d}") if with_days else ("H", str(hours))
    chip = Markup(
        '<span class="cd{mood}" role="timer" data-deadline="{due}"{pause} aria-label="{label}">{day}'
        '<b data-u="{unit}">{shown}</b><span>:</span><b data-u="m">{minutes}</b><span>:</span>'
        '<b data-u="s">{seconds}</b></span>'
    ).format(
        mood=mood,
        due=_iso(due),
        pause=pause,
        label=_spoken(left) if due > runs_from else "已到时",
        day=day_part,
        unit=unit,
        shown=shown,
        minutes=f"{minutes:02d}",
        seconds=f"{left % 60:02d}",
    )
    if not absolute:
        return chip
    return Markup('<span class="cdp"><time datetime="{}">{}</time>{}</span>').format(_iso(due), when(due, now), chip)


def _spoken(left: int) -> str:
    hours, minutes = left // _HOUR, left // _MINUTE % 60
    if left < _MINUTE:
        return "还剩不到 1 分"
    if left >= _DAYS_SHOWN_FROM:
        return f"还剩 {hours // 24} 天 {hours % 24} 小时 {minutes} 分"
    return f"还剩 {hours} 小时 {minutes} 分" if hours else f"还剩 {minutes} 分"


def phone_mask(phone: str) -> str:
    """Hide the middle of a phone number, `138****5678`; of a short one only the last two digits stay."""
    national = phone.removeprefix("+86").strip()
    if len(national) < _MASKABLE_DIGITS:
        return f"****{national[-2:]}"
    return f"{national[:3]}****{national[-4:]}"


def ladder(steps: Iterable[tuple[str, str, Step]], *, calm: bool = False) -> Markup:
    """Draw the rising steps of a case from `(name, time, state)`; `calm` is the picture before a purchase."""
    rungs = [
        Markup('<li class="{}"{}><b>{}{}</b>{}</li>').format(
            "rung" if state == "todo" else f"rung {state}",
            Markup(' aria-current="step"') if state == "now" else "",
            icon("check") if state == "done" else "",
            name,
            text,
        )
        for name, text, state in steps
    ]
    return Markup('<ol class="ladder{}">{}</ol><div class="ladder-foot"></div>').format(
        " calm" if calm else "", Markup("").join(rungs)
    )


def flow(steps: Iterable[tuple[str, Step]]) -> Markup:
    """Draw how far an order has come from `(name, state)`."""
    drawn = [_flow_step(number, name, state) for number, (name, state) in enumerate(steps, start=1)]
    return Markup('<ol class="flow">{}</ol>').format(Markup("").join(drawn))


def _flow_step(number: int, name: str, state: Step) -> Markup:
    if state == "done":
        return Markup('<li class="d">{}{}</li>').format(icon("check"), name)
    if state == "now":
        return Markup('<li class="n" aria-current="step"><span>{}</span>{}</li>').format(number, name)
    return Markup("<li><span>{}</span>{}</li>").format(number, name)


def stampmark(character: str) -> Markup:
    """Draw the square seal stamp around one character."""
    return Markup(
        '<svg class="stamp" viewBox="0 0 52 52" aria-hidden="true"><g transform="rotate(-8 26 26)">'
        '<rect x="3.5" y="3.5" width="45" height="45" rx="6" fill="none" '
        'stroke="currentColor" stroke-width="3"/>'
        '<rect x="8" y="8" width="36" height="36" rx="3" fill="currentColor" opacity=".1"/>'
        '<text x="26" y="35.5" text-anchor="middle" font-size="26">{}</text></g></svg>'
    ).format(character)


def _laws(named: Iterable[str], lang: str) -> str:
    """Name provisions in the page's language; they come in Chinese."""
    return "; ".join(map(in_english, named)) if lang == "en" else "；".join(named)


@pass_context
def _csrf_here(context: Context) -> Markup:
    return Markup('<input type="hidden" name="{}" value="{}">').format(
        CSRF_FIELD, escape(context.resolve("csrf_token"))
    )


@pass_context
def _when_here(context: Context, moment: datetime) -> str:
    return when(moment, context["now"])


@pass_context
def _countdown_here(
    context: Context, due: datetime, *, absolute: bool = True, paused_until: datetime | None = None
) -> Markup:
    return countdown(due, context["now"], absolute=absolute, paused_until=paused_until)


@cache
def environment() -> Environment:
    """Build the environment once: escaping on, unset names fail, templates from `templates/`."""
    env = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    words = {
        "i": icon,
        "yuan": yuan,
        "yuan_text": yuan_text,
        "meter": meter,
        "hash": short_hash,
        "stamp": stamp,
        "phone_mask": phone_mask,
        "ladder": ladder,
        "flow": flow,
        "stampmark": stampmark,
        "static_url": static_url,
        "static_folder_url": static_folder_url,
        "iso": _iso,
        "when": _when_here,
        "countdown": _countdown_here,
        "hours_text": hours_text,
        "csrf": _csrf_here,
    }
    env.globals.update(words)
    env.filters.update({name: words[name] for name in ("yuan", "hash", "when", "stamp", "phone_mask")})
    env.filters["laws"] = _laws
    return env


def render(template: str, **context: object) -> str:
    """Render a page or a part of one.

    Every page needs `now` (aware, the request's moment) and, where it has a form, `csrf_token`.
    """
    return environment().get_template(template).render(**context)
