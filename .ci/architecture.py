"""Draws docs/images/architecture.svg: the rooms of src/runcard in the layers of the import contract.

Rooms, folders and counts are read from the tree, and layers from pyproject.toml. `--check` draws nothing: it prints
where the picture and the tree differ, and returns 1 if they do.
"""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator, Sequence
from difflib import unified_diff
from html import escape
from pathlib import Path
from textwrap import wrap
from typing import NamedTuple

PICTURE = Path("docs", "images", "architecture.svg")
_PACKAGE = Path("src", "runcard")

# Pixels. A letter is taken to be somewhat wider than it mostly is, so that no text leaves its box.
_WIDTH, _RAIL, _GAP, _PAD = 960, 56, 12, 12
_LINE, _CHIP, _LETTER = 17, 24, 6.7
_NARROWEST = 150

_STYLE = """
  .ground { fill: #ffffff } .room { fill: #f6f8fa; stroke: #d0d7de } .folder { fill: #ddf4ff }
  .arrow { stroke: #59636e; fill: none; stroke-width: 1.5 } .head { fill: #59636e }
  text { font: 12px system-ui, -apple-system, "Segoe UI", "Liberation Sans", sans-serif; fill: #59636e }
  .name { font-size: 15px; font-weight: 600; fill: #1f2328 } .inside { fill: #0a3069 }
  .count { text-anchor: end } .along { text-anchor: middle }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0d1117 } .room { fill: #161b22; stroke: #3d444d } .folder { fill: #12304f }
    .arrow { stroke: #9198a1 } .head { fill: #9198a1 }
    text { fill: #9198a1 } .name { fill: #f0f6fc } .inside { fill: #a5d6ff }
  }
"""


class Room(NamedTuple):
    """A package or a module of src/runcard. folders: the packages in it, each with the number of its modules."""

    name: str
    about: str
    modules: int
    folders: Sequence[tuple[str, int]]


class Box(NamedTuple):
    """A room with its place in its row: from the left, how wide, and its text by lines."""

    room: Room
    x: float
    width: float
    about: Sequence[str]
    chips: Sequence[Sequence[str]]

    @property
    def height(self) -> float:
        return 2 * _PAD + 18 + _LINE * len(self.about) + (_CHIP + 6) * len(self.chips)


def layers(root: Path) -> Sequence[Sequence[Room]]:
    """Return the rooms of each layer, the highest layer first; without optional ones that are not there."""
    told = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    [contract] = [one for one in told["tool"]["importlinter"]["contracts"] if one["id"] == "layers"]
    rows = [re.findall(r"\w+", layer) for layer in contract["layers"]]
    found = [[room for name in row if (room := _room(root / _PACKAGE, name))] for row in rows]
    return [row for row in found if row]


def _room(package: Path, name: str) -> Room | None:
    folder, module = package / name, package / f"{name}.py"
    if not folder.is_dir():
        return Room(name, _about(module), 1, []) if module.is_file() else None
    inner = sorted(one.parent for one in folder.glob("*/__init__.py"))
    return Room(
        name, _about(folder / "__init__.py"), _modules(folder), [(one.name, _modules(one)) for one in inner]
    )


def _modules(folder: Path) -> int:
    """Return how many modules lie in a package and below it, without any `__init__.py`."""
    return sum(one.name != "__init__.py" for one in folder.rglob("*.py"))


def _about(module: Path) -> str:
    """Return the first sentence of a docstring, up to an example or a remark in brackets."""
    told = ast.get_docstring(ast.parse(module.read_text("utf-8"))) or ""
    return " ".join(re.split(r"\.(?:\s|$)|:? [`(]", told)[0].split())


def _boxes(rooms: Sequence[Room]) -> Sequence[Box]:
    """Return the boxes of a row: the more folders a room has, the wider."""
    free = _WIDTH - _RAIL - _GAP * len(rooms) - _NARROWEST * len(rooms)
    weights = [1 + 2 * len(room.folders) for room in rooms]
    boxes, x = [], float(_RAIL)
    for room, weight in zip(rooms, weights, strict=True):
        width = _NARROWEST + free * weight / sum(weights)
        inside = width - 2 * _PAD
        about = wrap(room.about, int(inside / _LETTER))
        boxes.append(Box(room, x, width, about, _lines([f"{name} {n}" for name, n in room.folders], inside)))
        x += width + _GAP
    return boxes


def _chip_width(text: str) -> float:
    return _LETTER * len(text) + 16


def _lines(chips: Sequence[str], width: float) -> Sequence[Sequence[str]]:
    """Return the chips by lines that are no wider than that, as far as a single chip lets them."""
    lines: list[list[str]] = []
    x = width
    for chip in chips:
        if x + _chip_width(chip) > width:
            lines.append([])
            x = 0
        lines[-1].append(chip)
        x += _chip_width(chip) + 6
    return lines


def _draw(box: Box, y: float, height: float) -> Iterator[str]:
    room = box.room
    yield f'<rect class="room" x="{box.x:.0f}" y="{y:.0f}" width="{box.width:.0f}" height="{height:.0f}" rx="6"/>'
    left, at = box.x + _PAD, y + _PAD + 13
    yield _text(left, at, room.name, "name")
    if room.modules > 1:
        yield _text(box.x + box.width - _PAD, at, f"{room.modules} modules", "count")
    for line in box.about:
        at += _LINE
        yield _text(left, at, line)
    at += 10
    for chips in box.chips:
        x = left
        for chip in chips:
            width = _chip_width(chip)
            yield f'<rect class="folder" x="{x:.0f}" y="{at:.0f}" width="{width:.0f}" height="{_CHIP}" rx="4"/>'
            yield _text(x + 8, at + 16, chip, "inside")
            x += width + 6
        at += _CHIP + 6


def _text(x: float, y: float, text: str, kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{x:.0f}" y="{y:.0f}">{escape(text)}</text>'


def picture(root: Path) -> str:
    """Return the picture of a tree as SVG."""
    shapes: list[str] = []
    y = float(_GAP)
    for rooms in layers(root):
        boxes = _boxes(rooms)
        height = max(box.height for box in boxes)
        for box in boxes:
            shapes.extend(_draw(box, y, height))
        y += height + _GAP
    low = y - _GAP
    shapes += [
        f'<path class="arrow" d="M34 {_GAP}V{low - 8:.0f}"/>',
        f'<path class="head" d="M34 {low:.0f}l-5 -10h10z"/>',
        f'<text class="along" transform="translate(24 {low / 2:.0f}) rotate(-90)">imports point down only</text>',
    ]
    inside = "\n".join(
        [
            "<title>The packages of Runcard in the order in which they may import each other</title>",
            f"<style>{_STYLE}</style>",
            f'<rect class="ground" width="{_WIDTH}" height="{y:.0f}" rx="8"/>',
            *shapes,
        ]
    )
    size = f'width="{_WIDTH}" height="{y:.0f}" viewBox="0 0 {_WIDTH} {y:.0f}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size}>\n{inside}\n</svg>\n'


def differences(root: Path) -> Sequence[str]:
    """Return what the picture in docs says otherwise than the tree, as lines of a diff; nothing where they agree."""
    file = root / PICTURE
    told = _texts(file.read_text("utf-8")) if file.is_file() else []
    return [*unified_diff(told, _texts(picture(root)), str(PICTURE), str(_PACKAGE), lineterm="", n=0)]


def _texts(svg: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def main(root: Path, *, is_check: bool) -> int:
    if is_check:
        found = differences(root)
        print(
            *found,
            "architecture: draw it anew with `make architecture`" if found else "architecture: fits",
            sep="\n",
        )
        return 1 if found else 0
    (root / PICTURE).parent.mkdir(parents=True, exist_ok=True)
    (root / PICTURE).write_text(picture(root), "utf-8")
    print(f"{PICTURE} drawn", file=sys.stderr)
    return 0


if __name__ == "__main__":
    [root] = [Path(one) for one in sys.argv[1:] if one != "--check"] or [Path()]
    sys.exit(main(root, is_check="--check" in sys.argv))
