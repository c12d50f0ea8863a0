"""Every place where JSON comes in, by what the server says of itself, and requests that are right but for one piece."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

Schema = Mapping[str, Any]
Path = tuple[str, ...]

# Deep enough for a validator of an aggregation of an axis.
_MOST_STEPS = 12
_ITEM, _ANY_KEY = "[]", "{}"


class Door(NamedTuple):
    """An operation that takes a body, or a query."""

    method: str
    path: str
    body: Schema | None
    query: Mapping[str, Schema]
    needed: Mapping[str, Schema]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class Doors:
    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document

    def all(self) -> Iterator[Door]:
        for path, operations in self._document["paths"].items():
            for method, told in operations.items():
                content = told.get("requestBody", {}).get("content", {})
                asked = [one for one in told.get("parameters", ()) if one["in"] == "query"]
                query = {one["name"]: one["schema"] for one in asked}
                needed = {one["name"]: one["schema"] for one in asked if one["required"]}
                body = content.get("application/json", {}).get("schema")
                if body is not None or query:
                    yield Door(method.upper(), path, body, query, needed)

    def pieces(self, schema: Schema, path: Path = ()) -> Iterator[Path]:
        """The way to each value that a body may hold, itself included."""
        yield path
        if len(path) >= _MOST_STEPS:
            return
        for option in self._options(schema):
            for name, inner in option.get("properties", {}).items():
                if path.count(name) == 0:
                    yield from self.pieces(inner, (*path, name))
            if isinstance(items := option.get("items"), dict) and items:
                yield from self.pieces(items, (*path, _ITEM))
            if isinstance(more := option.get("additionalProperties"), dict) and more:
                yield from self.pieces(more, (*path, _ANY_KEY))

    def written(self, schema: Schema, way: Path, token: str) -> str:
        """A body with what it must hold, and this token where the way leads."""
        if not way:
            return token
        step, rest = way[0], way[1:]
        for option in self._options(schema):
            if step == _ITEM and "items" in option:
                return f"[{self.written(option['items'], rest, token)}]"
            if step == _ANY_KEY and "additionalProperties" in option:
                return f'{{"key": {self.written(option["additionalProperties"], rest, token)}}}'
            if step in option.get("properties", {}):
                members = self._required(option) | {
                    step: self.written(option["properties"][step], rest, token)
                }
                return self._object(members)
        raise LookupError(way)

    def sample(self, schema: Schema) -> str:
        """The JSON of a value that keeps to a description."""
        option = next(self._options(schema), {})
        match option:
            case {"enum": [first, *_]}:
                return json.dumps(first)
            case {"type": "object"}:
                return self._object(self._required(option))
            case {"type": "array", "items": items}:
                return f"[{self.sample(items)}]"
            case {"type": "integer" | "number"}:
                return str(option.get("minimum", 1))
            case {"type": "boolean"}:
                return "true"
            case {"format": "uuid"}:
                return '"550e8400-e29b-41d4-a716-446655440000"'
            case {"format": "date-time"}:
                return '"2024-03-01T12:00:00Z"'
        return '"FVT1"'

    def _required(self, option: Schema) -> dict[str, str]:
        return {name: self.sample(option["properties"][name]) for name in option.get("required", ())}

    @staticmethod
    def _object(members: Mapping[str, str]) -> str:
        return "{" + ", ".join(f"{json.dumps(name)}: {text}" for name, text in members.items()) + "}"

    def _options(self, schema: Schema) -> Iterator[Schema]:
        """What a value may be, but for null."""
        if "$ref" in schema:
            yield from self._options(
                self._document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
            )
        elif "anyOf" in schema:
            for option in schema["anyOf"]:
                if option.get("type") != "null":
                    yield from self._options(option)
        else:
            yield schema


def filled(path: str, names: Mapping[str, str]) -> str:
    """A path with something that exists for each of its parameters, by the step before it."""
    steps = path.split("/")
    for position, step in enumerate(steps):
        if step.startswith("{"):
            steps[position] = quote(names.get(steps[position - 1], "x"), safe="")
    return "/".join(steps)
