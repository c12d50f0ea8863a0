"""Everything that can be wrong, named by what is wrong.

Each message names the field or thing, the value, and the mend. `edge.answers.errors` maps each class to its status.
Messages hold values that somebody sent, of any length. So each is cut here, where it is made, and nowhere else.

The tree. After a colon stand the kinds of a class that have no kinds of their own, and below it the others:

    RuncardError: MalformedBody, UnsupportedMediaType, PayloadTooLarge, UnreadableReport, Unauthenticated,
      QueryTooSlow, FiguresUnavailable, HostNotAllowed, TooManyAttempts, PartNumberMissing,
      PartNumberUnreadable, SubUnitsNotFound, CircularParentage, NotAChild, ReportRefused
        InvalidInput: NotSaid, EndsBeforeStart
        PermissionDenied: StationNotAuthorized, StationNotLinked, UnitNotReached, FileNotBrought,
          CreationForbidden, QuotaExceeded, SignatureInvalid, FormExpired
        NotFound: ProcedureNotFound, OperatorNotFound, UnitNotFound, PartNotFound, RevisionNotFound,
          BatchNotFound, VersionNotFound, StationNotFound, TeamNotFound, RunNotFound, PhaseNotFound,
          MeasurementNotFound, LogNotFound, AttachmentNotFound, ImportTemplateNotFound, FileImportNotFound,
          QuarantinedFileNotFound, DeploymentNotFound, ApiCallNotFound, SetupLinkSpent, InvitationSpent
        TooMuchAtOnce: TooManyReads, TooManyLogIns, TooManyLargeBodies
        Conflict: ClockDoubted, AlreadyExists, IdentifierTaken, BytesGone, NameTaken, Merged, InUse,
          UploadNotLinkable, UploadTaken, ReportRecorded
        Outage: DatabaseUnavailable, CommitInDoubt
            StorageUnavailable: StorageFull, StorageReadOnly
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
# Characters of what a log is told besides.
_MOST_DETAIL = 300
# Steps of the path of an issue, and issues of an input, that are named.
_MOST_STEPS = 12
_MOST_ISSUES = 20
# Of many things that a message is about, how many it names.
_MAX_NAMED = 10
_SHOWN_ISSUES = 3


class Issue(NamedTuple):
    """One violation in an input: where (keys and indices from the root), and what is wrong there."""

    path: tuple[str | int, ...]
    message: str

    @property
    def location(self) -> str:
        return ".".join(str(step) for step in self.path)


def in_one_line(message: str, issues: Sequence[Issue]) -> str:
    """A message with the first issues, for readers who see nothing else."""
    told = "; ".join(
        f"{issue.location}: {issue.message}" if issue.path else issue.message
        for issue in issues[:_SHOWN_ISSUES]
    )
    return shortened(f"{message}: {told}" if told else message, MOST_MESSAGE)


class RuncardError(Exception):
    """Root of all errors that Runcard itself raises. told: the message of a class that has one of its own."""

    told = ""

    def __init__(self, message: str = "") -> None:
        super().__init__(shortened(message or self.told, MOST_MESSAGE))

    def __reduce__(self) -> tuple[Any, ...]:
        """As it is and not as it was made, since classes differ in what they are made of."""
        return _as_it_was, (type(self), self.args, self.__dict__)

    @property
    def message(self) -> str:
        return str(self)

    @property
    def summary(self) -> str:
        """All that it says, in one line."""
        return self.message


def _as_it_was(cls: type[RuncardError], args: tuple[object, ...], state: dict[str, object]) -> RuncardError:
    error = cls.__new__(cls)
    error.args = args
    error.__dict__.update(state)
    return error


class InvalidInput(RuncardError):
    """The input was readable but breaks its schema or a rule on a single field.

    Of many issues the first are kept, and one more says how many there are besides.
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
    """A report file does not say what a run needs; whoever brings it may state it. field: of a run."""

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
    """A report file is not of the format that it was said to be."""


class Unauthenticated(RuncardError):
    """No key, or one that is unknown, revoked, or belongs to a suspended user."""

    told = "Invalid API key."


class PermissionDenied(RuncardError):
    """The caller is known and may not do this."""


class StationNotAuthorized(PermissionDenied):
    """A station named a procedure that it is not linked to, or that does not exist."""

    told = "Station is not authorized for this procedure."


class StationNotLinked(PermissionDenied):
    """A station that may report no procedure wants to change something."""

    told = (
        "Station is not authorized: it is linked to no procedure, so it may record and change nothing. "
        "Link a procedure to it first."
    )


class UnitNotReached(PermissionDenied):
    """A station wants to change a unit that it has nothing to do with."""

    def __init__(self, serial_number: str) -> None:
        super().__init__(
            f"Station is not authorized for unit {serial_number}: it has not recorded it, and may report none of its "
            "procedures. Link one of these to the station, or use the API key of a user."
        )


class FileNotBrought(PermissionDenied):
    """A station wants to delete a file that somebody else brought."""

    def __init__(self, attachment_id: object) -> None:
        super().__init__(
            f"Stations cannot delete files that others brought, such as {attachment_id}. Use the API key of a user."
        )


class CreationForbidden(PermissionDenied):
    """The organization does not let stations create what this run would create."""

    def __init__(self, entities: Sequence[str]) -> None:
        super().__init__("; ".join(f"{entity} creation failed." for entity in entities))


class QuotaExceeded(PermissionDenied):
    """The organization has recorded as many runs this month as its admin allows."""

    told = "Monthly limit exceeded."


class SignatureInvalid(PermissionDenied):
    """A signed URL was tampered with or has expired."""


class FormExpired(PermissionDenied):
    """A form came without the token that its page was given, or with that of another session."""

    told = "This form has expired. Go back, reload the page and send it again."


class NotFound(RuncardError):
    """What the caller addressed does not exist in the caller's organization. told: with {} for what that is."""

    def __init__(self, addressed: object = "") -> None:
        super().__init__(self.told.format(addressed) if self.told else str(addressed))


class ProcedureNotFound(NotFound):
    told = "Procedure with ID {} does not exist. Create the procedure first in the app."


class OperatorNotFound(NotFound):
    told = "Operator with email {} does not exist. Create the user first in the app."


class UnitNotFound(NotFound):
    told = "Unit not found: {}"


class PartNotFound(NotFound):
    told = "Part not found: {}"


class RevisionNotFound(NotFound):
    def __init__(self, part_number: str, number: str) -> None:
        super().__init__(f"Revision not found: {number} of part {part_number}")


class BatchNotFound(NotFound):
    told = "Batch not found: {}"


class VersionNotFound(NotFound):
    told = "Version not found: {}"


class StationNotFound(NotFound):
    told = "Station not found: {}"


class TeamNotFound(NotFound):
    told = "Team not found: {}. `runcard team list` shows those that exist."


class RunNotFound(NotFound):
    told = "Run not found: {}"


class PhaseNotFound(NotFound):
    told = "Phase not found: {}"


class MeasurementNotFound(NotFound):
    told = "Measurement not found: {}"


class LogNotFound(NotFound):
    told = "Log not found: {}"


class AttachmentNotFound(NotFound):
    told = "Upload not found: {}. Initialize an upload and PUT its bytes first."


class ImportTemplateNotFound(NotFound):
    told = "Import template not found: {}"


class FileImportNotFound(NotFound):
    told = "Import not found: {}"


class QuarantinedFileNotFound(NotFound):
    told = "No file with id {} is in quarantine. It may have been imported or discarded since."


class DeploymentNotFound(NotFound):
    told = "Deployment not found: {}"


class ApiCallNotFound(NotFound):
    told = "API call not found: {}. Calls are kept for a while only."


class SetupLinkSpent(NotFound):
    told = (
        "This set-up link is unknown or was used already. As long as nothing is set up, "
        "the command runcard serve prints a fresh link when it starts."
    )


class InvitationSpent(NotFound):
    told = "This invitation is unknown, was used already, was taken back, or has expired. Ask for a new one."


class QueryTooSlow(RuncardError):
    """A list took longer to make than this server gives it."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"The list was not ready within {seconds:g} s. Narrow its filters, such as a span of time, serial "
            "numbers or names, and ask again."
        )


class FiguresUnavailable(RuncardError):
    """Questions cannot be answered here or now: the columnar copy is not kept, or is being mended."""


class HostNotAllowed(RuncardError):
    """A link would be made of a name of this server that nobody vouches for."""

    def __init__(self, host: str) -> None:
        super().__init__(
            f"Host {host[:100]!r} is not allowed in links. Set public_url to the root that stations and browsers use, "
            "or name the host in allowed_hosts."
        )


class TooManyAttempts(RuncardError):
    """Somebody failed to log in too often of late."""

    told = "Too many log-ins have failed. Wait five minutes and try again."


class TooMuchAtOnce(RuncardError):
    """More is asked at once than this server does at once. retry_after_s: when to ask again."""

    told = "More is asked at once than this server does at once."
    retry_after_s = 10.0

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(f"{self.told} Ask again in {retry_after_s:g} s.")
        self.retry_after_s = retry_after_s


class TooManyReads(TooMuchAtOnce):
    told = "Too much is asked at once with this key or session, and stations come first. Ask a few things at a time."


class TooManyLogIns(TooMuchAtOnce):
    told = "Too many people log in at once."


class TooManyLargeBodies(TooMuchAtOnce):
    told = "Too many large bodies are sent at once. Send one after the other."


class PartNumberMissing(RuncardError):
    """A new unit came without a part number, and no rule reads one from the serial number."""

    told = (
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
    """Of many, the first are named."""

    def __init__(self, serial_numbers: Sequence[str]) -> None:
        named, more = serial_numbers[:_MAX_NAMED], len(serial_numbers[_MAX_NAMED:])
        super().__init__(f"Sub-units not found: {', '.join(named)}{f' and {more} more' if more else ''}")


class CircularParentage(RuncardError):
    """A unit would become its own ancestor."""

    told = "Circular parent relationship not allowed"


class NotAChild(RuncardError):
    """A unit is to be taken out of one that it is no part of."""

    def __init__(self, serial_number: str, parent: str) -> None:
        super().__init__(f"Unit {serial_number} is not a child of unit {parent}")


class Conflict(RuncardError):
    """The request contradicts what is already recorded."""


class ClockDoubted(Conflict):
    """The clock says that nothing has happened for so long that it may be wrong, and data would be deleted by it."""

    def __init__(self, now: datetime, last_known: datetime) -> None:
        super().__init__(
            f"The clock says {now:%Y-%m-%d}, and the last that is known to have happened here was on "
            f"{last_known:%Y-%m-%d}, {(now - last_known).days} days before. By a wrong clock what is young would be "
            "deleted, so nothing is. Set the clock right; if it is, run `runcard retention --clock-is-right`."
        )


class AlreadyExists(Conflict):
    def __init__(self, noun: str, name: str) -> None:
        super().__init__(f"{noun} {name} already exists. Choose another name.")


class IdentifierTaken(Conflict):
    """whose: what it is or was, such as "is that of the procedure 'Board'"."""

    def __init__(self, identifier: str, whose: str) -> None:
        super().__init__(f"The identifier {identifier} {whose}. Choose another identifier.")


class BytesGone(Conflict):
    """Of a file in quarantine, the attachment store has nothing left."""

    told = "Its bytes are gone from the attachment store. Restore them, or discard it."


class NameTaken(Conflict):
    """A procedure of this name is there; another may have it, but hardly anybody means that."""

    def __init__(self, name: str, identifier: str, way_on: str) -> None:
        super().__init__(
            f"The procedure {identifier} is called {name!r} already, and two of one name are hard to tell apart. "
            f"Use {identifier}, or {way_on}."
        )


class Merged(Conflict):
    """Something is to be deleted that stands for another by now."""

    def __init__(self, name: str, identifier: str) -> None:
        super().__init__(
            f"It was merged into the procedure {name!r} ({identifier}), which would be deleted with all its runs. "
            "If that is meant, delete that one."
        )


class InUse(Conflict):
    """Something cannot be deleted while others name it."""

    def __init__(self, thing: str, count: int, users: str) -> None:
        super().__init__(f"{thing} still has {count} {users}. Delete or move those first.")


class UploadNotLinkable(Conflict):
    told = "Failed to sync upload with run"


class UploadTaken(Conflict):
    def __init__(self, upload_id: object) -> None:
        super().__init__(f"Upload {upload_id} is part of another run or unit already. Upload the file again.")


class ReportRecorded(Conflict):
    """An earlier file told of the same report. why: what makes it the same. position: of the new run among its own."""

    def __init__(self, run_id: object, why: str, position: int) -> None:
        super().__init__(
            f"Run {run_id} was recorded of the same report ({why}), which came in other bytes. To put this one in its "
            "place, import the file with replace (--replace, or the box on the page)."
        )
        self.position = position


class ReportRefused(RuncardError):
    """One of several reports of a file cannot be recorded. position: its place in the file, from 1."""

    def __init__(self, position: int, serial_number: str, cause: RuncardError) -> None:
        super().__init__(
            f"Report {position} of the file, of unit {serial_number}, was refused: {cause.summary}"
        )
        self.position = position
        self.serial_number = serial_number
        self.cause = cause


class Outage(RuncardError):
    """The server cannot do now what was asked, for a reason that is not in what was asked.

    detail: what the database or the disk says, for the log; callers are not told.
    """

    detail = ""

    def __init__(self, message: str = "", detail: str = "") -> None:
        super().__init__(message)
        self.detail = shortened(detail, _MOST_DETAIL)


class StorageUnavailable(Outage):
    """The place where files are kept did not answer."""


class StorageFull(StorageUnavailable):
    """The disk of the database or of the files takes no more."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(
            "The disk of the server is full. Nothing was recorded. Ask your admin to make room, then send it again.",
            detail,
        )


class StorageReadOnly(StorageUnavailable):
    """The disk or the database can be read and not written."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(
            "The server can only read its record now. Nothing was recorded. "
            "Ask your admin to make its disk or database writable, then send it again.",
            detail,
        )


class DatabaseUnavailable(Outage):
    """The database is away, has no connection or turn to give, or its disk fails."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(
            "The database of the server does not answer. Nothing was recorded. "
            "Try again in a moment; where it lasts, tell your admin.",
            detail,
        )


class CommitInDoubt(Outage):
    """The database went away while it committed, and may have done so before."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(
            "The database of the server went away while it recorded this, which may be recorded or not. "
            "Look for it before you send it again.",
            detail,
        )


class RecordingUnavailable(Outage):
    """Nothing could be written for a while, so whoever waited is told to come again. See ADR 30."""


class WriteTimedOut(RecordingUnavailable):
    """A write waited too long for its turn. It is withdrawn: nothing of it is recorded, now or later."""

    told = (
        "Nothing could be recorded for a while. This request is withdrawn and has changed nothing; "
        "send it again in a few seconds."
    )


class OutcomeUnknown(RecordingUnavailable):
    """The process that held a run has ended, and the database does not say whether the run is recorded."""

    told = (
        "Nothing could be recorded for a while, and whether this run is recorded cannot be told now. "
        "Look for it before you send it again, or send it again with the same client_run_ref."
    )
