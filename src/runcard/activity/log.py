"""A thread that stores the API calls once a second.

Calls that wait to be stored are lost when the process dies: this log is no record.
"""

import logging
import threading
import time
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, TypeVar

from starlette.routing import BaseRoute

from runcard.activity.blanking import blanked_form, blanked_json
from runcard.activity.noted_calls import MOST_WAITING, Note, Notes
from runcard.auth.tokens import bearer_token, digest_of
from runcard.domain.errors import Unauthenticated
from runcard.store.calls.rows import Call, Caller, Route, create_api_calls, insert_calls, prune_calls
from runcard.store.engine.database import DATABASE_ERRORS, Connection, Database
from runcard.store.engine.outages import is_damage
from runcard.store.people.api_keys import KeyOwner, find_key_owner
from runcard.store.people.organizations import find_only_organization

T = TypeVar("T")

_log = logging.getLogger(__name__)

_BATCH = 500
_PAUSE_S = 1.0
_PAUSE_AFTER_FAILURE_S = 60.0
_PRUNE_EVERY_S = 3600.0
_MOST_TEXT = 300
_MOST_REMEMBERED = 1000

_FORM = "application/x-www-form-urlencoded"
# Types of bodies that secrets can be removed from; other bodies are not stored.
_KEPT_TYPES = ("", "application/json", "text/plain", _FORM)


class Endpoints(NamedTuple):
    """prefixes: of the APIs' routes. plain: paths that are called without routing. old: prefixes of the APIs for old
    clients, whose calls are all deprecated.
    """

    prefixes: Sequence[str]
    plain: Collection[str]
    old: tuple[str, ...]

    def template_of(self, path: str, route: BaseRoute | None) -> str | None:
        """The template of a path, such as "/api/v2/runs/{id}"; None for a path that Runcard does not serve.

        route: the one that was found for the path; None: none, or the path is called without routing.
        """
        if path in self.plain:
            return path
        own: str | None = getattr(route, "path", None)
        prefix = next((prefix for prefix in self.prefixes if path.startswith(f"{prefix}/")), None)
        if own is None or prefix is None or own.startswith(f"{prefix}/"):
            return own
        return prefix + own


class _Sender(NamedTuple):
    """The headers that identify the caller."""

    authorization: bytes = b""
    user_agent: bytes = b""
    client_type: bytes = b""
    client_version: bytes = b""


_FIELDS = {
    b"authorization": 0,
    b"user-agent": 1,
    b"x-client-type": 2,
    b"x-client-version": 3,
}


class ActivityLog:
    """Turns waiting notes into stored calls, until it is closed."""

    def __init__(
        self, notes: Notes, endpoints: Endpoints, database: Database, truth: Database, keep: timedelta
    ) -> None:
        """database: stores the calls. truth: the database with the API keys. keep: how long calls are kept."""
        self.database = database
        self.keep = keep
        self._notes = notes
        self._endpoints = endpoints
        self._truth = truth
        self._owners: dict[bytes, KeyOwner] = {}
        self._is_ready = False
        # How often the file was replaced by an empty one.
        self._restarts = 0
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="runcard-activity", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread after storing everything that waits, and close the database if it holds only calls."""
        self._closing.set()
        self._thread.join()
        if self.database is not self._truth:
            self.database.close()

    def write_waiting(self) -> None:
        """Store every call that was answered before now."""
        with self._lock:
            try:
                self._write_all()
            except DATABASE_ERRORS as error:
                self._restart_file(error)
                self._write_all()

    def ask(self, question: Callable[[Connection], T]) -> T:
        """The answer to a question about the stored calls. A damaged file is first replaced by an empty one."""
        restarts = self._restarts
        try:
            with self.database.read() as connection:
                return question(connection)
        except DATABASE_ERRORS as error:
            with self._lock:
                if self._restarts == restarts:  # no other thread has replaced the file since
                    self._restart_file(error)
            with self.database.read() as connection:
                return question(connection)

    def _restart_file(self, error: Exception) -> None:
        """Set a damaged file aside and create an empty one. Raises the error again if it is anything but damage."""
        if self.database is self._truth or not is_damage(error):
            raise error
        aside = self.database.set_aside()
        reason = str(error).partition("\n")[0]
        _log.warning(
            "The log of API calls is damaged and is begun anew; the old file is now %s: %s", aside, reason
        )
        create_api_calls(self.database)
        self._restarts += 1

    def _write_all(self) -> None:
        if not self._is_ready:
            create_api_calls(self.database)
            self._is_ready = True
        if len(self._notes) == MOST_WAITING:
            _log.warning("more than %d API calls waited to be stored: the oldest were dropped", MOST_WAITING)
        while self._notes:
            self._write([self._notes.popleft() for _ in range(min(_BATCH, len(self._notes)))])

    def _loop(self) -> None:
        pruned_s: float | None = None
        pause_s, is_last = 0.0, False
        while not is_last:
            is_last = self._closing.wait(pause_s)
            pause_s = _PAUSE_S
            try:
                self.write_waiting()
                if pruned_s is None or time.monotonic() - pruned_s >= _PRUNE_EVERY_S:
                    pruned_s = time.monotonic()
                    self._prune()
            # No request waits for this. The notes are dropped, so that they do not pile up.
            except DATABASE_ERRORS as error:
                _log.warning("API calls could not be stored and are dropped; next try in a minute: %s", error)
                self._notes.clear()
                # If somebody removed the file, its tables are gone too.
                self._is_ready = False
                pause_s = _PAUSE_AFTER_FAILURE_S

    def _prune(self) -> None:
        before = datetime.now(UTC) - self.keep
        with self._lock:
            try:
                prune_calls(self.database, before)
            except DATABASE_ERRORS as error:
                self._restart_file(error)

    def _write(self, notes: Sequence[Note]) -> None:
        by_sender: dict[_Sender, list[Note]] = {}
        for note in notes:
            by_sender.setdefault(_sender_of(note), []).append(note)
        calls: dict[Caller, list[Call]] = {}
        with self._truth.read() as connection:
            for sender, sent in by_sender.items():
                caller = self._caller(connection, sender)
                if caller is not None:
                    calls.setdefault(caller, []).extend(self._call(note) for note in sent)
        if calls:
            insert_calls(self.database, calls)

    def _caller(self, connection: Connection, sender: _Sender) -> Caller | None:
        """The caller. An unknown key counts for the only organization; None where there are several."""
        owner = self._owner(connection, sender)
        organization_id = find_only_organization(connection) if owner is None else owner.organization_id
        if organization_id is None:
            return None
        agent = _text(sender.user_agent)
        product, _, version = agent.partition(" ")[0].partition("/")
        client, client_version = _text(sender.client_type), _text(sender.client_version)
        return Caller(
            organization_id=organization_id,
            key_prefix="" if owner is None else owner.prefix,
            owner_id=None if owner is None else owner.owner_id,
            client=client or product,
            client_version=client_version if client else version,
            user_agent=agent,
        )

    def _owner(self, connection: Connection, sender: _Sender) -> KeyOwner | None:
        try:
            digest = digest_of(bearer_token(sender.authorization.decode("latin-1")))
        except Unauthenticated:
            return None
        owner = self._owners.get(digest) or find_key_owner(connection, digest)
        if owner is not None:
            if len(self._owners) >= _MOST_REMEMBERED:
                self._owners.clear()
            self._owners[digest] = owner
        return owner

    def _call(self, note: Note) -> Call:
        route = self._route(note)
        # Failed calls are rare, so blanking may be slow.
        return Call(
            at_us=round((note.at_s - note.duration_s) * 1e6),
            duration_us=round(note.duration_s * 1e6),
            status=note.status,
            route=route,
            path=None if note.path == route.path else _clean(note.path)[:_MOST_TEXT],
            query=blanked_form(_text(note.query)) or None if note.query else None,
            body=_body(note) if note.body else None,
            answer=blanked_json(_clean(note.answer.decode("utf-8", "replace"))) if note.answer else None,
            request_id=note.request_id,
        )

    def _route(self, note: Note) -> Route:
        is_deprecated = note.path.startswith(self._endpoints.old) or bool(
            getattr(note.route, "deprecated", None)
        )
        return Route(note.method, self._endpoints.template_of(note.path, note.route), is_deprecated)


def _sender_of(note: Note) -> _Sender:
    values = [b"", b"", b"", b""]
    for name, value in note.headers:
        if (place := _FIELDS.get(name)) is not None and not values[place]:
            values[place] = value
    return _Sender(*values)


def _body(note: Note) -> str | None:
    kinds = [value for name, value in note.headers if name == b"content-type"]
    media = _text(kinds[0] if kinds else b"").partition(";")[0].strip().lower()
    if media not in _KEPT_TYPES:
        return None
    text = _clean(note.body.decode("utf-8", "replace"))
    return blanked_form(text) if media == _FORM else blanked_json(text)


def _text(value: bytes) -> str:
    return _clean(value[:_MOST_TEXT].decode("latin-1"))


def _clean(text: str) -> str:
    """The text without NUL characters, which PostgreSQL refuses."""
    return text.replace("\0", "\ufffd")
