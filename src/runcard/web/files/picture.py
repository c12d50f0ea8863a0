"""Pictures that pages show."""

from fastapi import APIRouter
from starlette.responses import Response

from runcard.domain.errors import AttachmentNotFound
from runcard.edge.files.transfers import file_answer
from runcard.edge.requests.ids import id_of
from runcard.edge.requests.services import WithServices
from runcard.store.files.attachments import get_attachment
from runcard.web.frame.visit import WithVisit

router = APIRouter()


@router.get("/pictures/{picture_id}")
def show_picture(services: WithServices, visit: WithVisit, picture_id: str) -> Response:
    """A picture of the reader's organization. It comes from this server even if an object store has its bytes,
    because pages show nothing from another server.
    """
    attachment_id = id_of(picture_id, AttachmentNotFound)
    with services.database.read_in(visit.actor.organization_id) as scope:
        attachment = get_attachment(scope, attachment_id)
    return file_answer(services, attachment)
