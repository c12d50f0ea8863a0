"""The thread that seals what was committed, and takes signed heads outside."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import update

from runcard.domain.actor import SystemActor
from runcard.domain.proof.merkle import root_of
from runcard.domain.proof.tiles import TileDamaged
from runcard.evidence.head_files import read_heads
from runcard.evidence.prover import Prover
from runcard.evidence.signing import is_signed, open_signing_key
from runcard.evidence.verification import Verification
from runcard.intake.arrived_files import Stores
from runcard.store.commit.transaction import Transaction
from runcard.store.commit.writer import Writer
from runcard.store.engine.database import Database
from runcard.store.engine.tables import tree_tiles
from runcard.store.files.blobs import Blobs
from runcard.store.people.teams import create_team
from runcard.store.trail.tree import read_leaves, read_state, replace_tiles
from runcard.upkeep.sealer import HeadsOutside, Sealer
from tests.evidence.records import fill
from tests.world import World

Sealing = Callable[..., AbstractContextManager[Path]]


@pytest.fixture
def prover(database: Database, writer: Writer, tmp_path: Path) -> Prover:
    return Prover(database, writer, open_signing_key(None, tmp_path))


@pytest.fixture
def sealing(database: Database, writer: Writer, prover: Prover, tmp_path: Path) -> Sealing:
    @contextmanager
    def run(command: list[str] | None = None, *, is_busy: bool = False) -> Iterator[Path]:
        stores = Stores(database, writer, Blobs.open(None, None, tmp_path / "attachments"))
        outside = HeadsOutside(0, tmp_path / "heads.jsonl", command)
        sealer = Sealer(stores, prover, outside, lambda: is_busy)
        try:
            yield outside.file
        finally:
            sealer.close()

    return run


def _until(is_so: Callable[[], bool]) -> None:
    """Look again until it is so, for a bounded time."""
    end = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < end
        threading.Event().wait(0.02)


def test_what_was_committed_is_sealed_and_its_heads_go_outside(
    database: Database, writer: Writer, world: World, sealing: Sealing, tmp_path: Path
) -> None:
    fill(writer, world, 4)
    mailed = tmp_path / "mailed.jsonl"
    keep = "import sys; open(sys.argv[1], 'ab').write(sys.stdin.buffer.read())"
    with sealing([sys.executable, "-c", keep, str(mailed)]) as heads:
        _until(lambda: mailed.exists() and len(list(read_heads(mailed))) >= 2)
    kept = list(read_heads(heads))
    assert {signed.head.organization_id for signed in kept} == {world.acme.id, world.globex.id}
    assert all(is_signed(signed) for signed in kept)
    with database.read_in(world.acme.id) as scope:
        checking = Verification(scope, kept)
        assert list(checking.run()) == []
        assert checking.tally.waiting == 0


def test_a_process_that_was_slower_leaves_the_tiles_of_the_other(
    database: Database, writer: Writer, world: World, prover: Prover
) -> None:
    with database.read_in(world.acme.id) as scope:
        stale = read_state(scope)
    prover.seal(world.acme.id)
    author = SystemActor(world.acme.id, "test")
    assert not writer.write(author, lambda tx: replace_tiles(tx, stale, {(0, 0): bytes(32)}, {0: 1}))
    with database.read_in(world.acme.id) as scope:
        assert list(Verification(scope).run()) == []


def test_a_damaged_tile_of_one_organization_stops_no_other(
    database: Database, writer: Writer, world: World, prover: Prover, sealing: Sealing
) -> None:
    prover.seal(world.acme.id)
    writer.write(SystemActor(world.acme.id, "test"), _shorten_the_first_tile)
    writer.write(world.acme.admin.actor, lambda tx: create_team(tx, "Night shift"))
    with sealing() as heads:
        _until(
            lambda: (
                heads.exists() and world.globex.id in {one.head.organization_id for one in read_heads(heads)}
            )
        )
    with pytest.raises(TileDamaged, match="Tile 0 of level 0 of the proof has 40 bytes"):
        prover.seal(world.acme.id)


def _shorten_the_first_tile(tx: Transaction) -> None:
    tile = tree_tiles.c
    cut = update(tree_tiles).where(tx.owns(tile)).values(hashes=bytes(40))
    tx.connection.execute(cut)


def test_a_tree_that_grows_by_and_by_is_the_one_that_is_built_at_once(
    database: Database, writer: Writer, world: World, prover: Prover
) -> None:
    for _ in range(3):
        writer.write(world.acme.admin.actor, lambda tx: create_team(tx, f"Team {tx.now}"))
        prover.seal(world.acme.id)
    signed = prover.sign(world.acme.id)
    assert signed is not None
    with database.read_in(world.acme.id) as scope:
        leaves = read_leaves(scope, 0, 10_000)
    assert signed.head.tree_size == len(leaves)
    assert signed.head.root == root_of([leaf.hash for leaf in leaves])


def test_a_file_for_heads_that_cannot_be_written_stops_nothing(
    database: Database, writer: Writer, world: World, prover: Prover, tmp_path: Path
) -> None:
    stores = Stores(database, writer, Blobs.open(None, None, tmp_path / "attachments"))
    mailed = tmp_path / "mailed.jsonl"
    keep = "import sys; open(sys.argv[1], 'ab').write(sys.stdin.buffer.read())"
    command = [sys.executable, "-c", keep, str(mailed)]
    sealer = Sealer(stores, prover, HeadsOutside(0, tmp_path, command), lambda: False)
    _until(lambda: mailed.exists() and len(list(read_heads(mailed))) >= 2)
    sealer.close()
    assert all(is_signed(signed) for signed in read_heads(mailed))
