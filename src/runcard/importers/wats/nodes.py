"""Elements of WSXF. Names of elements and attributes are compared without case and namespace."""

from collections.abc import Collection

from runcard.importers.content.xml_stream import Element, name_of


class Node:
    """An element whose attributes and children are found by their names in lower case."""

    def __init__(self, element: Element) -> None:
        self.text = None if element.text is None else str(element.text)
        self._attributes = {
            str(name).rpartition("}")[2].lower(): str(value) for name, value in element.items()
        }
        self._children: dict[str, list[Element]] = {}
        for child in element:
            self._children.setdefault(name_of(child).lower(), []).append(child)

    @property
    def inside(self) -> Collection[str]:
        """The names of its children, in lower case."""
        return self._children.keys()

    def get(self, *attributes: str) -> str | None:
        """The value of the first of these attributes that the element has; None where it has none."""
        return next((self._attributes[name] for name in attributes if name in self._attributes), None)

    def all(self, *names: str) -> list["Node"]:
        return [Node(child) for name in names for child in self._children.get(name, ())]

    def first(self, name: str) -> "Node | None":
        return next(iter(self.all(name)), None)

    def text_in(self, name: str) -> str | None:
        child = self.first(name)
        return None if child is None else child.text
