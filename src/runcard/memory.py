"""How much memory a server may take, and which part of it each of its parts gets (ADR 35)."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

MIB = 1024 * 1024

# What a group of processes may take: of cgroups of version 2, and of version 1.
_CGROUP_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
_MACHINE = Path("/proc/meminfo")
# Where nothing tells how much there is.
_UNKNOWN_BYTES = 1024 * MIB


class MemoryPlan(NamedTuple):
    """page_caches_bytes: of all connections to SQLite. copy_bytes: of the columnar copy. bodies_bytes: of all large
    bodies that are being read or worked on. hashes_at_once: of passwords, at 64 MiB each.
    """

    page_caches_bytes: int
    copy_bytes: int
    bodies_bytes: int
    hashes_at_once: int

    @classmethod
    def of(cls, memory_mb: int | None, largest_body_bytes: int) -> "MemoryPlan":
        """The plan for a server that may take so many MiB; None: all that the machine or its cgroup has."""
        total = memory_bytes() if memory_mb is None else memory_mb * MIB
        return cls(
            page_caches_bytes=min(max(total // 8, 32 * MIB), 1024 * MIB),
            copy_bytes=min(max(total // 10, 100 * MIB), 4096 * MIB),
            bodies_bytes=max(total // 8, largest_body_bytes),
            hashes_at_once=1 if total < 1024 * MIB else 2,
        )


def memory_bytes(cgroup_limits: Iterable[Path] = _CGROUP_LIMITS, machine: Path = _MACHINE) -> int:
    """The memory of this machine, or of the cgroup that holds this process where that has less."""
    found = [_machine_bytes(machine)]
    for path in cgroup_limits:
        try:
            text = path.read_text("ascii").strip()
        except OSError:
            continue  # no cgroup of this version
        if text.isdecimal():  # else "max"
            found.append(int(text))
    return min(found)


def _machine_bytes(path: Path) -> int:
    try:
        lines = path.read_text("ascii", "replace").splitlines()
    except OSError:
        return _UNKNOWN_BYTES  # no Linux
    for line in lines:
        name, _, rest = line.partition(":")
        if name == "MemTotal":
            return int(rest.split()[0]) * 1024
    return _UNKNOWN_BYTES
