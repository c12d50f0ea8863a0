"""The facts about a record, each a name and a value."""

from collections.abc import Mapping
from typing import NamedTuple

from runcard.domain.metadata import MetadataValue
from runcard.store.lists.refs import CreatedBy
from runcard.web.frame.formats import number_text


class Fact(NamedTuple):
    name: str
    value: str
    url: str = ""


def metadata_facts(metadata: Mapping[str, MetadataValue]) -> list[Fact]:
    return [Fact(key, _text(value)) for key, value in metadata.items()]


def creator_name(created_by: CreatedBy) -> str:
    """The name of the member or station that made a record; empty if neither did."""
    creator = created_by.user or created_by.station
    return creator.name if creator else ""


def _text(value: MetadataValue) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return number_text(value)
        case str():
            return value
