"""Attachments of runs: the curve of a sweep as a table and as a picture, which needs only zlib."""

import struct
import zlib
from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import log10
from typing import NamedTuple

from runcard.domain.runs.measurement import Series
from runcard.domain.runs.report import RunReport

_WIDTH, _HEIGHT, _MARGIN = 480, 240, 20
_PAPER, _GRID, _INK = b"\xff\xff\xff", b"\xdd\xe1\xe6", b"\x20\x6b\xc4"
_GRID_STEPS = 4


class DemoFile(NamedTuple):
    name: str
    content_type: str
    content: bytes


def sweep_files(report: RunReport) -> tuple[DemoFile, ...]:
    """The first sweep of a run as CSV and PNG; no files where the run ended before its sweep."""
    for phase in report.phases:
        for measurement in phase.measurements:
            if measurement.series:
                return (
                    DemoFile("frequency-response.csv", "text/csv", _csv(measurement.series)),
                    DemoFile("frequency-response.png", "image/png", _png(measurement.series)),
                )
    return ()


def _csv(series: Sequence[Series]) -> bytes:
    rows = [",".join(f"{axis.name}_{axis.uom}" for axis in series)]
    rows += [",".join(map(str, row)) for row in zip(*(axis.data for axis in series), strict=True)]
    return "\n".join([*rows, ""]).encode()


def _png(series: Sequence[Series]) -> bytes:
    """A PNG (ISO/IEC 15948) of a line on a grid. The first axis has a logarithmic scale."""
    canvas = [bytearray(_PAPER * _WIDTH) for _ in range(_HEIGHT)]
    for step in range(_GRID_STEPS + 1):
        share = step / _GRID_STEPS
        _draw(canvas, [(share, 0), (share, 1)], _GRID)
        _draw(canvas, [(0, share), (1, share)], _GRID)
    across = _scaled([log10(value) for value in series[0].data])
    up = _scaled([float(value) for value in series[1].data])
    _draw(canvas, list(zip(across, up, strict=True)), _INK)
    header = struct.pack(">IIBBBBB", _WIDTH, _HEIGHT, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in canvas))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        [_chunk(b"IHDR", header), _chunk(b"IDAT", pixels), _chunk(b"IEND", b"")]
    )


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _scaled(values: list[float]) -> list[float]:
    low, high = min(values), max(values)
    return [(value - low) / (high - low or 1) for value in values]


def _draw(canvas: list[bytearray], points: list[tuple[float, float]], colour: bytes) -> None:
    """Draw a line through points, each from 0 to 1 across and up."""
    for x, y in _pixels(points):
        for thick in (0, 1) if colour == _INK else (0,):
            canvas[y + thick][3 * x : 3 * x + 3] = colour


def _pixels(points: list[tuple[float, float]]) -> Iterator[tuple[int, int]]:
    for (x0, y0), (x1, y1) in pairwise(points):
        steps = max(1, round(max(abs(x1 - x0) * _WIDTH, abs(y1 - y0) * _HEIGHT)))
        for step in range(steps + 1):
            across, up = x0 + (x1 - x0) * step / steps, y0 + (y1 - y0) * step / steps
            yield (
                _MARGIN + round(across * (_WIDTH - 2 * _MARGIN)),
                _MARGIN + round((1 - up) * (_HEIGHT - 2 * _MARGIN)),
            )
