"""How much memory a server may take, and how its parts share it (ADR 35)."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

MIB = 1024 * 1024

# The memory limit of a cgroup, in version 2 and in version 1.
_CGROUP_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
_MACHINE = Path("/proc/meminfo")
# Assumed where the size of the memory cannot be found out.
_UNKNOWN_BYTES = 1024 * MIB


class MemoryPlan(NamedTuple):
    """page_caches_bytes: for all connections to SQLite. copy_bytes: for the columnar copy. bodies_bytes: for all large
    bodies that are being read or processed. hashes_at_once: how many passwords are hashed at once, at 64 MiB each.
    """

    page_caches_bytes: int
    copy_bytes: int
    bodies_bytes: int
    hashes_at_once: int

    @classmethod
    def of(cls, memory_mb: int | None, largest_body_bytes: int) -> "MemoryPlan":
        """The plan for a server that may take `memory_mb` MiB; None: all that the machine or its cgroup has."""
        total = memory_bytes() if memory_mb is None else memory_mb * MIB
        return cls(
            page_caches_bytes=min(max(total // 8, 32 * MIB), 1024 * MIB),
            copy_bytes=min(max(total // 10, 100 * MIB), 4096 * MIB),
            bodies_bytes=max(total // 8, largest_body_bytes),
            hashes_at_once=1 if total < 1024 * MIB else 2,
        )


def memory_bytes(cgroup_limits: Iterable[Path] = _CGROUP_LIMITS, machine: Path = _MACHINE) -> int:
    """The memory of this machine, or the limit of this process's cgroup if that is lower."""
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
