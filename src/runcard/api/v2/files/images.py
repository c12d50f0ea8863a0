"""Images of records: uploads that a change names."""

from uuid import UUID

from runcard.domain.errors import AttachmentNotFound
from runcard.edge.requests.ids import id_of
from runcard.store.engine.scope import Scope
from runcard.store.files.attachments import get_attachment


def image_id_of(scope: Scope, text: str) -> UUID | None:
    """The upload with this id, whose bytes may still be to come; None for an empty text, which takes an image away.

    Raises AttachmentNotFound.
    """
    if not text:
        return None
    return get_attachment(scope, id_of(text, AttachmentNotFound)).id
