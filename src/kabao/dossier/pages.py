"""The pages inside a pack: readable in any browser, without a script, without anything from outside."""

from collections.abc import Sequence
from importlib import resources
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from kabao.cases.words import WHO, yuan
from kabao.dossier.papers import ShownItem, item_about, item_notes, terms_lines
from kabao.dossier.reading import OrderRead
from kabao.dossier.words import moment, record_text
from kabao.kernel import short_digest
from kabao.paper import PackPaper
from kabao.tlog import StoredRecord

_JINJA: Final = Environment(
    loader=PackageLoader("kabao.dossier", "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
# A page in a ZIP has no neighbours in most readers, so its style stands inside it.
_STYLE: Final = Markup("<style>\n{}</style>").format(
    Markup(resources.files("kabao.dossier").joinpath("templates/pack.css").read_text("utf-8"))  # noqa: S704  our own file
)


def index_page(
    paper: PackPaper,
    read: OrderRead,
    shown: Sequence[ShownItem],
    records: Sequence[tuple[StoredRecord, str | None, str | None]],
) -> bytes:
    """Write index.html; `records` carry the entries of body and proof, None where there is none."""
    return _render(
        "index.html",
        p=paper,
        lines=[
            {
                "at": moment(line.at),
                "who": WHO[line.who],
                "text": line.text + (f"（{line.file.file_name}）" if line.file is not None else ""),
                "said": line.said,
                "digest": short_digest(line.digest),
            }
            for line in read.timeline()
        ],
        items=[
            {
                "no": one.item.item_no,
                "name": one.item.file_name,
                "about": item_about(one.item),
                "sha256": one.item.digest.hex(),
                "file": one.file,
                "shown": one.shown,
                "why": one.why,
                "notes": item_notes(one.item),
                "is_picture": one.item.is_image,
            }
            for one in shown
        ],
        records=[
            {
                "position": record.position,
                "at": moment(record.at),
                "text": record_text(record.kind, record.body),
                "body": body,
                "proof": proof,
            }
            for record, body, proof in records
        ],
    )


def listing_page(read: OrderRead) -> bytes:
    """Write the listing the buyer ordered from, laid out anew from the snapshot that the order points at."""
    order, document = read.order, read.order.document
    return _render(
        "listing.html",
        d={"title": order.title, "description": document.get("description", "")},
        snapshot_no=order.snapshot_no,
        price=yuan(order.unit_minor),
        shop=f"{order.shop.name}（{order.shop.legal_name}）",
        digest=order.snapshot_digest.hex(),
        terms=terms_lines(document.get("terms", {})),
        notices=[
            {"wording": notice["wording"], "about": f"{notice['notice_id']}，第 {notice['version']} 版"}
            for notice in document.get("notices", [])
        ],
    )


def _render(template: str, **context: object) -> bytes:
    return _JINJA.get_template(template).render(style=_STYLE, **context).encode()
