"""Comments, tags and causes of what the server has: noted at once, and not kept in the spool."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Union

from runcard_client.api import Api
from runcard_client.records import text_of
from runcard_client.report import FileReport

# The id of one thing, or the ids of several.
Things = Union[str, Sequence[str]]


class Notes:
    """Notes on runs, phases, measurements, units, batches and stations, which are named by their ids.

    Every method raises Refused where nothing was noted, and Unavailable.
    """

    def __init__(self, api: Api) -> None:
        self._api = api

    def comment(self, thing: str, text: str, *, files: Sequence[FileReport] = ()) -> str:
        """Comment on a thing, and return the id of the comment.

        text: Markdown. `@` and the e-mail or the name of a member mention them.
        """
        file_ids = [self._upload(file) for file in files]
        body = {"thing_id": thing, "text": text, "file_ids": file_ids}
        return text_of(self._api.post_own("/comments", body), "id")

    def tag(self, things: Things, *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> list[str]:
        """Give things tags, by name, and take tags from them. Return the ids of the things that changed.

        At most 10 000 things at once. If a thing or a tag is unknown, nothing is changed.
        """
        body = {"thing_ids": _listed(things), "add": _listed(add), "remove": _listed(remove)}
        return _changed(self._api.post_own("/tags/apply", body))

    def set_cause(self, things: Things, cause: str | None) -> list[str]:
        """Give things a cause, by code, in place of any other; None: take it away. Return the ids of what changed.

        At most 10 000 things at once. If a thing or the cause is unknown, nothing is changed.
        """
        return _changed(self._api.post_own("/causes/apply", {"thing_ids": _listed(things), "cause": cause}))

    def _upload(self, file: FileReport) -> str:
        slot = self._api.post("/attachments", {"name": file.name})
        upload_id = text_of(slot, "id")
        self._api.put_file(text_of(slot, "upload_url"), file.content, file.content_type)
        self._api.post(f"/attachments/{upload_id}/finalize")
        return upload_id


def _listed(texts: Things) -> list[str]:
    """The texts as a list; a single one is no list of its letters."""
    return [texts] if isinstance(texts, str) else list(texts)


def _changed(answer: object) -> list[str]:
    changed = answer.get("changed_ids") if isinstance(answer, dict) else None
    return [str(one) for one in changed] if isinstance(changed, list) else []
