"""What a server does when its SQLite file has moved to PostgreSQL: it ends, and starts again on the new database."""

import logging
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager

import uvicorn
from msgspec.structs import replace

from runcard.settings import Settings, SettingsError, load_settings
from runcard.store.engine.database import DATABASE_ERRORS, Database
from runcard.store.moving.journal import is_closed

_log = logging.getLogger(__name__)

# How often the server looks whether its file has moved. Meanwhile writes fail as in an outage, and are sent again.
_LOOK_S = 0.5


class FollowedMove:
    """moved: how the server has to start again, and the sockets that go on listening; None: it has not moved."""

    def __init__(
        self, settings: Settings, server: uvicorn.Server, listeners: Sequence[socket.socket]
    ) -> None:
        self.moved: tuple[Settings, list[socket.socket]] | None = None
        self._settings = settings
        self._server = server
        self._listeners = listeners
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="runcard-move", daemon=True)

    def begin(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._is_over.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _look(self) -> None:
        has_told = False
        with closing(Database.open(None, self._settings.sqlite_path)) as database:
            while not self._is_over.wait(_LOOK_S):
                if not _has_moved(database):
                    continue
                url = _new_url(self._settings)
                if url is not None:
                    self._start_again(url)
                    return
                if not has_told:
                    _log.error(
                        "the database has moved to PostgreSQL, and nothing can be recorded until database_url is set: "
                        "let `runcard move` end, or set it and start this server again"
                    )
                    has_told = True

    def _start_again(self, url: str) -> None:
        _log.warning("the database has moved to PostgreSQL: the server starts again on it")
        # uvicorn closes its sockets when it ends; who connects meanwhile waits.
        self.moved = (
            replace(self._settings, database_url=url),
            [listener.dup() for listener in self._listeners],
        )
        self._server.should_exit = True


@contextmanager
def following_move(
    settings: Settings, server: uvicorn.Server, listeners: Sequence[socket.socket]
) -> Iterator[FollowedMove]:
    """A block in which a thread stops the server when its SQLite file has moved. It does nothing on PostgreSQL."""
    follow = FollowedMove(settings, server, listeners)
    if settings.database_url is None:
        follow.begin()
    try:
        yield follow
    finally:
        follow.end()


def _has_moved(database: Database) -> bool:
    try:
        return is_closed(database)
    except DATABASE_ERRORS:  # readiness tells of a file that cannot be read
        return False


def _new_url(settings: Settings) -> str | None:
    try:
        return load_settings(data_dir=settings.data_dir).database_url
    except SettingsError:
        _log.exception("the settings of the database that Runcard moved to cannot be read")
        return None
