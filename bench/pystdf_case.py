"""Compare Runcard's reader of STDF with pystdf, in turn on the same file. Prints a JSON object."""

import argparse
import gzip
import time
from pathlib import Path
from statistics import median

import msgspec
from pystdf.IO import Parser

from bench.failure import BenchFailed
from runcard.importers.stdf import binary as stdf


class Compared(msgspec.Struct):
    """seconds, pystdf_s: medians of processor time; both work in one thread. ratio: median of theirs to ours."""

    runs: int
    seconds: float
    pystdf_s: float
    ratio: float


class PartCounter:
    """The sink to which pystdf sends its records."""

    def __init__(self) -> None:
        self.parts = 0

    def before_begin(self, *_: object) -> None:
        pass

    def after_send(self, _source: object, record: tuple[object, object]) -> None:
        if type(record[0]).__name__ == "Prr":
            self.parts += 1


def count_runs(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for _ in stdf.parse(file))


def count_parts(path: Path) -> int:
    """The number of parts in a file. pystdf decodes every field of every record for it."""
    counter = PartCounter()
    with gzip.open(path) as unpacked:
        reader = Parser(inp=unpacked)
        reader.addSink(counter)
        reader.parse()
    return counter.parts


def compare(path: Path, repeats: int) -> Compared:
    """The times of both readers. Raises BenchFailed if their counts differ."""
    ours, theirs, counts = [], [], set[int]()
    for _ in range(repeats):
        started = time.process_time()
        counts.add(count_runs(path))
        ours.append(time.process_time() - started)
        started = time.process_time()
        counts.add(count_parts(path))
        theirs.append(time.process_time() - started)
    if len(counts) > 1:
        raise BenchFailed(f"Runs and parts of {path.name} differ: {counts}")
    ratios = [other / own for own, other in zip(ours, theirs, strict=True)]
    return Compared(counts.pop(), median(ours), median(theirs), median(ratios))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--repeats", type=int, required=True)
    given = parser.parse_args()
    print(msgspec.json.encode(compare(given.path, given.repeats)).decode())


if __name__ == "__main__":
    main()
