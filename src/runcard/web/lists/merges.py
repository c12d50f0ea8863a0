"""What the pages of procedures and of parts share about merges: the lines of those that can be taken back."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from runcard.store.merging.splits import Returning, SplitPreview
from runcard.web.frame.formats import Moment, counted_text


class MergeLine(NamedTuple):
    """A merge that can be taken back. source: the id of the merged thing. called: by what its programs call it.

    moved: what it brought. by: who merged it. split: what taking it back would do, a sentence each.
    """

    source: str
    name: str
    called: str
    moved: str
    merged_at: Moment
    by: str
    split: Sequence[str]


class SplitWords(NamedTuple):
    """noun: of the things. source, target: what they are called. names: what means the source again. children: what
    records keep. kept: what the target keeps besides the later records. along: what goes with the source.
    """

    noun: str
    source: str
    target: str
    names: str
    children: str
    kept: str
    along: Sequence[str]


def counts_text(counts: Mapping[str, int]) -> str:
    """Numbers of things in words, without those of which there are none: 2 units and 5 runs; 0 runs."""
    some = {noun: count for noun, count in counts.items() if count}
    return " and ".join(counted_text(count, noun) for noun, count in (some or {"run": 0}).items())


def split_lines(preview: SplitPreview, words: SplitWords) -> Sequence[str]:
    """What taking a merge back would do, a sentence each."""
    regained = {noun: count + preview.left[noun] for noun, count in preview.back.items()}
    lines = [
        f"{words.source} is a {words.noun} of its own again. {words.names} mean it, in programs of stations too.",
        f"It gets back {counts_text(regained)}, with their {words.children}. Stations keep recording meanwhile.",
    ]
    if words.along:
        lines.append(f"What was merged into it before goes with it: {', '.join(words.along)}.")
    if any(preview.stay.values()):
        lines.append(
            f"It does not get back what was deleted or moved elsewhere since: {counts_text(preview.stay)}."
        )
    lines.append(
        f"What {words.target} got since the merge stays there, whichever of the two was named: "
        f"{counts_text(preview.later)}. So do {words.kept} that it got by the merge."
    )
    return lines


def returning_lines(returning: Sequence[Returning]) -> Sequence[str]:
    """A sentence for each split whose records are still on their way back."""
    return [
        f"Going back to {one.source}, which was merged before: {counts_text(one.left)} are left. Until then, figures "
        "count them where they were."
        for one in returning
    ]
