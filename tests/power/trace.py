# SPDX-License-Identifier: ISC
"""Reads what `strace -f -y -xx` wrote of a run, and says what happened to the files below one directory.

-y prints the path that a descriptor has at that moment, so nothing has to be known of fork(2), dup(2) and
close(2); -xx prints each byte as \\xNN, so a line has no quotes within quotes. Paths are followed from call to
call by `Names`: a file keeps its identity over rename(2), link(2) and O_TMPFILE, whose path
is `/dir/#INODE (deleted)` until the end.
"""
import re
from collections import namedtuple

# What the disk is told. node is a number; a directory is a node, too.
Create = namedtuple("Create", "directory name node is_directory")
Link = namedtuple("Link", "directory name node")
Unlink = namedtuple("Unlink", "directory name node")
Rename = namedtuple("Rename", "directory name to_directory to_name node")
Write = namedtuple("Write", "node offset data")
Truncate = namedtuple("Truncate", "node size")
Sync = namedtuple("Sync", "node number what")  # number: the how manieth of the run; what: its name then
# Bytes that left the program, for its standard output or a socket: what others may have relied on since.
Said = namedtuple("Said", "pid descriptor path data")
Exited = namedtuple("Exited", "pid status")

CALLS = ("write,writev,pwrite64,pwritev,sendto,sendmsg,lseek,ftruncate,truncate,fallocate,fsync,fdatasync,"
         "sync_file_range,syncfs,rename,renameat,renameat2,unlink,unlinkat,rmdir,link,linkat,symlink,symlinkat,"
         "mkdir,mkdirat,open,openat,creat,mmap,copy_file_range,sendfile,exit_group")

LINE = re.compile(r"(\d+)\s+(.*)$")
CALL = re.compile(r"([a-z_0-9]+)\((.*)\)\s+= (-?\d+|\?)(?:<([^>]*)>(\(deleted\))?)?")
UNFINISHED = re.compile(r"(.*) <unfinished \.\.\.>$")
RESUMED = re.compile(r"<\.\.\. [a-z_0-9]+ resumed>(.*)$")
DESCRIPTOR = re.compile(r"(-?\d+|AT_FDCWD)(?:<([^>]*)>(\(deleted\))?)?$")


class Surprise(Exception):
    """A call that is not modelled did something to a file that is watched."""


def unhex(text):
    """The bytes of a run of \\xNN, or of plain text, as in AF_UNIX sockets."""
    if not text.startswith("\\x"):
        return text.encode()
    return bytes.fromhex(text.replace("\\x", ""))


def split(arguments):
    """Splits the arguments of a call at the commas that are in no bracket. Strings hold no comma: they are hex."""
    depth, start, out = 0, 0, []
    if "[" not in arguments and "{" not in arguments:
        return arguments.split(", ")
    for i, c in enumerate(arguments):
        if c in "[{(":
            depth += 1
        elif c in "]})":
            depth -= 1
        elif c == "," and depth == 0:
            out.append(arguments[start:i].strip())
            start = i + 1
    out.append(arguments[start:].strip())
    return out


def string(argument):
    return unhex(argument.strip().strip('"'))


def vector(argument):
    return b"".join(unhex(m) for m in re.findall(r'iov_base="([^"]*)"', argument))


def path_of(text, is_deleted):
    """A path as -y prints it, with the kernel's ` (deleted)`."""
    return unhex(text or "").decode(errors="replace") + (" (deleted)" if is_deleted else "")


def descriptor(argument):
    """Its number and its path."""
    m = DESCRIPTOR.match(argument)
    if m is None:
        raise Surprise("no descriptor: " + argument[:80])
    return m.group(1), path_of(m.group(2), m.group(3))


def calls(file):
    """The calls in the order in which they ended: pid, name, arguments, result, path of the result."""
    begun = {}
    for line in file:
        m = LINE.match(line)
        if m is None:
            continue
        pid, rest = int(m.group(1)), m.group(2)
        cut = UNFINISHED.match(rest)
        if cut:
            begun[pid] = cut.group(1)
            continue
        again = RESUMED.match(rest)
        if again:
            rest = begun.pop(pid, "") + again.group(1)
        elif rest.startswith("exit_group("):
            yield pid, "exit_group", [rest[len("exit_group("):].split(")")[0]], 0, ""
            continue
        call = CALL.match(rest)
        if call is None or call.group(3) == "?" or call.group(3).startswith("-"):
            continue
        yield pid, call.group(1), split(call.group(2)), int(call.group(3)), path_of(call.group(4), call.group(5))


class Names:
    """Which file each path below root is, as the kernel sees it."""

    def __init__(self, root):
        self.root = root
        self.nodes = {root: 0}
        self.directories = {0}
        self.gone = {}  # `PATH (deleted)`, as -y prints it
        self.next_node = 1

    def watches(self, path):
        return path == self.root or path.startswith(self.root + "/")

    def add(self, path, is_directory=False):
        node = self.next_node
        self.next_node += 1
        self.nodes[path] = node
        if is_directory:
            self.directories.add(node)
        return node

    def find(self, path):
        if path.endswith(" (deleted)"):
            return self.gone.get(path)
        return self.nodes.get(path)

    def forget(self, path):
        node = self.nodes.pop(path)
        self.gone[path + " (deleted)"] = node
        return node

    def move(self, old, new):
        if new in self.nodes and self.nodes[new] not in self.directories:
            self.forget(new)
        for path in [p for p in self.nodes if p == old or p.startswith(old + "/")]:
            self.nodes[new + path[len(old):]] = self.nodes.pop(path)

    def parent(self, path):
        directory, name = path.rsplit("/", 1)
        return self.nodes[directory], name


class Reader:
    """Makes events of the traces of one scenario; the names, and what is behind them, last from one to the next."""

    def __init__(self, root):
        self.names = Names(root)
        self.position = {}  # of write(2), by node
        self.size = {}
        self.syncs = 0

    def add_file(self, path, size):
        node = self.names.add(path)
        self.size[node] = size
        return node

    def path(self, at, relative):
        text = string(relative).decode()
        if text.startswith("/proc/self/fd/"):
            return text
        joined = text if text.startswith("/") else descriptor(at)[1] + "/" + text
        parts = []
        for part in joined.split("/"):
            if part == "..":
                parts.pop()
            elif part not in ("", "."):
                parts.append(part)
        return "/" + "/".join(parts)

    def write(self, node, offset, data):
        self.size[node] = max(self.size.get(node, 0), offset + len(data))
        return Write(node, offset, data)

    def events(self, file):
        linked = {}  # the descriptors of each pid that linkat(2) names by /proc/self/fd
        for pid, call, a, result, result_path in calls(file):
            if call in ("open", "openat", "creat"):
                linked[pid, str(result)] = result_path
            handler = getattr(self, "on_" + call, None)
            if handler is None:
                raise Surprise(call)
            yield from handler(pid, a, result, result_path, linked)

    # ---- names ----

    def on_openat(self, pid, a, result, result_path, linked):
        names = self.names
        if not names.watches(result_path) or "O_PATH" in a[2]:
            return
        if "O_TMPFILE" in a[2]:
            node = names.next_node
            names.next_node += 1
            names.gone[result_path] = node
            self.size[node], self.position[node] = 0, 0
            return
        node = names.find(result_path)
        if node is None:
            if "O_CREAT" not in a[2]:
                if "O_DIRECTORY" in a[2]:
                    raise Surprise("a directory that nobody made: " + result_path)
                raise Surprise("a file that nobody made: " + result_path)
            node = names.add(result_path)
            self.size[node] = 0
            yield Create(*names.parent(result_path), node, False)
        elif "O_TRUNC" in a[2] and self.size.get(node):
            self.size[node] = 0
            yield Truncate(node, 0)
        self.position[node] = self.size.get(node, 0) if "O_APPEND" in a[2] else 0

    def on_open(self, pid, a, result, result_path, linked):
        yield from self.on_openat(pid, ["AT_FDCWD"] + a, result, result_path, linked)

    def on_creat(self, pid, a, result, result_path, linked):
        yield from self.on_openat(pid, ["AT_FDCWD", a[0], "O_CREAT|O_TRUNC"], result, result_path, linked)

    def on_mkdirat(self, pid, a, result, result_path, linked):
        path = self.path(a[0], a[1])
        if self.names.watches(path):
            node = self.names.add(path, True)
            yield Create(*self.names.parent(path), node, True)

    def on_mkdir(self, pid, a, *rest):
        yield from self.on_mkdirat(pid, ["AT_FDCWD</>"] + a if a[0].startswith('"\\x2f') else a, *rest)

    def on_renameat(self, pid, a, result, result_path, linked):
        old, new = self.path(a[0], a[1]), self.path(a[2], a[3])
        if not self.names.watches(old) and not self.names.watches(new):
            return
        node = self.names.find(old)
        if node is None:
            return
        event = Rename(*self.names.parent(old), *self.names.parent(new), node)
        self.names.move(old, new)
        yield event

    on_renameat2 = on_renameat

    def on_rename(self, pid, a, *rest):
        yield from self.on_renameat(pid, ["AT_FDCWD", a[0], "AT_FDCWD", a[1]], *rest)

    def on_unlinkat(self, pid, a, result, result_path, linked):
        path = self.path(a[0], a[1])
        if self.names.find(path) is not None:  # a socket has none: bind(2) made it
            event = Unlink(*self.names.parent(path), self.names.find(path))
            self.names.forget(path)
            yield event

    def on_unlink(self, pid, a, *rest):
        yield from self.on_unlinkat(pid, ["AT_FDCWD", a[0]], *rest)

    on_rmdir = on_unlink

    def on_linkat(self, pid, a, result, result_path, linked):
        old, new = self.path(a[0], a[1]), self.path(a[2], a[3])
        if not self.names.watches(new):
            return
        if old.startswith("/proc/self/fd/"):
            old = linked[pid, old.rsplit("/", 1)[1]]
        node = self.names.find(old)
        if node is None:
            return
        self.names.nodes[new] = node
        yield Link(*self.names.parent(new), node)

    def on_link(self, pid, a, *rest):
        yield from self.on_linkat(pid, ["AT_FDCWD", a[0], "AT_FDCWD", a[1], "0"], *rest)

    def on_symlinkat(self, pid, a, *rest):
        if self.names.watches(self.path(a[1], a[2])):
            path = self.path(a[1], a[2])
            yield Create(*self.names.parent(path), self.names.add(path), False)

    def on_symlink(self, pid, a, *rest):
        yield from self.on_symlinkat(pid, [a[0], "AT_FDCWD", a[1]], *rest)

    # ---- contents ----

    def written(self, pid, a, data, offset, result):
        number, path = descriptor(a[0])
        data = data[:result]
        if not self.names.watches(path):
            yield Said(pid, number, path, data)
            return
        node = self.names.find(path)
        if node is None:
            raise Surprise("a write to a file that nobody opened: " + path)
        if offset is None:
            offset = self.position.get(node, 0)
            self.position[node] = offset + len(data)
        yield self.write(node, offset, data)

    def on_write(self, pid, a, result, *rest):
        yield from self.written(pid, a, string(a[1]), None, result)

    def on_writev(self, pid, a, result, *rest):
        yield from self.written(pid, a, vector(a[1]), None, result)

    def on_pwrite64(self, pid, a, result, *rest):
        yield from self.written(pid, a, string(a[1]), int(a[3]), result)

    def on_pwritev(self, pid, a, result, *rest):
        yield from self.written(pid, a, vector(a[1]), int(a[3]), result)

    def on_sendto(self, pid, a, result, *rest):
        yield from self.written(pid, a, string(a[1]), None, result)

    def on_sendmsg(self, pid, a, result, *rest):
        yield from self.written(pid, a, vector(a[1]), None, result)

    def on_lseek(self, pid, a, result, *rest):
        node = self.names.find(descriptor(a[0])[1])
        if node is not None:
            self.position[node] = result
        return iter(())

    def on_ftruncate(self, pid, a, result, *rest):
        path = descriptor(a[0])[1]
        if self.names.watches(path):
            node = self.names.find(path)
            if self.size.get(node, 0) != int(a[1]):
                self.size[node] = int(a[1])
                yield Truncate(node, int(a[1]))

    def on_truncate(self, pid, a, result, *rest):
        path = self.path("AT_FDCWD", a[0])
        if self.names.watches(path):
            self.size[self.names.find(path)] = int(a[1])
            yield Truncate(self.names.find(path), int(a[1]))

    def on_fsync(self, pid, a, result, *rest):
        path = descriptor(a[0])[1]
        if self.names.watches(path):
            self.syncs += 1
            yield Sync(self.names.find(path), self.syncs, path)

    on_fdatasync = on_fsync

    def refuse(self, pid, a, *rest):
        for argument in a:
            m = DESCRIPTOR.match(argument)
            if m and self.names.watches(path_of(m.group(2), False)):
                raise Surprise("a call that is not modelled: " + ", ".join(a)[:200])
        return iter(())

    on_fallocate = on_sync_file_range = on_syncfs = on_copy_file_range = on_sendfile = refuse

    def on_mmap(self, pid, a, *rest):
        if len(a) > 4 and "MAP_SHARED" in a[3] and "PROT_WRITE" in a[2]:
            path = descriptor(a[4])[1]
            # SQLite's index of the log: it is rebuilt, and the images have it in any state.
            if self.names.watches(path) and not path.endswith("-shm"):
                raise Surprise("a file that is written through memory: " + path)
        return iter(())

    def on_exit_group(self, pid, a, *rest):
        yield Exited(pid, int(a[0]))
