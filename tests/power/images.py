# SPDX-License-Identifier: ISC
"""Chooses which of the pending operations reached the disk.

At each step: none, all, each prefix, each single one missing, and random parts of which some are torn. A part is a
list of pairs for Disk.image.
"""
from tests.power.disk import Data, Entries, Size


def whole(ops):
    return [(op, None) for op in ops]


def journal(disk, ops_kept, metadata_kept):
    """For the ordered model: of the names and sizes only the first so many."""
    seen, out = 0, []
    for op, sectors in ops_kept:
        if isinstance(op, (Entries, Size)):
            seen += 1
            if seen > metadata_kept:
                continue
        out.append((op, sectors))
    return out


def plain(disk, is_new):
    """is_new: the last operation alone is new, and the parts without it have been there."""
    ops = disk.pending
    yield whole(ops)
    if not is_new:
        for n in range(len(ops)):
            yield whole(ops[:n])
    for n in range(len(ops)):
        rest = ops[:n] + ops[n + 1:]
        if not disk.is_strict and isinstance(ops[n], (Entries, Size)):
            # The journal ends there.
            rest = ops[:n] + [op for op in ops[n + 1:] if isinstance(op, Data)]
        yield whole(rest)


def torn(op, random):
    if not isinstance(op, Data) or op.sectors == 1 or random.random() < 0.6:
        return op, None
    return op, [s for s in range(op.sectors) if random.random() < 0.5]


def at_random(disk, random):
    ops = disk.pending
    share = random.choice((0.15, 0.5, 0.85, 0.97))
    if disk.is_strict:
        return [torn(op, random) for op in ops if random.random() < share]
    metadata = sum(isinstance(op, (Entries, Size)) for op in ops)
    chosen = [torn(op, random) for op in ops if not isinstance(op, Data) or random.random() < share]
    return journal(disk, chosen, random.randint(0, metadata))
