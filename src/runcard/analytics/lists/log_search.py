"""Log lines that hold a text, found without reading all messages."""

import math
from typing import NamedTuple

from runcard.analytics.conditions import Conditions
from runcard.analytics.copy.engines.engine import CopyCursor
from runcard.analytics.copy.log_blocks import marks_of
from runcard.analytics.lists.ordered_places import RowOrder, RowSource

# The lines of a first sample, which shows how many hold the text.
SAMPLE = 8_000
# The first lines in the order are searched alone if at most MOST_NEAR should be enough; at least LEAST_NEAR are taken.
LEAST_NEAR, MOST_NEAR = 500, 300_000
# If the first lines turn out to be this many more than expected, they are not kept.
MANY = 100_000
# How far the first lines reach is estimated from this percentage of the table.
PERCENT = 6
# This many times the lines that should be enough are searched.
_TO_SPARE = 2
# The lines of blocks that may hold the text are searched alone if these are at most this share of all blocks.
MOST_BLOCKS = 0.25


class Search(NamedTuple):
    """A search. lines: their source. text: case-folded. line_count: how many are needed, the first in this order.

    blocks: the condition on rows `x` of `log_blocks` that may have such lines.
    """

    lines: RowSource
    blocks: Conditions
    text: str
    order: RowOrder
    line_count: int
    descending: bool


def holding(cursor: CopyCursor, search: Search) -> RowSource:
    """The lines of a search that hold the text, or some of them that include the first `line_count`.

    Intermediate results are in the temporary tables `likely`, of blocks, and `found_lines`.
    """
    rows, holds = search.lines.rows, Conditions.of("contains(x.folded_message, ?)", search.text)
    if not cursor.has_log_blocks:
        return search.lines._replace(rows=rows.and_of(holds))
    [(sampled_count, held_count)] = cursor.execute(
        f"SELECT count(*), count(*) FILTER (WHERE {holds.sql}) "
        f"FROM (SELECT x.folded_message FROM logs x WHERE {rows.sql} LIMIT {SAMPLE}) x",
        [*holds.values, *rows.values],
    ).fetchall()
    if sampled_count < SAMPLE:  # the sample was all lines
        _keep(cursor, "logs x", rows, search.text)
        return _kept(search)
    share = held_count / sampled_count
    found = _among_the_first(cursor, search, holds, share)
    if found is None and share < MOST_BLOCKS:
        found = _in_blocks(cursor, search)
    return found or search.lines._replace(rows=rows.and_of(holds))


def _among_the_first(cursor: CopyCursor, search: Search, holds: Conditions, share: float) -> RowSource | None:
    """The lines that hold the text among the first lines in the order; None if they are too few.

    share: the share of lines that should hold it.
    """
    rows, count = search.lines.rows, search.line_count
    if not search.order.of_rows:
        return None
    for _ in range(2):
        reach = max(LEAST_NEAR, _TO_SPARE * count / share if share else math.inf)
        if reach > MOST_NEAR:
            return None
        near = _near(cursor, search, reach)
        if near is None:
            return None
        first_rows = rows.and_of(near)
        if _are_many_more(cursor, first_rows, reach):
            is_enough = _keep(cursor, "logs x", first_rows, search.text, count) == count
            return search.lines._replace(rows=first_rows.and_of(holds)) if is_enough else None
        found_count = _keep(cursor, "logs x", first_rows, search.text)
        if found_count >= count:
            return _kept(search)
        share = found_count / reach
    return None


def _near(cursor: CopyCursor, search: Search, reach: float) -> Conditions | None:
    """The condition that a line is among about the first `reach`, or equal to the last of them; None if unknown."""
    key, rows = search.order.of_rows[0], search.lines.rows
    way, not_beyond = ("DESC", ">=") if search.descending else ("ASC", "<=")
    furthest = cursor.execute(
        f"SELECT {key.sql} FROM logs x TABLESAMPLE system({PERCENT}%) WHERE {rows.sql} "
        f"ORDER BY {key.sql} {way} NULLS LAST LIMIT 1 OFFSET {math.ceil(reach * PERCENT / 100) - 1}",
        rows.values,
    ).fetchall()
    if not furthest or furthest[0][0] is None:  # NULL comes after all others
        return None
    return Conditions.of(f"{key.sql} {not_beyond} ?::{key.kind}", furthest[0][0])


def _are_many_more(cursor: CopyCursor, rows: Conditions, reach: float) -> bool:
    """Whether these rows are far more than `reach`, for example because the last one has many equals."""
    query = f"SELECT count(*) FROM logs x TABLESAMPLE system({PERCENT}%) WHERE {rows.sql}"
    [(seen_count,)] = cursor.execute(query, rows.values).fetchall()
    return bool(seen_count * 100 / PERCENT > _TO_SPARE * reach + MANY)


def _in_blocks(cursor: CopyCursor, search: Search) -> RowSource | None:
    """All lines that hold the text; None if too many blocks may hold it to search each."""
    blocks, marked = search.blocks, Conditions()
    for place, bits in marks_of(search.text).items():
        marked.add(f"x.marks[1 + ({place} & (len(x.marks) - 1))] & {bits} = {bits}")
    if marked.is_empty:
        return None
    likely_count = cursor.keep(
        "likely",
        f"SELECT x.run, x.first, x.last FROM log_blocks x WHERE {blocks.and_of(marked).sql}",
        blocks.values,
    )
    [(block_count,)] = cursor.execute(
        f"SELECT count(*) FROM log_blocks x WHERE {blocks.sql}", blocks.values
    ).fetchall()
    if likely_count > MOST_BLOCKS * block_count:
        return None
    of_likely = "logs x JOIN likely b ON b.run = x.run AND x.position BETWEEN b.first AND b.last"
    _keep(cursor, of_likely, search.lines.rows, search.text)
    return _kept(search)


def _keep(cursor: CopyCursor, source: str, rows: Conditions, text: str, limit: int | None = None) -> int:
    """Put the lines that hold the text, or `limit` of them, into `found_lines`, and return their number."""
    # If the text were a constant, DuckDB would search each message of a part of the table, not only those of the rows.
    matching = rows.and_of(
        Conditions.of("contains(x.folded_message, CASE WHEN x.position >= 0 THEN ? END)", text)
    )
    return cursor.keep(
        "found_lines",
        f"SELECT x.run, x.position, x.timestamp, x.level FROM {source} WHERE {matching.sql} "
        f"{'' if limit is None else f'LIMIT {limit}'}",
        matching.values,
    )


def _kept(search: Search) -> RowSource:
    return search.lines._replace(table="found_lines", rows=Conditions())
