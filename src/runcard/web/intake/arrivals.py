"""Report files that a member sends with a form: takes them in, and says what became of each."""

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Annotated, BinaryIO

from fastapi import Depends, Request
from starlette.datastructures import UploadFile

from runcard import __version__
from runcard.domain.actor import check_may_record
from runcard.domain.errors import Outage, PayloadTooLarge, UnreadableReport
from runcard.domain.text import shortened
from runcard.edge.requests.services import Services, WithServices
from runcard.ingest.record_run import RunClient
from runcard.intake.choices import ImportChoice
from runcard.intake.report_files import Fate, ReportFiles
from runcard.web.frame.formats import count_text, limit_text
from runcard.web.frame.sent_form import MOST_NAME, SentForm, file_name, read_sent_form
from runcard.web.frame.visit import Visit, WithVisit
from runcard.web.intake.outcomes import ArrivedFile

# The client that is recorded with runs from these pages.
CLIENT = RunClient("runcard web", __version__)

_MOST_FILES = 1000


def too_large(max_bytes: int) -> str:
    """The message for files that are larger than a form takes. It says what to do instead."""
    return (
        f"This page takes {limit_text(max_bytes)} at once. Send fewer or smaller files, or import large ones on the "
        "server: runcard import FILE."
    )


def bring_in(
    services: Services, visit: Visit, choice: ImportChoice, files: Sequence[UploadFile]
) -> Iterator[ArrivedFile]:
    """What became of each file; for a ZIP archive, of each file inside it.

    As on the command line, a file inside an archive does not go to quarantine if its format is unknown.
    """
    named = ReportFiles(services.stores, visit.actor, CLIENT, choice)
    passed = ReportFiles(services.stores, visit.actor, CLIENT, choice._replace(keeps_strange=False))
    for upload in files:
        name, file = file_name(upload.filename), upload.file
        try:
            members = services.parsers.members(file)
        except (PayloadTooLarge, UnreadableReport) as error:
            yield ArrivedFile(name, Fate("refused", reason=error.summary))
            continue
        if members is None:
            yield ArrivedFile(name, _fate(named, name, file))
        elif not 0 < len(members) <= _MOST_FILES:
            reason = (
                f"The archive holds {count_text(len(members))} files, and this page takes 1 to "
                f"{count_text(_MOST_FILES)}. Split it, or import it on the server: runcard import FILE."
            )
            yield ArrivedFile(name, Fate("refused", reason=reason))
        else:
            for member in members:
                yield ArrivedFile(
                    shortened(f"{name}: {member}", 2 * MOST_NAME),
                    _fate_of_member(services, passed, file, member),
                )


async def _read_files(request: Request, visit: WithVisit, services: WithServices) -> AsyncIterator[SentForm]:
    """The files of a form. Raises PermissionDenied, before it reads any byte, if the member may not record."""
    check_may_record(visit.actor)
    most = services.max_upload_bytes
    form = await read_sent_form(request, most, too_large(most), max_files=_MOST_FILES)
    try:
        yield form
    finally:
        for file in form.files:
            await file.close()


WithSentFiles = Annotated[SentForm, Depends(_read_files)]


def _fate(files: ReportFiles, name: str, file: BinaryIO) -> Fate:
    """What became of a file. An outage is its fate too, because the files before it are already recorded."""
    try:
        return files.bring_in(name, file)
    except Outage as error:
        return Fate("refused", reason=f"{error} Send the file again.")


def _fate_of_member(services: Services, files: ReportFiles, archive: BinaryIO, member: str) -> Fate:
    try:
        with services.parsers.open_member(archive, member) as content:
            return _fate(files, file_name(member), content)
    except (PayloadTooLarge, UnreadableReport) as error:
        return Fate("refused", reason=error.summary)
