"""Files in quarantine: tried again as they were tried last, by those who may, and recorded by whoever brought them."""

import hashlib
from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import select, update

from runcard.domain.actor import Actor, SystemActor, UserActor
from runcard.domain.errors import (
    BytesGone,
    ImportTemplateNotFound,
    InvalidInput,
    PermissionDenied,
    ProcedureNotFound,
    QuarantinedFileNotFound,
)
from runcard.ingest.quarantine_file import quarantine_file
from runcard.intake.arrived_files import Stores
from runcard.intake.choices import ImportChoice, last_choice
from runcard.intake.quarantine import choice_for_retry, discard, may_retry, retry_as_brought, sender_of
from runcard.intake.report_files import Fate
from runcard.store.bin.deleting import Deletion
from runcard.store.commit.changes import last_seq
from runcard.store.commit.lookups import get_organization
from runcard.store.creator import Creator
from runcard.store.engine.scope import Scope
from runcard.store.engine.tables import attachments, quarantined_files, runs
from runcard.store.intake.quarantine import (
    QuarantinedFile,
    QuarantineFilter,
    Refusal,
    RefusedFile,
    get_quarantined,
    list_quarantined,
    list_quarantined_page,
)
from runcard.store.intake.templates import create_template, delete_template
from runcard.store.lists.pages import Page
from runcard.store.people.organizations import update_organization
from runcard.store.people.users import create_user, set_role, suspend_user
from runcard.store.procedures.records import delete_procedure
from runcard.store.stations.records import remove_station
from tests.importers.many_runs import junit_of
from tests.importers.tables.files import HEADER, RUN, csv_file, mapping, xlsx_file
from tests.intake.conftest import CLIENT, BringIn
from tests.world import World

Retry = Callable[..., Fate]


@pytest.fixture
def kept(stores: Stores, world: World) -> Callable[[], QuarantinedFile]:
    """The only file that is in quarantine."""

    def kept() -> QuarantinedFile:
        with stores.database.read_in(world.acme.id) as scope:
            (file,) = list_quarantined(scope)
        return file

    return kept


@pytest.fixture
def retry(stores: Stores, world: World) -> Retry:
    """Tries a file again; the engineer does, where no other actor is named."""

    def retry(file: QuarantinedFile, *, actor: Actor | None = None, **said: Any) -> Fate:
        choice = choice_for_retry(file, ImportChoice(**said))
        return retry_as_brought(stores, actor or world.acme.engineer.actor, CLIENT, file, choice)

    return retry


@pytest.fixture
def operator(stores: Stores, world: World) -> UserActor:
    """Somebody of Acme who may record and not manage."""
    made = stores.writer.write_shared(
        lambda tx: create_user(
            tx.of(SystemActor(world.acme.id, "test")),
            "olga@acme.test",
            name="Olga",
            role="operator",
            password_hash=None,
        )
    )
    return UserActor(made.id, world.acme.id, "operator")


@pytest.fixture
def template(stores: Stores, world: World) -> UUID:
    """Of a table that names no part."""
    kept = msgspec.json.encode(mapping()).decode()
    creator = Creator.of(world.acme.admin.actor)
    return stores.writer.write_shared(
        lambda tx: create_template(tx.of(SystemActor(world.acme.id, "test")), "Line 3", kept, creator)
    )


def recorded(stores: Stores) -> list[tuple[UUID, UUID | None, UUID | None]]:
    """Procedure and recorder of each run."""
    r = runs.c
    with stores.database.read() as connection:
        found = connection.execute(select(r.procedure_id, r.created_by_user_id, r.created_by_station_id))
        return [(row[0], row[1], row[2]) for row in found]


def test_a_file_is_tried_again_as_was_said_of_it(
    bring_in: BringIn, retry: Retry, kept: Callable[[], QuarantinedFile], stores: Stores, world: World
) -> None:
    """A procedure that was named once need not be named again."""
    final = str(world.acme.final.id)
    content = junit_of(["A"], "Another", part_number=None)
    assert bring_in(content, procedure=final).status == "refused"
    file = kept()
    assert (file.choice.procedure, file.choice.part_number, file.client) == (final, None, "importing")

    assert retry(file).status == "refused"
    assert kept()._replace(tried_at=file.tried_at) == file._replace(attempts=2)
    assert retry(file, part_number="PCB01").status == "recorded"
    assert recorded(stores) == [(world.acme.final.id, world.acme.admin.actor.user_id, None)]


def test_what_is_said_at_a_retry_is_kept_for_the_next(
    bring_in: BringIn, retry: Retry, kept: Callable[[], QuarantinedFile], world: World
) -> None:
    bring_in(junit_of(["A"], part_number=None))
    retry(kept(), procedure=world.acme.final.identifier)
    assert kept().choice.procedure == str(world.acme.final.id)


def test_a_file_of_a_station_is_recorded_by_the_station(
    bring_in: BringIn, retry: Retry, kept: Callable[[], QuarantinedFile], stores: Stores, world: World
) -> None:
    """Who has no right to create the part, whoever tries."""
    acme = world.acme
    with stores.database.read_in(acme.id) as scope:
        home = get_organization(scope)
    strict = msgspec.structs.replace(home, station_may_create_parts=False)
    stores.writer.write_catalog(SystemActor(acme.id, "test"), lambda tx: update_organization(tx, strict))
    bring_in(junit_of(["A"]), actor=acme.ict.actor)
    assert retry(kept()).reason == kept().reason == "Part creation failed."
    stores.writer.write_catalog(SystemActor(acme.id, "test"), lambda tx: update_organization(tx, home))
    assert retry(kept()).status == "recorded"
    assert recorded(stores) == [(acme.board.id, None, acme.ict.actor.station_id)]


def test_where_whoever_brought_it_may_not_record_any_more_the_one_who_tries_does(
    bring_in: BringIn, retry: Retry, kept: Callable[[], QuarantinedFile], stores: Stores, world: World
) -> None:
    acme, eve = world.acme, world.acme.engineer.actor.user_id
    bring_in(junit_of(["A"], part_number=None), actor=acme.fct.actor)
    stores.writer.write_shared(
        lambda tx: remove_station(tx.of(SystemActor(acme.id, "test")), acme.fct.actor.station_id)
    )
    assert retry(kept(), part_number="PCB01").status == "recorded"
    assert recorded(stores) == [(acme.board.id, eve, None)]


@pytest.mark.parametrize("loss", ["suspended", "viewer"])
def test_a_member_who_lost_the_right_records_nothing_through_others(
    bring_in: BringIn, kept: Callable[[], QuarantinedFile], stores: Stores, world: World, loss: str
) -> None:
    acme = world.acme
    bring_in(b"no report", actor=acme.admin.actor)
    file, eve = kept(), acme.engineer.actor
    with stores.database.read_in(acme.id) as scope:
        assert sender_of(scope, file, eve) == acme.admin.actor
    ada = acme.admin.actor.user_id
    stores.writer.write_shared(
        lambda tx: (
            suspend_user(tx.of(SystemActor(acme.id, "test")), ada)
            if loss == "suspended"
            else set_role(tx.of(SystemActor(acme.id, "test")), ada, "viewer")
        )
    )
    with stores.database.read_in(acme.id) as scope:
        assert sender_of(scope, file, eve) == eve


def test_who_may_retry(
    bring_in: BringIn, kept: Callable[[], QuarantinedFile], world: World, operator: UserActor
) -> None:
    acme = world.acme
    bring_in(b"no report", actor=acme.ict.actor)
    file = kept()
    may: list[Actor] = [acme.admin.actor, acme.engineer.actor, acme.ict.actor]
    may_not: list[Actor] = [operator, acme.viewer.actor, acme.fct.actor]
    assert [may_retry(one, file) for one in (*may, *may_not)] == [True] * 3 + [False] * 3


def test_an_operator_tries_their_own_files_only(
    bring_in: BringIn, retry: Retry, kept: Callable[[], QuarantinedFile], world: World, operator: UserActor
) -> None:
    bring_in(junit_of(["A"], part_number=None))
    with pytest.raises(PermissionDenied, match="the sender of a file"):
        retry(kept(), actor=operator, part_number="PCB01")
    retry(kept(), part_number="PCB01")
    bring_in(junit_of(["B"], part_number=None), actor=operator)
    assert retry(kept(), actor=operator, part_number="PCB01").status == "recorded"


def test_viewers_retry_nothing(
    bring_in: BringIn, retry: Retry, kept: Callable[[], QuarantinedFile], world: World
) -> None:
    bring_in(junit_of(["A"], part_number=None))
    with pytest.raises(PermissionDenied, match="viewer"):
        retry(kept(), actor=world.acme.viewer.actor, part_number="PCB01")


@pytest.mark.parametrize("write", [csv_file, xlsx_file], ids=["csv", "xlsx"])
def test_a_table_is_read_by_a_template(
    bring_in: BringIn,
    retry: Retry,
    kept: Callable[[], QuarantinedFile],
    template: UUID,
    world: World,
    write: Callable[[list[list[str]]], bytes],
) -> None:
    content, board = write([HEADER, RUN]), str(world.acme.board.id)
    assert bring_in(content).importer is None
    refused = bring_in(content, template_id=template, procedure=board)
    assert (refused.status, refused.importer) == ("refused", "TABULAR")
    assert "Part number is required" in str(refused.reason)
    assert last_choice(kept()) == ImportChoice(None, board, None, template)
    fate = retry(kept(), part_number="PCB01")
    assert (fate.status, fate.importer, fate.run_count) == ("recorded", "TABULAR", 1)
    assert bring_in(content, template_id=template, procedure=board).status == "known"


def test_what_a_file_was_read_by_may_be_gone(
    bring_in: BringIn,
    retry: Retry,
    kept: Callable[[], QuarantinedFile],
    template: UUID,
    stores: Stores,
    world: World,
) -> None:
    acme, content = world.acme, csv_file([HEADER, RUN])
    bring_in(content, template_id=template, procedure=str(acme.final.id))
    stores.writer.write_shared(lambda tx: delete_template(tx.of(SystemActor(acme.id, "test")), template))
    with pytest.raises(ImportTemplateNotFound):
        retry(kept())
    refused = bring_in(content, template_id=template, procedure=str(acme.final.id))
    assert refused.reason == f"Import template not found: {template}"
    stores.writer.write_shared(
        lambda tx: delete_procedure(tx.of(SystemActor(acme.id, "test")), acme.final.id, Deletion())
    )
    with pytest.raises(ProcedureNotFound):
        retry(kept(), importer="TABLE")
    assert kept().attempts == 2


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"part_number": "P" * 256}, "256|no part number"),
        ({"part_number": "P\0"}, "no part number"),
    ],
    ids=["long", "nul"],
)
def test_what_cannot_be_said(
    bring_in: BringIn,
    retry: Retry,
    kept: Callable[[], QuarantinedFile],
    said: dict[str, Any],
    told: str,
) -> None:
    bring_in(junit_of(["A"], part_number=None))
    with pytest.raises(InvalidInput) as raised:
        retry(kept(), **said)
    assert any(one in raised.value.summary for one in told.split("|"))
    assert kept().attempts == 1


def test_a_template_needs_a_procedure_and_excludes_a_format(
    bring_in: BringIn, retry: Retry, kept: Callable[[], QuarantinedFile], template: UUID
) -> None:
    refused = bring_in(csv_file([HEADER, RUN]), template_id=template)
    assert "choose the procedure of the runs in the tables" in str(refused.reason)
    with pytest.raises(InvalidInput, match="validation"):
        retry(kept())
    with pytest.raises(InvalidInput, match="validation"):
        retry(kept(), template_id=template, importer="TABLE")


def test_content_that_is_known_by_now_leaves_quarantine(
    bring_in: BringIn, retry: Retry, kept: Callable[[], QuarantinedFile], stores: Stores, world: World
) -> None:
    """As where a second copy was asked for and refused."""
    content, ada = junit_of(["A"]), world.acme.admin.actor
    first = bring_in(content)
    with stores.database.read() as connection:
        (attachment_id,) = connection.execute(select(attachments.c.id)).scalars()
    digest = hashlib.sha256(content).digest()
    stores.writer.write_shared(
        lambda tx: quarantine_file(
            tx.of(ada), ada, RefusedFile(digest, attachment_id, Refusal("JUNIT", "no"))
        )
    )
    fate = retry(kept())
    assert (fate.status, fate.import_id) == ("known", first.import_id)
    with stores.database.read_in(world.acme.id) as scope:
        assert list_quarantined(scope) == []


def test_a_file_whose_bytes_are_gone_says_so(
    bring_in: BringIn, retry: Retry, kept: Callable[[], QuarantinedFile], stores: Stores, world: World
) -> None:
    bring_in(junit_of(["A"], part_number=None))
    file = kept()
    stores.blobs.delete(f"{world.acme.id}/{file.attachment_id}")
    assert retry(file, part_number="PCB01") == Fate(
        "refused", "JUNIT", reason=str(BytesGone()), quarantined_id=file.id
    )


def test_what_is_discarded_leaves_nothing(
    bring_in: BringIn, kept: Callable[[], QuarantinedFile], stores: Stores, world: World
) -> None:
    bring_in(b"no report")
    discard(stores, world.acme.engineer.actor, kept())
    with stores.database.read_in(world.acme.id) as scope:
        assert list_quarantined(scope) == []
        assert scope.connection.execute(select(attachments.c.id)).all() == []
    assert list(stores.blobs.list()) == []


def test_files_are_listed_in_pages_while_others_come(bring_in: BringIn, stores: Stores, world: World) -> None:
    for number in range(5):
        bring_in(b"no report %d" % number, name=f"{number}.txt")
    bring_in(b"elsewhere", actor=world.globex.admin.actor)
    home, everything = world.acme.id, QuarantineFilter()

    def names(page: Page, wanted: QuarantineFilter = everything) -> tuple[list[str], bool]:
        with stores.database.read_in(home) as scope:
            listed = list_quarantined_page(scope, wanted, page)
        return [one.name for one in listed.rows], listed.has_more

    with stores.database.read() as connection:
        seq = last_seq(connection)
    assert names(Page(3, 0, seq)) == (["4.txt", "3.txt", "2.txt"], True)
    bring_in(b"no report 5", name="5.txt")
    assert names(Page(3, 3, seq)) == (["1.txt", "0.txt"], False)

    bring_in(junit_of(["A"], part_number=None), name="b_c.xml")
    assert names(Page(9), QuarantineFilter(search="_C.")) == (["b_c.xml"], False)
    assert names(Page(9), QuarantineFilter(search="part number")) == (["b_c.xml"], False)
    assert names(Page(9), QuarantineFilter(importers=["JUNIT"])) == (["b_c.xml"], False)
    assert len(names(Page(9), QuarantineFilter(importers=[None]))[0]) == 6
    assert len(names(Page(9), QuarantineFilter(importers=[None, "JUNIT"]))[0]) == 7
    assert names(Page(9), QuarantineFilter(importers=[])) == ([], False)


def test_a_file_is_got_in_its_organization_only(
    bring_in: BringIn, kept: Callable[[], QuarantinedFile], stores: Stores, world: World
) -> None:
    bring_in(b"no report")
    file = kept()
    with stores.database.read() as connection:
        assert get_quarantined(Scope(connection, world.acme.id), file.id) == file
        with pytest.raises(QuarantinedFileNotFound):
            get_quarantined(Scope(connection, world.globex.id), file.id)


def test_a_reason_holds_no_more_of_a_file_than_a_person_reads(
    bring_in: BringIn, kept: Callable[[], QuarantinedFile]
) -> None:
    fate = bring_in(b'<testsuites><testsuite name="%b"/></testsuites>' % (b"x" * 2_000_000))
    assert fate.status == "refused"
    assert fate.reason == kept().reason
    assert len(kept().reason) <= 2000


def test_a_reason_that_was_kept_at_any_length_is_cut_when_it_is_read(
    stores: Stores, bring_in: BringIn, kept: Callable[[], QuarantinedFile]
) -> None:
    bring_in(b"<testsuites><testsuite/></testsuites>")
    stores.writer.write_shared(
        lambda tx: tx.connection.execute(update(quarantined_files).values(reason="x" * 2_000_000))
    )
    assert kept().reason == "x" * 2000
