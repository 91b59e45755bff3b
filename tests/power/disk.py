# SPDX-License-Identifier: ISC
"""A disk: what of a run is on it for certain, and what only may be.

What a program did and has not synced is *pending*: a list in the order of the calls. A power cut leaves any part
of it that the model allows. The two models differ in what they say of names (create, link, rename, unlink) and
sizes, and agree on bytes: any part of the pending writes is there, each torn at sectors of 512 bytes.

strict    What POSIX promises and no more. fsync(2) of a file is for its bytes and its size, fsync(2) of a directory
          for the names in it; what is pending otherwise is kept or lost one by one, in any order. A program that is
          right here is right on every file system.
ordered   As ext4, XFS and btrfs do it: names and sizes are kept in the order of the calls, through a journal, and
          each fsync(2), of whatever file, writes the journal up to there. A name can be on the disk before the bytes
          that were written to the file before, for those wait for nobody (no data=ordered is assumed: it covers only
          blocks that were allocated by then).

A write that was lost, before one that was kept and is farther behind in a new file, leaves zeros.
"""
from tests.power import trace

SECTOR = 512


class Data:
    """A write that is pending."""
    def __init__(self, node, offset, data):
        self.node, self.offset, self.data = node, offset, data
        first, last = offset // SECTOR, (offset + len(data) - 1) // SECTOR
        self.sectors = last - first + 1

    def pieces(self, kept):
        """The parts of it in the sectors whose numbers, from 0, are in kept."""
        for sector in kept:
            start = max(self.offset, (self.offset // SECTOR + sector) * SECTOR)
            end = min(self.offset + len(self.data), (self.offset // SECTOR + sector + 1) * SECTOR)
            yield start, self.data[start - self.offset:end - self.offset]


class Size:
    def __init__(self, node, size):
        self.node, self.size = node, size


class Entries:
    """Names that change together: (directory, name, node or None)."""
    def __init__(self, *changes):
        self.changes = changes
        self.directories = {c[0] for c in changes}


class Disk:
    def __init__(self, is_strict):
        self.is_strict = is_strict
        self.bytes = {}  # of each file, by node: what is there for certain
        self.names = {0: {}}  # of each directory, by node
        self.pending = []

    def add_file(self, directory, name, node, data):
        self.bytes[node] = data
        self.names[directory][name] = node

    def add_directory(self, directory, name, node):
        self.names[node] = {}
        self.names[directory][name] = node

    def apply(self, event):
        """True if something is pending or on the disk now that was not before."""
        if isinstance(event, trace.Write):
            self.bytes.setdefault(event.node, b"")
            if event.data:
                self.pending.append(Data(event.node, event.offset, event.data))
        elif isinstance(event, trace.Truncate):
            self.pending.append(Size(event.node, event.size))
        elif isinstance(event, trace.Create):
            if event.is_directory:
                self.names[event.node] = {}
            else:
                self.bytes[event.node] = b""
            self.pending.append(Entries((event.directory, event.name, event.node)))
        elif isinstance(event, trace.Link):
            self.bytes.setdefault(event.node, b"")
            self.pending.append(Entries((event.directory, event.name, event.node)))
        elif isinstance(event, trace.Unlink):
            self.pending.append(Entries((event.directory, event.name, None)))
        elif isinstance(event, trace.Rename):
            self.pending.append(Entries((event.directory, event.name, None),
                                        (event.to_directory, event.to_name, event.node)))
        elif isinstance(event, trace.Sync):
            self.sync(event.node)
        else:
            return False
        return True

    def sync(self, node):
        def is_done(op):
            if isinstance(op, Data):
                return op.node == node
            if not self.is_strict:
                return True
            return op.node == node if isinstance(op, Size) else node in op.directories
        done = [op for op in self.pending if is_done(op)]
        self.pending = [op for op in self.pending if not is_done(op)]
        contents, names = self.kept([(op, None) for op in done])
        self.bytes.update(contents)
        self.names.update(names)

    def kept(self, ops):
        """What the disk holds if these pending operations reached it: the files and the directories that differ.

        ops are pairs: the operation, and the sectors of it (None: all).
        """
        contents, names = {}, {}
        for op, sectors in ops:
            if isinstance(op, Entries):
                for directory, name, node in op.changes:
                    entries = names.setdefault(directory, dict(self.names[directory]))
                    if node is None:
                        entries.pop(name, None)
                    else:
                        entries[name] = node
                continue
            data = contents.get(op.node)
            if data is None:
                data = contents[op.node] = bytearray(self.bytes.get(op.node, b""))
            if isinstance(op, Size):
                if op.size <= len(data):
                    del data[op.size:]
                else:
                    data.extend(bytes(op.size - len(data)))
                continue
            for offset, piece in (((op.offset, op.data),) if sectors is None else op.pieces(sectors)):
                if offset > len(data):
                    data.extend(bytes(offset - len(data)))
                data[offset:offset + len(piece)] = piece
        return {n: bytes(d) for n, d in contents.items()}, names

    def image(self, ops):
        """The files by path, relative to the root."""
        contents, names = self.kept(ops)
        files = {}

        def walk(directory, prefix):
            for name, node in names.get(directory, self.names[directory]).items():
                if node in self.names:
                    files[prefix + name + "/"] = b""
                    walk(node, prefix + name + "/")
                else:
                    files[prefix + name] = contents.get(node, self.bytes.get(node, b""))
        walk(0, "")
        return files
