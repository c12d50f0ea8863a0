"""Restoring many things at once, those that were ticked in the bin or all that its search finds."""

from collections.abc import Sequence
from typing import Annotated, NamedTuple

from fastapi import APIRouter
from starlette.responses import Response

from runcard.auth.permissions import check_may_manage
from runcard.domain.floor.at_once import MAX_AT_ONCE
from runcard.domain.floor.reason import MAX_REASON
from runcard.edge.requests.services import WithServices
from runcard.store.commit.lookups import get_organization
from runcard.store.commit.transaction import Transaction
from runcard.store.engine.scope import Scope
from runcard.store.lists.pages import Page
from runcard.store.restoring.contents import InBin, list_bin
from runcard.store.restoring.restore import restore_all
from runcard.web.bin.bin import BULK_BIN, BinLine, BinQuery, bin_lines
from runcard.web.frame.forms import WithForm, reason_in, whole_number
from runcard.web.frame.render import redirect, render
from runcard.web.frame.urls import BIN
from runcard.web.frame.visit import WithVisit
from runcard.web.lists.chosen import SHOWN, Chosen, OnlyTicked, Ticked, check_seen, chosen, ticked_ids
from runcard.web.lists.filters import page_query, url_of

router = APIRouter()

_DEED = "restore what was deleted"


class BulkBinQuery(BinQuery, kw_only=True):
    ids: Ticked = None
    ticked: OnlyTicked = None


class BulkBinPage(NamedTuple):
    """lines: the first ones; none if there are too many. most: how many characters a reason may have."""

    chosen: Chosen
    lines: Sequence[BinLine]
    most: int = MAX_REASON


@router.get(BULK_BIN)
def show_bulk(
    services: WithServices, visit: WithVisit, query: Annotated[BulkBinQuery, page_query(BulkBinQuery)]
) -> Response:
    """What would be restored: how many things, and the first of them."""
    check_may_manage(visit.actor, _DEED)
    with services.database.read_in(visit.actor.organization_id) as scope:
        found = _find(scope, query)
        list_url = url_of(BIN, BinQuery(search=query.search))
        about = chosen("thing", len(found), query, None, url_of(BULK_BIN, query), list_url)
        first = () if about.too_many else found[:SHOWN]
        lines = bin_lines(scope, visit, first, get_organization(scope).kept_in_bin)
    return render("bin/bulk.html", BulkBinPage(about, lines), visit)


@router.post(BULK_BIN)
def submit_bulk(
    services: WithServices,
    visit: WithVisit,
    query: Annotated[BulkBinQuery, page_query(BulkBinQuery)],
    fields: WithForm,
) -> Response:
    """Restore all of the things with what went along with them, or none.

    Raises PermissionDenied, InvalidInput and Conflict.
    """
    check_may_manage(visit.actor, _DEED)
    seen, reason = whole_number(fields, "count", "things"), reason_in(fields)

    def apply(tx: Transaction) -> int:
        found = _find(tx.scope, query)
        check_seen("thing", len(found), seen)
        return len(restore_all(tx, [one.thing.id for one in found], reason))

    restored = services.writer.write_catalog(visit.actor, apply)
    return redirect(url_of(BIN, BinQuery(restored=restored)))


def _find(scope: Scope, query: BulkBinQuery) -> Sequence[InBin]:
    """The things that were chosen, the last deleted first: at most one more than are restored at once."""
    ids = ticked_ids(query)
    return list_bin(scope, Page(MAX_AT_ONCE + 1), query.search if ids is None else None, ids).rows
