"""Everything that can be wrong, named by what is wrong.

Each message names the field or thing, the value, and the mend. `edge.answers.errors` maps each class to its status.
A message may quote a value of any length. So every message is cut to length here, where it is made, and nowhere else.

The tree. The subclasses without subclasses follow the colon; the others stand below, each on a line of its own:

    RuncardError: MalformedBody, UnsupportedMediaType, PayloadTooLarge, UnreadableReport, Unauthenticated,
      QueryTooSlow, FiguresUnavailable, HostNotAllowed, TooManyAttempts, PartNumberMissing,
      PartNumberUnreadable, SubUnitsNotFound, CircularParentage, NotAChild, ReportRefused
        InvalidInput: NotSaid, EndsBeforeStart
        PermissionDenied: StationNotAuthorized, StationNotLinked, UnitNotReached, FileNotBrought,
          CreationForbidden, QuotaExceeded, SignatureInvalid, FormExpired
        NotFound: ProcedureNotFound, OperatorNotFound, UnitNotFound, PartNotFound, RevisionNotFound,
          NotDeleted, BatchNotFound, VersionNotFound, StationNotFound, TeamNotFound, RunNotFound,
          PhaseNotFound, MeasurementNotFound, LogNotFound, AttachmentNotFound, ImportTemplateNotFound,
          FileImportNotFound, QuarantinedFileNotFound, DeploymentNotFound, ApiCallNotFound, SetupLinkSpent,
          InvitationSpent
        TooMuchAtOnce: TooManyReads, TooManyLogIns, TooManyLargeBodies
        Conflict: ClockDoubted, AlreadyExists, IdentifierTaken, BytesGone, NameTaken, Merged, InUse,
          UploadNotLinkable, UploadTaken, ReportRecorded
        Outage: DatabaseUnavailable, CommitInDoubt
            StorageUnavailable: StorageFull, StorageReadOnly, DocumentUnavailable
            RecordingUnavailable: WriteTimedOut, OutcomeUnknown
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from runcard.domain.text import shortened

# Characters of a message, of the message of one issue, and of one step of its path.
MOST_MESSAGE = 2000
_MOST_ISSUE = 1000
_MOST_STEP = 200
# Characters of the detail that only the log shows.
_MOST_DETAIL = 300
# How many steps of an issue's path, and how many issues of an input, are named.
_MOST_STEPS = 12
_MOST_ISSUES = 20
# How many names a message lists.
_MAX_NAMED = 10
_SHOWN_ISSUES = 3


class Issue(NamedTuple):
    """One thing that is wrong in an input. path: the keys and indices that lead to it from the root."""

    path: tuple[str | int, ...]
    message: str

    @property
    def location(self) -> str:
        return ".".join(str(step) for step in self.path)


def in_one_line(message: str, issues: Sequence[Issue]) -> str:
    """The message followed by the first issues, for readers who see only this line."""
    listed = "; ".join(
        f"{issue.location}: {issue.message}" if issue.path else issue.message
        for issue in issues[:_SHOWN_ISSUES]
    )
    return shortened(f"{message}: {listed}" if listed else message, MOST_MESSAGE)


class RuncardError(Exception):
    """Root of all errors that Runcard itself raises. default_message: used where an error is made without a message."""

    default_message = ""

    def __init__(self, message: str = "") -> None:
        super().__init__(shortened(message or self.default_message, MOST_MESSAGE))

    def __reduce__(self) -> tuple[Any, ...]:
        """What pickle restores the error from: its state, since the arguments of the constructor differ by class."""
        return _restored, (type(self), self.args, self.__dict__)

    @property
    def message(self) -> str:
        return str(self)

    @property
    def summary(self) -> str:
        """The message with the first issues, in one line."""
        return self.message


def _restored(cls: type[RuncardError], args: tuple[object, ...], state: dict[str, object]) -> RuncardError:
    error = cls.__new__(cls)
    error.args = args
    error.__dict__.update(state)
    return error


class InvalidInput(RuncardError):
    """The input was readable but breaks its schema or a rule on a single field.

    The first issues are kept; a last one counts the rest.
    """

    def __init__(self, issues: Iterable[Issue]) -> None:
        super().__init__("Input validation failed")
        found = iter(issues)
        self.issues = tuple(_bounded(issue) for issue in islice(found, _MOST_ISSUES))
        if more := sum(1 for _ in found):
            self.issues += (Issue((), f"and {more} more"),)

    @property
    def summary(self) -> str:
        return in_one_line(self.message, self.issues)

    @classmethod
    def at(cls, path: str | tuple[str | int, ...], message: str) -> "InvalidInput":
        return cls([Issue((path,) if isinstance(path, str) else path, message)])


def _bounded(issue: Issue) -> Issue:
    path = tuple(
        shortened(step, _MOST_STEP) if isinstance(step, str) else step for step in issue.path[:_MOST_STEPS]
    )
    return Issue(path, shortened(issue.message, _MOST_ISSUE))


class NotSaid(InvalidInput):
    """A report file lacks a value that a run needs; the sender of the file may state it. field: which of the run's."""

    def __init__(self, issues: Iterable[Issue], field: str) -> None:
        super().__init__(issues)
        self.field = field


class EndsBeforeStart(InvalidInput):
    """A run ends earlier than it starts."""


class MalformedBody(RuncardError):
    """The body is not JSON at all."""


class UnsupportedMediaType(RuncardError):
    """The body has a content type that the endpoint does not read."""


class PayloadTooLarge(RuncardError):
    """A body or file exceeds the size that this server accepts."""


class UnreadableReport(RuncardError):
    """A report file is not in the format that was claimed for it."""


class Unauthenticated(RuncardError):
    """The key is missing, unknown or revoked, or belongs to a suspended user."""

    default_message = "Invalid API key."


class PermissionDenied(RuncardError):
    """The caller is known and may not do this."""


class StationNotAuthorized(PermissionDenied):
    """A station named a procedure that it is not linked to, or that does not exist."""

    default_message = "Station is not authorized for this procedure."


class StationNotLinked(PermissionDenied):
    """A station that is linked to no procedure tries to change something."""

    default_message = (
        "Station is not authorized: it is linked to no procedure, so it may record and change nothing. "
        "Link a procedure to it first."
    )


class UnitNotReached(PermissionDenied):
    """A station tries to change a unit that it has not recorded and whose procedures it may not report."""

    def __init__(self, serial_number: str) -> None:
        super().__init__(
            f"Station is not authorized for unit {serial_number}: it has not recorded this unit, and is linked to none "
            "of the unit's procedures. Link one of them to the station, or use the API key of a user."
        )


class FileNotBrought(PermissionDenied):
    """A station tries to delete a file that somebody else uploaded."""

    def __init__(self, attachment_id: object) -> None:
        super().__init__(
            f"A station can delete only files that it uploaded itself, and {attachment_id} is not one of them. "
            "Use the API key of a user."
        )


class CreationForbidden(PermissionDenied):
    """The organization does not let stations create what this run would create."""

    def __init__(self, entities: Sequence[str]) -> None:
        super().__init__("; ".join(f"{entity} creation failed." for entity in entities))


class QuotaExceeded(PermissionDenied):
    """The organization has recorded as many runs this month as its admin allows."""

    default_message = "Monthly limit exceeded."


class SignatureInvalid(PermissionDenied):
    """A signed URL was tampered with or has expired."""


class FormExpired(PermissionDenied):
    """A form came without the token of its page, or with the token of another session."""

    default_message = "This form has expired. Go back, reload the page and send it again."


class NotFound(RuncardError):
    """What the caller addressed does not exist in the caller's organization.

    default_message: {} in it stands for the address, such as an id or a serial number.
    """

    def __init__(self, addressed: object = "") -> None:
        super().__init__(self.default_message.format(addressed) if self.default_message else str(addressed))


class ProcedureNotFound(NotFound):
    default_message = "Procedure with ID {} does not exist. Create the procedure first in the app."


class OperatorNotFound(NotFound):
    default_message = "Operator with email {} does not exist. Create the user first in the app."


class UnitNotFound(NotFound):
    default_message = "Unit not found: {}"


class PartNotFound(NotFound):
    default_message = "Part not found: {}"


class RevisionNotFound(NotFound):
    def __init__(self, part_number: str, number: str) -> None:
        super().__init__(f"Revision not found: {number} of part {part_number}")


class NotDeleted(NotFound):
    default_message = "Nothing with ID {} was deleted. The bin lists what can be restored."


class BatchNotFound(NotFound):
    default_message = "Batch not found: {}"


class VersionNotFound(NotFound):
    default_message = "Version not found: {}"


class StationNotFound(NotFound):
    default_message = "Station not found: {}"


class TeamNotFound(NotFound):
    default_message = "Team not found: {}. `runcard team list` shows those that exist."


class RunNotFound(NotFound):
    default_message = "Run not found: {}"


class PhaseNotFound(NotFound):
    default_message = "Phase not found: {}"


class MeasurementNotFound(NotFound):
    default_message = "Measurement not found: {}"


class LogNotFound(NotFound):
    default_message = "Log not found: {}"


class AttachmentNotFound(NotFound):
    default_message = "Upload not found: {}. Initialize an upload and PUT its bytes first."


class ImportTemplateNotFound(NotFound):
    default_message = "Import template not found: {}"


class FileImportNotFound(NotFound):
    default_message = "Import not found: {}"


class QuarantinedFileNotFound(NotFound):
    default_message = "No file with id {} is in quarantine. It may have been imported or discarded since."


class DeploymentNotFound(NotFound):
    default_message = "Deployment not found: {}"


class ApiCallNotFound(NotFound):
    default_message = "API call not found: {}. Calls are kept for a while only."


class SetupLinkSpent(NotFound):
    default_message = (
        "This set-up link is unknown or was used already. Until an installation is set up, "
        "the command runcard serve prints a fresh link each time it starts."
    )


class InvitationSpent(NotFound):
    default_message = (
        "This invitation is unknown, was used already, was taken back, or has expired. Ask for a new one."
    )


class QueryTooSlow(RuncardError):
    """A list was not ready within the time limit of this server."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"The list was not ready within {seconds:g} s. Narrow its filters, such as a span of time, serial "
            "numbers or names, and ask again."
        )


class FiguresUnavailable(RuncardError):
    """Analytics cannot be answered: this server keeps no columnar copy, or is just mending it."""


class HostNotAllowed(RuncardError):
    """A link would contain a host name that no setting confirms as a name of this server."""

    def __init__(self, host: str) -> None:
        super().__init__(
            f"Host {host[:100]!r} is not allowed in links. Set public_url to the root that stations and browsers use, "
            "or name the host in allowed_hosts."
        )


class TooManyAttempts(RuncardError):
    """Somebody failed to log in too often in the last minutes."""

    default_message = "Too many log-ins have failed. Wait five minutes and try again."


class TooMuchAtOnce(RuncardError):
    """The server has too many requests at once. retry_after_s: how long to wait before the next try."""

    default_message = "The server has more requests than it can answer at once."
    retry_after_s = 10.0

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(f"{self.default_message} Try again in {retry_after_s:g} s.")
        self.retry_after_s = retry_after_s


class TooManyReads(TooMuchAtOnce):
    default_message = (
        "This key or session sends too many requests at once, and stations come first. Send a few at a time."
    )


class TooManyLogIns(TooMuchAtOnce):
    default_message = "Too many people log in at once."


class TooManyLargeBodies(TooMuchAtOnce):
    default_message = "Too many large bodies are sent at once. Send one after the other."


class PartNumberMissing(RuncardError):
    """A new unit came without a part number, and no rule reads one from the serial number."""

    default_message = (
        "Part number is required but not provided and no automatic parsing is configured. "
        "Provide a part_number parameter or configure serial number parsing in organization settings."
    )


class PartNumberUnreadable(RuncardError):
    """The organization's serial-number pattern finds no part number in this serial number."""

    def __init__(self, serial_number: str) -> None:
        super().__init__(
            f"Part number extraction failed for serial number {serial_number}. "
            "Provide a part_number parameter explicitly or fix the regex pattern in organization settings."
        )


class SubUnitsNotFound(RuncardError):
    """A run names sub-units that do not exist. The message lists the first ones."""

    def __init__(self, serial_numbers: Sequence[str]) -> None:
        named, more = serial_numbers[:_MAX_NAMED], len(serial_numbers[_MAX_NAMED:])
        super().__init__(f"Sub-units not found: {', '.join(named)}{f' and {more} more' if more else ''}")


class CircularParentage(RuncardError):
    """A unit would become its own ancestor."""

    default_message = "Circular parent relationship not allowed"


class NotAChild(RuncardError):
    """A unit cannot be removed from a parent that it is not a child of."""

    def __init__(self, serial_number: str, parent: str) -> None:
        super().__init__(f"Unit {serial_number} is not a child of unit {parent}")


class Conflict(RuncardError):
    """The request contradicts what is already recorded."""


class ClockDoubted(Conflict):
    """The clock shows so long a silence that it may be wrong, and a wrong clock would delete young data."""

    def __init__(self, now: datetime, last_known: datetime) -> None:
        super().__init__(
            f"The clock says {now:%Y-%m-%d}, but the last known activity was on {last_known:%Y-%m-%d}, "
            f"{(now - last_known).days} days before. A wrong clock would delete young data, so nothing is deleted. "
            "Set the clock right; if it is right, run `runcard retention --clock-is-right`."
        )


class AlreadyExists(Conflict):
    def __init__(self, noun: str, name: str) -> None:
        super().__init__(f"{noun} {name} already exists. Choose another name.")


class IdentifierTaken(Conflict):
    """The identifier of a procedure belongs to another one. whose: such as "is that of the procedure 'Board'"."""

    def __init__(self, identifier: str, whose: str) -> None:
        super().__init__(f"The identifier {identifier} {whose}. Choose another identifier.")


class BytesGone(Conflict):
    """The attachment store no longer has the bytes of a file in quarantine."""

    default_message = (
        "The bytes of this file are gone from the attachment store. Restore them, or discard the file."
    )


class NameTaken(Conflict):
    """A procedure of this name exists. A second one may have the same name, but that is rarely intended."""

    def __init__(self, name: str, identifier: str, way_on: str) -> None:
        super().__init__(
            f"The procedure {identifier} is called {name!r} already, and two of one name are easily confused. "
            f"Use {identifier}, or {way_on}."
        )


class Merged(Conflict):
    """A procedure cannot be deleted because it was merged into another one and now stands for it."""

    def __init__(self, name: str, identifier: str) -> None:
        super().__init__(
            f"This procedure was merged into {name!r} ({identifier}). Deleting it would delete {name!r} with all its "
            f"runs. To do that, delete {identifier}."
        )


class InUse(Conflict):
    """A thing cannot be deleted while other things refer to it."""

    def __init__(self, thing: str, count: int, users: str) -> None:
        super().__init__(f"{thing} still has {count} {users}. Delete or move them first.")


class UploadNotLinkable(Conflict):
    default_message = "Failed to sync upload with run"


class UploadTaken(Conflict):
    def __init__(self, upload_id: object) -> None:
        super().__init__(f"Upload {upload_id} is already part of another run or unit. Upload the file again.")


class ReportRecorded(Conflict):
    """An earlier file held the same report. why: what makes it the same. position: of the new run in its file."""

    def __init__(self, run_id: object, why: str, position: int) -> None:
        super().__init__(
            f"Run {run_id} was recorded from the same report ({why}), whose file had other bytes. To replace that run "
            "with this one, import the file with replace (--replace, or the box on the page)."
        )
        self.position = position


class ReportRefused(RuncardError):
    """One of the reports of a file cannot be recorded. position: its place in the file, from 1."""

    def __init__(self, position: int, serial_number: str, cause: RuncardError) -> None:
        super().__init__(
            f"Report {position} of the file, of unit {serial_number}, was refused: {cause.summary}"
        )
        self.position = position
        self.serial_number = serial_number
        self.cause = cause


class Outage(RuncardError):
    """The server cannot answer a correct request now.

    detail: what the database or the disk says. It is for the log; the caller does not see it.
    """

    detail = ""

    def __init__(self, message: str = "", detail: str = "") -> None:
        super().__init__(message)
        self.detail = shortened(detail, _MOST_DETAIL)


class StorageUnavailable(Outage):
    """The attachment store did not answer."""


class StorageFull(StorageUnavailable):
    """The disk of the database or of the attachments is full."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(
            "The disk of the server is full. Nothing was recorded. Ask your admin to make room, then send it again.",
            detail,
        )


class StorageReadOnly(StorageUnavailable):
    """The disk or the database can be read but not written."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(
            "The server can read its record now but not write to it. Nothing was recorded. "
            "Ask your admin to make its disk or database writable, then send it again.",
            detail,
        )


class DocumentUnavailable(StorageUnavailable):
    """What is inside an old run cannot be read now. Everything else can."""


class DatabaseUnavailable(Outage):
    """The database cannot be reached, has no free connection or turn, or its disk fails."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(
            "The database of the server does not answer. Nothing was recorded. "
            "Try again in a moment; if it does not come back, tell your admin.",
            detail,
        )


class CommitInDoubt(Outage):
    """The database went away during a commit, which may have succeeded or not."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(
            "The database of the server went away during the commit, so this may be recorded or not. "
            "Look for it before you send it again.",
            detail,
        )


class RecordingUnavailable(Outage):
    """Nothing could be written for a while, so the waiting requests are refused and may be sent again. See ADR 30."""


class WriteTimedOut(RecordingUnavailable):
    """A write waited too long for its turn. It is withdrawn: no part of it is recorded, now or later."""

    default_message = (
        "Nothing could be recorded for a while. This request is withdrawn and has changed nothing; "
        "send it again in a few seconds."
    )


class OutcomeUnknown(RecordingUnavailable):
    """The process that held a run has ended, and the database does not say whether the run is recorded."""

    default_message = (
        "Nothing could be recorded for a while, and the server cannot find out now whether this run is recorded. "
        "Look for it before you send it again, or send it again with the same client_run_ref."
    )
