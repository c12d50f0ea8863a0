"""The card of retention in the settings of an organization: how long runs and files are kept, and what is deleted."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from runcard.activity.log import ActivityLog
from runcard.domain.errors import ClockDoubted, InvalidInput
from runcard.domain.floor.organization import Organization
from runcard.domain.floor.retention import BIN_DAYS, Amount, Retention, check_days
from runcard.store.engine.scope import Scope
from runcard.store.retention.log import RemovedDay, find_swept_at, list_removed_days
from runcard.store.retention.old_records import Due, Forecast, count_kept, forecast
from runcard.upkeep.sweeps import check_clock
from runcard.web.frame.formats import Moment, count_text, moment_of, size_text
from runcard.web.frame.forms import Fields, problems_of, whole_number

_RUN_DAYS, _FILE_DAYS = "run_retention_days", "file_retention_days"
_CONFIRMED = "confirmed"
_DAYS_SHOWN = 7


class ShareLine(NamedTuple):
    """How much of something would be deleted. of: how much there is. percent: of that. span: the days it comes from."""

    name: str
    goes: str
    of: str
    percent: str
    span: str


class RemovedLine(NamedTuple):
    day: str
    runs: str
    files: str
    size: str


class Question(NamedTuple):
    """What a member must confirm. answer: the value with which the form confirms exactly these numbers of days."""

    what: str
    answer: str


class RetentionCard(NamedTuple):
    """run_days, file_days, bin_days: as they stand in the form. says, shares: what these would delete. swept_at: None:
    never yet.

    doubt: why nothing is deleted now; else empty. calls_kept: how long the server keeps API calls; empty if it records
    none.
    """

    run_days: str
    file_days: str
    bin_days: str
    usual_bin_days: int
    broken: Sequence[str]
    says: str
    shares: Sequence[ShareLine]
    is_set: bool
    swept_at: Moment | None
    doubt: str
    removed: Sequence[RemovedLine]
    calls_kept: str


def retention_in(fields: Fields) -> Retention:
    """The retention that a form sets. Raises InvalidInput."""
    retention = Retention(*(whole_number(fields, name, "days") for name in (_RUN_DAYS, _FILE_DAYS)))
    check_days(_RUN_DAYS, retention.run_days)
    check_days(_FILE_DAYS, retention.file_days)
    return retention


def question_about(scope: Scope, now: Organization, retention: Retention, fields: Fields) -> Question | None:
    """What a member must confirm before these settings are saved; None: nothing, or they have confirmed it."""
    answer = f"{retention.run_days or ''}/{retention.file_days or ''}"
    if retention == now.retention or fields.get(_CONFIRMED) == answer:
        return None
    due = forecast(scope, retention.cutoffs(datetime.now(UTC)))
    return None if due.is_empty else Question(_in_words(due), answer)


def retention_card(
    scope: Scope,
    now: Organization,
    fields: Fields | None,
    activity: ActivityLog | None,
    zone: ZoneInfo,
    *,
    shows_due: bool,
) -> RetentionCard:
    """The card with the settings of an organization, or with what was filled in.

    shows_due: also show what the filled-in settings would delete.
    """
    says, broken = "", None
    shares: Sequence[ShareLine] = ()
    if fields is not None and shows_due:
        try:
            says, shares = _preview(scope, retention_in(fields), zone)
        except InvalidInput as error:
            broken = error
    swept_at = find_swept_at(scope)
    return RetentionCard(
        run_days=_shown(now.run_retention_days) if fields is None else fields.get(_RUN_DAYS, ""),
        file_days=_shown(now.file_retention_days) if fields is None else fields.get(_FILE_DAYS, ""),
        bin_days=_shown(now.bin_days) if fields is None else fields.get("bin_days", ""),
        usual_bin_days=BIN_DAYS,
        broken=problems_of(broken),
        says=says,
        shares=shares,
        is_set=now.retention.is_set,
        swept_at=None if swept_at is None else moment_of(swept_at, zone),
        doubt=_doubt(scope, now),
        removed=[_removed_line(one) for one in list_removed_days(scope, _DAYS_SHOWN)],
        calls_kept="" if activity is None else f"{activity.keep.days} days",
    )


def _doubt(scope: Scope, now: Organization) -> str:
    if not now.retention.is_set:
        return ""
    try:
        check_clock(scope, datetime.now(UTC))
    except ClockDoubted as error:
        return str(error)
    return ""


def _shown(days: int | None) -> str:
    return "" if days is None else str(days)


def _preview(scope: Scope, retention: Retention, zone: ZoneInfo) -> tuple[str, Sequence[ShareLine]]:
    if not retention.is_set:
        return "Everything is kept for ever.", []
    due = forecast(scope, retention.cutoffs(datetime.now(UTC)))
    if due.is_empty:
        return "Nothing is that old yet.", []
    kept = count_kept(scope)
    return "", [
        _share("Runs", due.runs, kept.runs, f"started {_span(due.runs, zone)}"),
        _share("Files", due.files, kept.files, f"attached {_span(due.files, zone)}"),
        _room(due.size_bytes, kept),
    ]


def _share(name: str, due: Due, of: int, span: str) -> ShareLine:
    percent = _percent(due.total, of)
    return ShareLine(name, count_text(due.total), count_text(of), percent, span if due.total else "")


def _room(size_bytes: int, kept: Amount) -> ShareLine:
    percent = _percent(size_bytes, kept.size_bytes)
    return ShareLine("Size of files", size_text(size_bytes), size_text(kept.size_bytes), percent, "")


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}" if whole else "0"


def _span(due: Due, zone: ZoneInfo) -> str:
    if due.oldest_at is None or due.newest_at is None:
        return ""
    first, last = moment_of(due.oldest_at, zone).date, moment_of(due.newest_at, zone).date
    return first if first == last else f"{first} to {last}"


def _in_words(due: Forecast) -> str:
    runs, files = due.runs.total, due.files.total
    amounts = [f"{count_text(runs)} run{'' if runs == 1 else 's'}"] if runs else []
    if files:
        amounts.append(f"{count_text(files)} file{'' if files == 1 else 's'} ({size_text(due.size_bytes)})")
    # Numbers stay in one line.
    return " and ".join(amounts).replace("\u2009", "\u202f")


def _removed_line(removed_day: RemovedDay) -> RemovedLine:
    removed = removed_day.removed
    return RemovedLine(
        f"{removed_day.day:%Y-%m-%d}",
        count_text(removed.runs),
        count_text(removed.files),
        size_text(removed.size_bytes),
    )
