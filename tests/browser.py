"""A browser without scripts: keeps cookies, sends the forms it was given, and checks every page it sees."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

POINT = re.compile(r"(take|why)_(claim|[eof]\d+)")
"""The fields in which a ruling answers a point."""
VOID = frozenset({"input", "meta", "link", "br", "hr", "img", "use", "rect", "line", "circle"})
HTML_TYPE = "text/html; charset=utf-8"


@dataclass
class FormSeen:
    """A form of a page: where it goes and what it would send."""

    action: str
    method: str
    fields: dict[str, list[str]] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)


class PageReader(HTMLParser):
    """Reads forms, headings, labels and ids."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.forms: list[FormSeen] = []
        self.faults: list[str] = []
        self.links: list[str] = []
        self._headings = 0
        self._ids: list[str] = []
        self._labelled: set[str] = set()
        self._wanting: list[tuple[str, str]] = []
        self._in_label = 0
        self._area: str | None = None
        self._select: str | None = None
        self.feed(text)
        self.close()
        if self._headings != 1 and "<html" in text:
            self.faults.append(f"{self._headings} h1")
        self.faults += [f"no label: {tag}" for key, tag in self._wanting if key not in self._labelled]
        self.faults += [f"id twice: {key}" for key in {key for key in self._ids if self._ids.count(key) > 1}]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        self._headings += tag == "h1"
        if "id" in has:
            self._ids.append(has["id"])
        if "style" in has or tag == "style" or (tag == "script" and "src" not in has):
            self.faults.append(f"inline: {tag}")
        self.faults += [f"handler: {name}" for name in has if name.startswith("on")]
        if tag == "label":
            self._in_label += 1
            self._labelled.add(has.get("for", ""))
        if tag == "a" and "href" in has:
            self.links.append(has["href"])
        if tag == "form":
            self.forms.append(FormSeen(has.get("action", ""), has.get("method", "get")))
        if tag in {"input", "textarea", "select"}:
            self._field(tag, has)
        if tag == "option" and self._select and "selected" in has:
            self._set(self._select, has.get("value", ""))

    def _field(self, tag: str, has: dict[str, str]) -> None:
        name, kind = has.get("name", ""), has.get("type", "text")
        if kind != "hidden" and not self._in_label:
            self._wanting.append((has.get("id", "?"), f"{tag} {name}"))
        if not self.forms:
            return
        self.forms[-1].names.add(name)
        if tag == "textarea":
            self._area = name
            self._set(name, "")
        elif tag == "select":
            self._select = name
        elif kind in {"radio", "checkbox"}:
            if "checked" in has:
                self._set(name, has.get("value", ""))
        elif kind not in {"file", "submit"}:
            self._set(name, has.get("value", ""))

    def _set(self, name: str, value: str) -> None:
        self.forms[-1].fields.setdefault(name, []).append(value)

    def handle_endtag(self, tag: str) -> None:
        if tag == "label":
            self._in_label -= 1
        if tag == "textarea":
            self._area = None
        if tag == "select":
            self._select = None

    def handle_data(self, data: str) -> None:
        if self._area is not None and self.forms:
            self.forms[-1].fields[self._area][-1] += data.removeprefix("\n")


@dataclass
class Shown:
    """A page as it came."""

    status: int
    path: str
    text: str
    headers: httpx.Headers

    @property
    def read(self) -> PageReader:
        return PageReader(self.text)

    def form(self, action: str) -> FormSeen:
        """Find the form that goes to an address ending so."""
        found = [form for form in self.read.forms if form.action.endswith(action)]
        assert found, f"{self.status} {self.path} has no form to {action}: {self.words[:400]}"
        return found[0]

    @property
    def words(self) -> str:
        """The text without marks."""
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", self.text))


def _grounded(names: set[str], sent: dict[str, Any]) -> dict[str, Any]:
    """Answer each point of the parties, and name a law where the ruling says why it differs."""
    given = {name for name, value in sent.items() if any(value)}
    filled = {name: "not_decisive" if name.startswith("take_") else "见理由。" for name in names if POINT.match(name)}
    if "unanswered" in names:
        filled["unanswered"] = "材料已经够。"
    if "differs_reason" in given and not given & {"law_1", "article_1"}:
        filled["article_1"] = "29"
    return sent | {name: value for name, value in filled.items() if name not in given}


class Browser:
    """One person's browser."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.page = Shown(0, "/", "", httpx.Headers())

    async def get(self, path: str, *, follow: bool = True) -> Shown:
        return await self._take(await self.client.get(path), follow=follow)

    async def post(
        self,
        path: str,
        fields: dict[str, Any] | None = None,
        *,
        files: list[tuple[str, tuple[str, bytes, str]]] | None = None,
        headers: dict[str, str] | None = None,
        follow: bool = True,
    ) -> Shown:
        answer = await self.client.post(path, data=fields or {}, files=files, headers=headers)
        return await self._take(answer, follow=follow)

    async def send(
        self,
        action: str,
        fields: dict[str, Any] | None = None,
        *,
        files: list[tuple[str, tuple[str, bytes, str]]] | None = None,
        follow: bool = True,
        is_bare: bool = False,
    ) -> Shown:
        """Send a form of the page as it stands, with some fields changed.

        What a ruling rests on is filled in as whoever rules would, unless the form is to be sent bare.
        """
        form = self.page.form(action)
        sent: dict[str, Any] = {name: list(values) for name, values in form.fields.items() if name} | (fields or {})
        if "law_1" in form.names and not is_bare:
            sent = _grounded(form.names, sent)
        return await self.post(form.action, sent, files=files, follow=follow)

    async def _take(self, answer: httpx.Response, *, follow: bool) -> Shown:
        hops = 0
        while follow and answer.status_code == 303:
            hops += 1
            assert hops < 5, "redirects in a circle"
            target = urljoin(str(answer.url), answer.headers["location"])
            assert urlsplit(target).netloc == "testserver"
            answer = await self.client.get(target)
        shown = Shown(answer.status_code, answer.url.raw_path.decode(), answer.text, answer.headers)
        if answer.headers.get("content-type") == HTML_TYPE and answer.status_code < 500 and answer.text:
            assert shown.read.faults == [], shown.path
        self.page = shown
        return shown
