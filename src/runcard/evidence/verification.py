"""Whether a record is what its proof says: entries, tree, heads and records, and what does not fit."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Generic, Literal, NamedTuple, TypeVar
from uuid import UUID

from runcard.domain.proof.head import SignedHead
from runcard.domain.proof.merkle import HASH_BYTES
from runcard.domain.proof.tiles import TILE_HASHES, TileDamaged, appended
from runcard.evidence.signing import is_signed
from runcard.store.bin.check import check_bin
from runcard.store.documents.reading import check_moved
from runcard.store.engine.scope import Scope
from runcard.store.trail.check import UNREADABLE, check_records
from runcard.store.trail.tree import (
    Leaf,
    list_heads,
    list_seqs,
    list_tiles,
    read_last_seqs,
    read_leaves,
    read_state,
    read_tile,
    tree_of,
)

_LEAVES = 2048
_HEADS = 500
# How far a changed entry is looked for among its neighbours.
_NEAR = 512
_NO_TIME = datetime.fromtimestamp(0, UTC)


class Discrepancy(NamedTuple):
    """Something that does not fit. about: what kind of thing it is. problem: a sentence that names it."""

    about: Literal["entry", "tile", "head", "record"]
    problem: str


class Tally(NamedTuple):
    """What was checked. entries: in the tree. waiting: committed, and not in the tree yet. without_digest: records from
    before the trail that have no digest yet.
    """

    entries: int = 0
    waiting: int = 0
    heads: int = 0
    records: int = 0
    without_digest: int = 0


class Verification:
    """Checks one organization in one state of the database. `tally` says afterwards what was checked.

    outside: signed heads that were kept outside. trusted: the ids of the keys whose heads count; None: any key.
    tell: called with the number of entries and records just checked.
    """

    def __init__(
        self,
        scope: Scope,
        outside: Sequence[SignedHead] = (),
        trusted: frozenset[str] | None = None,
        tell: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._scope = scope
        self._outside = [signed for signed in outside if signed.head.organization_id == scope.organization_id]
        self._trusted = trusted
        self._tell = tell
        self.tally = Tally()

    def run(self) -> Iterator[Discrepancy]:
        """Everything that does not fit; nothing if all does."""
        yield from self._entries()
        yield from self._tiles()
        yield from self._heads()
        yield from self._records()

    def _entries(self) -> Iterator[Discrepancy]:
        """Compare every entry with the hash that was sealed of it."""
        state = read_state(self._scope)
        sealed = _Ahead(self._sealed_hashes(state.size))
        kept = _Ahead(self._leaves())
        fitting, place = 0, 0
        lasts: list[int | None] = [None] * -(-state.size // TILE_HASHES)
        while sealed.first() is not None:
            leaf = kept.first()
            if leaf is not None and leaf.hash == sealed.first():
                sealed.drop(1)
                kept.drop(1)
                if place // TILE_HASHES < len(lasts):
                    lasts[place // TILE_HASHES] = leaf.seq
                fitting += 1
                place += 1
                continue
            found = _difference(sealed, kept)
            place += found.sealed
            yield from found.findings
        self.tally = self.tally._replace(entries=fitting, waiting=kept.count_rest())
        for number, (here, there) in enumerate(zip(lasts, read_last_seqs(self._scope), strict=False)):
            if here is not None and here != there:
                yield Discrepancy("tile", f"Tile {number} of level 0 does not end with entry {there}.")

    def _sealed_hashes(self, size: int) -> Iterator[bytes]:
        for number in range(-(-size // TILE_HASHES)):
            try:
                tile = read_tile(self._scope, 0, number)
            except TileDamaged:
                continue  # said by `_tiles`
            for at in range(0, len(tile), HASH_BYTES):
                yield tile[at : at + HASH_BYTES]

    def _leaves(self) -> Iterator[Leaf]:
        after = 0
        while seqs := list_seqs(self._scope, after, _LEAVES):
            try:
                yield from read_leaves(self._scope, after, _LEAVES)
            except UNREADABLE:
                yield from (self._leaf(seq) for seq in seqs)
            self._tell(len(seqs))
            after = seqs[-1]

    def _leaf(self, seq: int) -> Leaf:
        """The change with this number as a leaf; without content if it cannot be read, which fits no seal."""
        try:
            return read_leaves(self._scope, seq - 1, 1)[0]
        except UNREADABLE:
            return Leaf(seq, "unreadable", UUID(int=0), _NO_TIME, b"")

    def _tiles(self) -> Iterator[Discrepancy]:
        """Build the upper tiles again from the lowest, and compare them with those that are kept."""
        seen: set[tuple[int, int]] = set()
        tiles = _Rebuilt()
        try:
            for number in range(-(-read_state(self._scope).size // TILE_HASHES)):
                for place, hashes in tiles.add(read_tile(self._scope, 0, number)):
                    seen.add(place)
                    if read_tile(self._scope, *place) != hashes:
                        yield _wrong_tile(*place)
            for place, hashes in tiles.unfinished():
                seen.add(place)
                if read_tile(self._scope, *place) != hashes:
                    yield _wrong_tile(*place)
        except TileDamaged as error:
            yield Discrepancy("tile", str(error))
            return
        for level, number in list_tiles(self._scope):
            if level and (level, number) not in seen:
                yield Discrepancy("tile", f"Tile {number} of level {level} does not belong to this tree.")

    def _heads(self) -> Iterator[Discrepancy]:
        """Compare the root that each head signs with the root of the tree as it was then."""
        after = 0
        while heads := list_heads(self._scope, after, _HEADS):
            for signed in heads:
                yield from self._head(signed, "Head")
            after = heads[-1].head.tree_size
        for signed in self._outside:
            yield from self._head(signed, "The head kept outside")

    def _head(self, signed: SignedHead, name: str) -> Iterator[Discrepancy]:
        self.tally = self.tally._replace(heads=self.tally.heads + 1)
        head, size = signed.head, read_state(self._scope).size
        name = f"{name} of {head.tree_size} entries, signed at {head.signed_at:%Y-%m-%d %H:%M:%S} UTC,"
        if not is_signed(signed):
            yield Discrepancy("head", f"{name} has a wrong signature: somebody changed it or made it.")
        elif self._trusted is not None and signed.key_id not in self._trusted:
            yield Discrepancy("head", f"{name} is signed with key {signed.key_id}, which is not trusted.")
        if head.tree_size > size:
            yield Discrepancy(
                "head",
                f"{name} tells of more entries than the {size} that there are: an older backup was restored, or "
                "entries were cut off.",
            )
            return
        try:
            root = tree_of(self._scope, head.tree_size).root()
        except TileDamaged as error:
            yield Discrepancy("tile", str(error))
            return
        if root != head.root:
            yield Discrepancy("head", f"{name} does not fit the entries: some before it were changed.")

    def _records(self) -> Iterator[Discrepancy]:
        for page in chain(check_records(self._scope), check_bin(self._scope), check_moved(self._scope)):
            for misfit in page.misfits:
                yield Discrepancy(
                    "record", f"{misfit.noun.capitalize()} {misfit.thing_id}: {misfit.problem}."
                )
            self.tally = self.tally._replace(
                records=self.tally.records + page.compared,
                without_digest=self.tally.without_digest + page.waiting,
            )
            self._tell(page.compared)


class _Rebuilt:
    """The tiles above the lowest ones, built from those. Only the last tile of each level is kept in memory."""

    def __init__(self) -> None:
        self._count = 0
        self._last: dict[int, tuple[int, bytes]] = {}

    def add(self, tile: bytes) -> Iterator[tuple[tuple[int, int], bytes]]:
        """Add the next tile of level 0; the tiles above that are full now."""
        hashes = [tile[at : at + HASH_BYTES] for at in range(0, len(tile), HASH_BYTES)]
        changed = appended(self._count, lambda level, _: self._last[level][1], hashes)
        self._count += len(hashes)
        for (level, number), made in changed.items():
            self._last[level] = (number, made)
            if level and len(made) == TILE_HASHES * HASH_BYTES:
                yield (level, number), made

    def unfinished(self) -> Iterator[tuple[tuple[int, int], bytes]]:
        """The last tiles above the lowest level, which are not full."""
        for level, (number, made) in self._last.items():
            if level and len(made) < TILE_HASHES * HASH_BYTES:
                yield (level, number), made


T = TypeVar("T")


class _Ahead(Generic[T]):
    """The items of an iterator, some of which are read ahead."""

    def __init__(self, items: Iterator[T]) -> None:
        self._items = items
        self._read: deque[T] = deque()

    def first(self) -> T | None:
        """The next item; None at the end."""
        found = self.near(1)
        return found[0] if found else None

    def near(self, count: int) -> list[T]:
        """The next items, at most `count`."""
        while len(self._read) < count:
            item = next(self._items, None)
            if item is None:
                break
            self._read.append(item)
        return [self._read[at] for at in range(min(count, len(self._read)))]

    def drop(self, count: int) -> None:
        for _ in range(count):
            self._read.popleft()

    def count_rest(self) -> int:
        return len(self._read) + sum(1 for _ in self._items)


class _Difference(NamedTuple):
    """sealed: how many of the sealed hashes it takes up."""

    findings: Sequence[Discrepancy]
    sealed: int


def _difference(sealed: _Ahead[bytes], kept: _Ahead[Leaf]) -> _Difference:
    """How the entries that are kept differ here from those that were sealed. Both go on behind that."""
    hashes, leaves = sealed.near(_NEAR), kept.near(_NEAR)
    ours = [leaf.hash for leaf in leaves]
    gone = hashes.index(ours[0]) if ours and ours[0] in hashes else None
    added = ours.index(hashes[0]) if hashes[0] in ours else None
    if not leaves:
        dropped, new = len(hashes), 0
        problems = [f"The last {len(hashes)} entries or more that were sealed are gone."]
    elif gone is not None and (added is None or gone <= added):
        dropped, new = gone, 0
        problems = [f"{_counted(gone)} before {_named(leaves[0])}, and gone."]
    elif added is not None:
        dropped, new = 0, added
        problems = [
            f"{_named(leaf)} was not sealed here: somebody added it or moved it." for leaf in leaves[:added]
        ]
    else:
        dropped, new = 1, 1
        problems = [f"{_named(leaves[0])} is not what was sealed: somebody changed it."]
    sealed.drop(dropped)
    kept.drop(new)
    return _Difference([Discrepancy("entry", problem) for problem in problems], dropped)


def _wrong_tile(level: int, number: int) -> Discrepancy:
    return Discrepancy("tile", f"Tile {number} of level {level} does not follow from those below it.")


def _counted(count: int) -> str:
    return "1 entry was sealed" if count == 1 else f"{count} entries were sealed"


def _named(leaf: Leaf) -> str:
    return f"Entry {leaf.seq} ({leaf.kind} of {leaf.thing_id} at {leaf.at:%Y-%m-%d %H:%M:%S} UTC)"
