"""The pages: what a person sees in the browser, in Chinese; the JSON interface lives in `kabao.api`.

Invariants: a page decides nothing, it asks a service and shows the answer; every form carries a token; every POST
answers with a redirect or with the form as it was typed; no page stores anything in the browser but three cookies.
"""

from litestar.types import ControllerRouterHandler

from kabao.web import (
    archive,
    buying,
    cases,
    check,
    complain,
    cover,
    custodian_page,
    demo,
    deposit,
    desk,
    files,
    helpcase,
    helpme,
    helpsaved,
    inbox,
    ladder,
    listings,
    looks,
    mail_settings,
    market,
    merchant,
    open_figures,
    orders,
    precedents,
    problem,
    proposals,
    publiclog,
    reopened,
    rulebook_pages,
    rulings,
    signin,
    static_files,
    stock,
    terms,
    texts,
    verify,
    webhooks,
)
from kabao.web.http import error_page

__all__ = ["error_page", "routes"]


def routes() -> list[ControllerRouterHandler]:
    """Return every page handler and the static files; services are found at `request.app.state.kabao`."""
    areas = (
        market.handlers,
        signin.handlers,
        mail_settings.handlers,
        buying.handlers,
        orders.handlers,
        problem.handlers,
        cases.handlers,
        complain.handlers,
        files.handlers,
        archive.handlers,
        rulings.handlers,
        merchant.handlers,
        inbox.handlers,
        cover.handlers,
        texts.handlers,
        listings.handlers,
        stock.handlers,
        deposit.handlers,
        webhooks.handlers,
        desk.handlers,
        looks.handlers,
        ladder.handlers,
        custodian_page.handlers,
        demo.handlers,
        reopened.handlers,
        rulebook_pages.handlers,
        open_figures.handlers,
        precedents.handlers,
        proposals.handlers,
        publiclog.handlers,
        terms.handlers,
        check.handlers,
        helpme.handlers,
        helpsaved.handlers,
        helpcase.handlers,
        verify.handlers,
        static_files.handlers,
    )
    return [handler for area in areas for handler in area]
