"""Images of records: a change names an upload."""

from uuid import UUID

from runcard.domain.errors import AttachmentNotFound
from runcard.edge.requests.ids import id_of
from runcard.store.engine.scope import Scope
from runcard.store.files.attachments import get_attachment


def image_id_of(scope: Scope, text: str) -> UUID | None:
    """The upload with this id, whose bytes may not have arrived yet; None for an empty text, which removes an image.

    Raises AttachmentNotFound.
    """
    if not text:
        return None
    return get_attachment(scope, id_of(text, AttachmentNotFound)).id
