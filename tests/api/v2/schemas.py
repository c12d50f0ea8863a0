"""Two OpenAPI documents beside each other: where one says something else of a field than the other."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

Json = Mapping[str, Any]


class Shape(NamedTuple):
    """What a schema allows, with references followed. `kinds`: number, string, boolean, object, array, any."""

    kinds: frozenset[str]
    is_nullable: bool
    enum: frozenset[str]
    options: tuple[Json, ...]


class Document:
    """An OpenAPI document; `prefix` stands before the paths that both have."""

    def __init__(self, document: Json, prefix: str) -> None:
        self.document = document
        self._prefix = prefix

    def operation(self, path: str, method: str) -> Json:
        return next(found for where, how, found in self.operations() if (where, how) == (path, method))

    def operations(self) -> Iterator[tuple[str, str, Json]]:
        for path, operations in self.document["paths"].items():
            for method, operation in operations.items():
                if path.startswith(self._prefix):
                    yield path.removeprefix(self._prefix).replace(":path}", "}"), method, operation

    def resolved(self, schema: Json) -> Json:
        while "$ref" in schema:
            schema = self.document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return schema

    def shape(self, schema: Json) -> Shape:
        options = list(self._options(schema))
        kinds = {kind for option in options for kind in _kinds(option)}
        enum = {value for option in options for value in option.get("enum", [option.get("const")])}
        return Shape(frozenset(kinds - {"null"}), "null" in kinds, frozenset(enum - {None}), tuple(options))

    def _options(self, schema: Json) -> Iterator[Json]:
        schema = self.resolved(schema)
        alternatives = schema.get("anyOf") or schema.get("oneOf")
        if alternatives is None:
            yield schema
            return
        for alternative in alternatives:
            yield from self._options(alternative)


def _kinds(schema: Json) -> set[str]:
    kinds = schema.get("type", [])
    found = {kinds} if isinstance(kinds, str) else set(kinds)
    if not found and "enum" in schema:
        found = {"null" if value is None else "string" for value in schema["enum"]}
    if not found and "const" in schema:
        found = {"string"}
    # Clients write whole numbers as floats, and read both alike.
    return {"number" if kind == "integer" else kind for kind in found} or {"any"}


def differences(
    contract: Document,
    served: Document,
    theirs: Json,
    ours: Json,
    where: str,
    *,
    is_request: bool,
    depth: int = 0,
) -> Iterator[str]:
    """Each field of which the two say something else, as `place: what`."""
    if depth > 12:  # a schema that holds itself
        return
    wanted, given = contract.shape(theirs), served.shape(ours)
    if wanted.kinds != given.kinds:
        yield f"{where}: {_listed(given.kinds)} for {_listed(wanted.kinds)}"
        return
    if wanted.enum != given.enum:
        yield f"{where}: enum {_listed(given.enum)} for {_listed(wanted.enum)}"
    # A query cannot say null.
    if wanted.is_nullable and not given.is_nullable and " query." not in where:
        yield f"{where}: never null"
    if given.is_nullable and not wanted.is_nullable and not is_request:
        yield f"{where}: may be null"
    yield from _of_arrays(contract, served, wanted, given, where, is_request, depth)
    yield from _of_objects(contract, served, wanted, given, where, is_request, depth)


def _of_arrays(
    contract: Document,
    served: Document,
    wanted: Shape,
    given: Shape,
    where: str,
    is_request: bool,
    depth: int,
) -> Iterator[str]:
    theirs = [option["items"] for option in wanted.options if option.get("items")]
    ours = [option["items"] for option in given.options if option.get("items")]
    if len(theirs) == len(ours) == 1:
        yield from differences(
            contract, served, theirs[0], ours[0], f"{where}[]", is_request=is_request, depth=depth + 1
        )
    elif len(theirs) != len(ours):
        yield f"{where}: {len(ours)} kinds of lists for {len(theirs)}"


def _of_objects(
    contract: Document,
    served: Document,
    wanted: Shape,
    given: Shape,
    where: str,
    is_request: bool,
    depth: int,
) -> Iterator[str]:
    theirs = [option for option in wanted.options if "properties" in option]
    ours = [option for option in given.options if "properties" in option]
    if len(theirs) != len(ours):
        yield f"{where}: {len(ours)} kinds of objects for {len(theirs)}"
        return
    for their, our in zip(theirs, ours, strict=True):
        for name, schema in their["properties"].items():
            if name not in our["properties"]:
                yield f"{where}.{name}: missing"
                continue
            yield from differences(
                contract,
                served,
                schema,
                our["properties"][name],
                f"{where}.{name}",
                is_request=is_request,
                depth=depth + 1,
            )
        required, may_lack = set(their.get("required", [])), set(our.get("required", []))
        if is_request and may_lack - required:
            yield f"{where}: requires {_listed(may_lack - required)}"
        if not is_request and required - may_lack:
            yield f"{where}: may lack {_listed(required - may_lack)}"


def _listed(names: Any) -> str:
    return "|".join(sorted(names)) or "anything"
