"""Everything that can be wrong, named by what is wrong.

Each message names the field or thing, the value, and the mend. `edge.errors` maps each class to its HTTP status.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

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
    told = "; ".join(f"{issue.location}: {issue.message}" for issue in issues[:_SHOWN_ISSUES])
    return f"{message}: {told}" if told else message


class RuncardError(Exception):
    """Root of all errors that Runcard itself raises."""

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
    """The input was readable but breaks its schema or a rule on a single field."""

    def __init__(self, issues: Sequence[Issue]) -> None:
        super().__init__("Input validation failed")
        self.issues = tuple(issues)

    @property
    def summary(self) -> str:
        return in_one_line(self.message, self.issues)

    @classmethod
    def at(cls, path: str | tuple[str | int, ...], message: str) -> "InvalidInput":
        return cls([Issue((path,) if isinstance(path, str) else path, message)])


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

    def __init__(self, message: str = "Invalid API key.") -> None:
        super().__init__(message)


class PermissionDenied(RuncardError):
    """The caller is known and may not do this."""


class StationNotAuthorized(PermissionDenied):
    """A station named a procedure that it is not linked to, or that does not exist."""

    def __init__(self) -> None:
        super().__init__("Station is not authorized for this procedure.")


class CreationForbidden(PermissionDenied):
    """The organization does not let stations create what this run would create."""

    def __init__(self, entities: Sequence[str]) -> None:
        super().__init__("; ".join(f"{entity} creation failed." for entity in entities))


class QuotaExceeded(PermissionDenied):
    """The organization has recorded as many runs this month as its admin allows."""

    def __init__(self) -> None:
        super().__init__("Monthly limit exceeded.")


class SignatureInvalid(PermissionDenied):
    """A signed URL was tampered with or has expired."""


class FormExpired(PermissionDenied):
    """A form came without the token that its page was given, or with that of another session."""

    def __init__(self) -> None:
        super().__init__("This form has expired. Go back, reload the page and send it again.")


class NotFound(RuncardError):
    """What the caller addressed does not exist in the caller's organization."""


class ProcedureNotFound(NotFound):
    def __init__(self, reference: str) -> None:
        super().__init__(
            f"Procedure with ID {reference} does not exist. Create the procedure first in the app."
        )


class OperatorNotFound(NotFound):
    def __init__(self, email: str) -> None:
        super().__init__(f"Operator with email {email} does not exist. Create the user first in the app.")


class UnitNotFound(NotFound):
    def __init__(self, serial_number: str) -> None:
        super().__init__(f"Unit not found: {serial_number}")


class PartNotFound(NotFound):
    def __init__(self, number: str) -> None:
        super().__init__(f"Part not found: {number}")


class RevisionNotFound(NotFound):
    def __init__(self, part_number: str, number: str) -> None:
        super().__init__(f"Revision not found: {number} of part {part_number}")


class BatchNotFound(NotFound):
    def __init__(self, number: str) -> None:
        super().__init__(f"Batch not found: {number}")


class VersionNotFound(NotFound):
    def __init__(self, tag: str) -> None:
        super().__init__(f"Version not found: {tag}")


class StationNotFound(NotFound):
    def __init__(self, station_id: object) -> None:
        super().__init__(f"Station not found: {station_id}")


class TeamNotFound(NotFound):
    def __init__(self, team_id: object) -> None:
        super().__init__(f"Team not found: {team_id}. `runcard team list` shows those that exist.")


class RunNotFound(NotFound):
    def __init__(self, run_id: object) -> None:
        super().__init__(f"Run not found: {run_id}")


class PhaseNotFound(NotFound):
    def __init__(self, phase_id: object) -> None:
        super().__init__(f"Phase not found: {phase_id}")


class MeasurementNotFound(NotFound):
    def __init__(self, measurement_id: object) -> None:
        super().__init__(f"Measurement not found: {measurement_id}")


class LogNotFound(NotFound):
    def __init__(self, log_id: object) -> None:
        super().__init__(f"Log not found: {log_id}")


class AttachmentNotFound(NotFound):
    def __init__(self, upload_id: object) -> None:
        super().__init__(f"Upload not found: {upload_id}. Initialize an upload and PUT its bytes first.")


class ImportTemplateNotFound(NotFound):
    def __init__(self, template_id: object) -> None:
        super().__init__(f"Import template not found: {template_id}")


class FileImportNotFound(NotFound):
    def __init__(self, import_id: object) -> None:
        super().__init__(f"Import not found: {import_id}")


class QuarantinedFileNotFound(NotFound):
    def __init__(self, file_id: object) -> None:
        super().__init__(
            f"No file with id {file_id} is in quarantine. It may have been imported or discarded since."
        )


class DeploymentNotFound(NotFound):
    def __init__(self, deployment_id: object) -> None:
        super().__init__(f"Deployment not found: {deployment_id}")


class ApiCallNotFound(NotFound):
    def __init__(self, call_id: object) -> None:
        super().__init__(f"API call not found: {call_id}. Calls are kept for a while only.")


class SetupLinkSpent(NotFound):
    def __init__(self) -> None:
        super().__init__(
            "This set-up link is unknown or was used already. As long as nothing is set up, "
            "the command runcard serve prints a fresh link when it starts."
        )


class InvitationSpent(NotFound):
    def __init__(self) -> None:
        super().__init__(
            "This invitation is unknown, was used already, was taken back, or has expired. Ask for a new one."
        )


class QueryTooSlow(RuncardError):
    """A list took longer to make than this server gives it."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"The list was not ready within {seconds:g} s. Narrow its filters, such as a span of time, serial "
            "numbers or names, and ask again."
        )


class FiguresUnavailable(RuncardError):
    """Questions cannot be answered here or now: the columnar copy is not kept, or is being mended."""


class TooManyAttempts(RuncardError):
    """Somebody failed to log in too often of late."""

    def __init__(self) -> None:
        super().__init__("Too many log-ins have failed. Wait five minutes and try again.")


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

    def __init__(self) -> None:
        super().__init__(
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

    def __init__(self) -> None:
        super().__init__("Circular parent relationship not allowed")


class NotAChild(RuncardError):
    """A unit is to be taken out of one that it is no part of."""

    def __init__(self, serial_number: str, parent: str) -> None:
        super().__init__(f"Unit {serial_number} is not a child of unit {parent}")


class Conflict(RuncardError):
    """The request contradicts what is already recorded."""


class AlreadyExists(Conflict):
    def __init__(self, noun: str, name: str) -> None:
        super().__init__(f"{noun} {name} already exists. Choose another name.")


class InUse(Conflict):
    """Something cannot be deleted while others name it."""

    def __init__(self, thing: str, count: int, users: str) -> None:
        super().__init__(f"{thing} still has {count} {users}. Delete or move those first.")


class UploadNotLinkable(Conflict):
    def __init__(self) -> None:
        super().__init__("Failed to sync upload with run")


class UploadTaken(Conflict):
    def __init__(self, upload_id: object) -> None:
        super().__init__(f"Upload {upload_id} is part of another run or unit already. Upload the file again.")


class ReportRefused(RuncardError):
    """One of several reports of a file cannot be recorded. position: its place in the file, from 1."""

    def __init__(self, position: int, serial_number: str, cause: RuncardError) -> None:
        super().__init__(
            f"Report {position} of the file, of unit {serial_number}, was refused: {cause.summary}"
        )
        self.position = position


class StorageUnavailable(RuncardError):
    """The place where files are kept did not answer."""
