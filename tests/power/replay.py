# SPDX-License-Identifier: ISC
"""Makes the images of recorded runs, has them checked, and judges them: see tests/power/run."""
import argparse
import hashlib
import multiprocessing
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
from tests.power import images, oracle, trace  # noqa: E402
from tests.power.disk import Disk  # noqa: E402

PROBLEMS_SHOWN = 5
LITTLE_NEW = 200  # a round that adds less than this part of what there is was the last


class Checker:
    """A program that reads images and prints a line for each."""

    def __init__(self, command, directory, root=None):
        """root: a path that files have in their text, and that is to be the directory."""
        self.root = root and root.encode()
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.command, self.directory = command, directory

    def check(self, files):
        out = [b"%d\n" % len(files)]
        for name in sorted(files):
            data = files[name].replace(self.root, self.directory.encode()) if self.root else files[name]
            out += (b"%d %s\n" % (len(data), name.encode()), data)
        self.process.stdin.write(b"".join(out))
        self.process.stdin.flush()
        line = self.process.stdout.readline().decode(errors="replace")
        if not line:
            raise SystemExit("%s ended: %s, with the files %s" % (
                self.command[0], self.process.wait(), ", ".join("%s (%d)" % (n, len(d)) for n, d in files.items())))
        return oracle.parse(line)


    def end(self):
        self.process.stdin.close()
        if self.process.wait() != 0:
            raise SystemExit("%s ended: %s" % (self.command[0], self.process.returncode))
        shutil.rmtree(self.directory)


class Step:
    """What a .step file says."""

    def __init__(self, path):
        self.command, self.acknowledged, self.after, self.whole = "", None, {}, []
        self.may_be_unusable, self.must_change = False, True
        with open(path) as f:
            for line in f:
                words = line.split()
                if not words:
                    continue
                if words[0] == "command":
                    self.command = line[8:].strip()
                elif words[0] == "acknowledged":
                    self.acknowledged = words[1]
                elif words[0] == "unchanged":
                    self.must_change = False
                elif words[0] == "unusable":
                    self.may_be_unusable = True
                elif words[0] == "whole":
                    self.whole.append(words[1])
                else:
                    self.after.setdefault(int(words[0]), []).append(words[1:])

    def is_acknowledgement(self, event, first_pid, number):
        if not isinstance(event, trace.Said):
            return False
        if self.acknowledged == "stdout":
            return number == 0 and event.descriptor == "1" and event.pid == first_pid
        if self.acknowledged == "request":
            return event.data.startswith(b"POST ")
        return self.acknowledged == "http" and event.data.startswith(b"HTTP/1.1 200")


class Replay:
    """One scenario in one model. Rounds after the first make random images alone."""

    def __init__(self, path, is_strict, round_number, options, checker_of):
        self.path, self.options, self.round = path, options, round_number
        self.name = os.path.basename(path) + (" strict" if is_strict else " ordered")
        self.random = random.Random("%d %d %s" % (options.seed, round_number, self.name))
        with open(path + "/root") as f:
            self.root = f.read().strip()
        self.reader = trace.Reader(self.root)
        self.disk = Disk(is_strict)
        self.load_base()
        self.oracle, self.checker = checker_of(path, self.root)
        self.found = {}  # what the checker said, by hash
        self.judged = set()
        self.problems = []
        self.images = 0
        self.demands = {}
        self.states = []  # that the store had since the last acknowledgement
        self.state_before = None
        self.whole, self.kept = [], {}
        self.final = {}
        self.may_be_unusable = False
        self.where = "before its first step"
        self.dropped = 0

    def load_base(self):
        base = self.path + "/base"
        for directory, directories, files in os.walk(base):
            at = self.root + directory[len(base):]
            node = self.reader.names.nodes[at]
            for name in directories:
                self.disk.add_directory(node, name, self.reader.names.add(at + "/" + name, True))
            for name in files:
                with open(os.path.join(directory, name), "rb") as f:
                    data = f.read()
                self.disk.add_file(node, name, self.reader.add_file(at + "/" + name, len(data)), data)

    # ---- images ----

    def boot(self, files):
        """What a machine does before anybody reads: systemd-tmpfiles(8) makes an empty log and index of the log."""
        if "tunlease/" in files:
            for suffix in ("-wal", "-shm"):
                files.setdefault("tunlease/leases.db" + suffix, b"")
        return files

    def index_of_log(self, files):
        """-shm is written through memory, and the disk may hold anything in it."""
        for name in files:
            if name.endswith("-shm"):
                size = len(files[name])
                files[name] = self.random.choice((files[name], b"", bytes(size), self.random.randbytes(size)))
        return files

    def look(self, ops):
        files = self.boot(self.disk.image(ops))
        digest = hashlib.blake2b(digest_size=16)
        for name in sorted(files):
            if not name.endswith("-shm"):
                digest.update(b"%s %d\n" % (name.encode(), len(files[name])))
                digest.update(files[name])
        digest = digest.digest()
        found = self.found.get(digest)
        if found is None:
            self.images += 1
            found = self.found[digest] = self.checker.check(self.index_of_log(files))
        return digest, found, files

    def judge(self, ops):
        """True if this image was not judged before, here."""
        digest, found, files = self.look(ops)
        if digest in self.judged:
            return False
        self.judged.add(digest)
        problem = self.oracle.problem(found, files, self.states, self.demands, self.may_be_unusable)
        for name in self.whole:
            if problem is None and name in files and files[name] != self.final.get(name):
                problem = "%s is there in part" % name
        for name, data in self.kept.items():
            if problem is None and files.get(name) != data:
                problem = "%s was acknowledged, and is not there as it was" % name
        if problem is not None:
            self.problems.append("%s: %s" % (self.where, problem))
        return True

    def all_kept(self):
        return images.whole(self.disk.pending)

    def note_state(self):
        """The state that the store is in when nothing is lost."""
        _, found, files = self.look(self.all_kept())
        state = self.oracle.state(found, files)
        if not self.states or self.states[-1] != state:
            self.states.append(state)
            self.judged.clear()

    def cut(self, is_new):
        self.note_state()
        for ops in images.plain(self.disk, is_new) if self.round == 0 else (self.all_kept(),):
            self.judge(ops)
        if not self.disk.pending:
            return
        for _ in range(self.options.random):
            self.judge(images.at_random(self.disk, self.random))

    # ---- steps ----

    def acknowledge(self, step, number):
        for words in step.after.get(number, []):
            if words[0] == "keeps":
                self.kept[words[1]] = self.disk.image(self.all_kept())[words[1]]
            else:
                key, verdict = self.oracle.demands(words)
                self.demands[key] = verdict
        state = self.states[-1]
        # Else a program that first says that it is done, and then does it, would pass.
        if step.must_change and state == self.state_before:
            self.problems.append("%s: it was acknowledged before it was written" % self.where)
        self.states, self.state_before = [state], state
        self.judged.clear()

    def is_dropped(self, event):
        what = self.options.drop_fsync
        if what is None or not isinstance(event, trace.Sync):
            return False
        if what.isdigit():
            is_it = event.number == int(what)
        elif what == "directory":
            is_it = event.node in self.reader.names.directories
        else:
            is_it = event.node not in self.reader.names.directories and event.what.endswith(what)
        self.dropped += is_it
        return is_it

    def run_step(self, number):
        step = Step("%s/%02d.step" % (self.path, number))
        with open("%s/%02d.trace" % (self.path, number)) as f:
            events = list(self.reader.events(f))
        first_pid = next((e.pid for e in reversed(events) if isinstance(e, trace.Exited)), None)
        if step.whole:
            self.find_final(events, step)
        self.whole += step.whole
        self.may_be_unusable = step.may_be_unusable
        # What this step changes may be the old or the new until it says so.
        for words in (words for after in step.after.values() for words in after):
            if words[0] in ("admit", "refuse"):
                self.demands.pop(self.oracle.demands(words)[0], None)
        acknowledgements, before = 0, self.images
        self.where = "%s, step %d (%s), before it" % (self.name, number, step.command)
        self.cut(False)
        self.state_before = self.states[-1]
        for at, event in enumerate(events):
            self.where = "%s, step %d (%s), event %d of %d" % (self.name, number, step.command, at, len(events))
            if step.is_acknowledgement(event, first_pid, acknowledgements):
                acknowledgements += 1
                if self.options.verbose:
                    print("#   acknowledged:", event.data[:60])
                self.acknowledge(step, acknowledgements)
                self.may_be_unusable = False
                self.cut(False)
            elif self.is_dropped(event):
                pass
            elif self.disk.apply(event):
                self.cut(not isinstance(event, trace.Sync))
            if self.problems and self.options.first:
                return
        if step.acknowledged and acknowledgements < max(step.after, default=1):
            raise SystemExit("%s: step %d acknowledged %d times" % (self.name, number, acknowledgements))
        if self.options.verbose:
            print("#   %s, %s: %d images, %d acknowledged" % (self.name, step.command, self.images - before,
                                                              acknowledgements), flush=True)

    def find_final(self, events, step):
        last = Disk(self.disk.is_strict)
        last.bytes, last.names = dict(self.disk.bytes), {n: dict(d) for n, d in self.disk.names.items()}
        last.pending = list(self.disk.pending)
        for event in events:
            last.apply(event)
        files = last.image(images.whole(last.pending))
        self.final.update((name, files.get(name)) for name in step.whole)

    def run(self):
        number = 1
        while os.path.exists("%s/%02d.trace" % (self.path, number)):
            self.run_step(number)
            number += 1
        self.checker.end()
        return self


def checker_of(build, scratch):
    def make(path, root):
        directory = tempfile.mkdtemp(dir=scratch)
        os.chmod(directory, 0o755)
        if root == "/var/lib/agent":
            return oracle.AgentOracle(), Checker([build + "/check_agent", directory, directory + "/state"],
                                                  directory, root)
        keys = [line.split() for line in open(path + "/keys")]
        with open(directory + ".keys", "w") as f:
            f.writelines(" ".join(words[1:]) + "\n" for words in keys)
        command = [build + "/check_store", directory, directory + "/tunlease/leases.db", directory + ".keys",
                   str(int(os.stat(path + "/root").st_mtime))]
        return oracle.StoreOracle([words[0] for words in keys]), Checker(command, directory)
    return make


def run_one(task):
    """In a process of its own: one scenario in one model, once."""
    path, is_strict, round_number, options = task
    started = time.monotonic()
    try:
        replay = Replay(path, is_strict, round_number, options, checker_of(options.build, options.scratch)).run()
    except trace.Surprise as e:
        raise SystemExit("%s: %s" % (path, e))
    return replay.name, set(replay.found), replay.problems, replay.dropped, time.monotonic() - started


def show(problems):
    kinds = Counter(p.split(": ", 1)[1] for p in problems)
    for kind, count in kinds.most_common(PROBLEMS_SHOWN):
        first = next(p for p in problems if p.endswith(kind))
        print("not ok - %s (%d times)" % (first, count), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True, help="where the checkers are")
    parser.add_argument("--scratch", required=True, help="where images are laid out")
    parser.add_argument("--images", type=int, default=0, help="how many distinct ones there must be; 0: one round")
    parser.add_argument("--random", type=int, default=40, help="random parts at each step of a trace, each round")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--drop-fsync", help="a number, `directory`, or how the name of a file ends")
    parser.add_argument("--first", action="store_true", help="end with the first problem")
    parser.add_argument("--model", choices=("strict", "ordered"))
    parser.add_argument("-v", "--verbose", action="store_true")
    parser.add_argument("scenarios", nargs="+")
    options = parser.parse_args()
    models = [is_strict for is_strict in (True, False)
              if not options.model or (options.model == "strict") == is_strict]
    everything, problems, dropped, round_number = set(), [], 0, 0
    with multiprocessing.Pool(options.jobs) as pool:
        while round_number == 0 or len(everything) < options.images:
            tasks = [(path.rstrip("/"), is_strict, round_number, options)
                     for path in options.scenarios for is_strict in models]
            before = len(everything)
            for name, images_made, found, dropped_here, seconds in pool.imap_unordered(run_one, tasks):
                everything |= images_made
                dropped += dropped_here
                problems += found
                if round_number == 0 or options.verbose:
                    print("# %s: %d images in %.1f s, %d problems" % (name, len(images_made), seconds, len(found)), flush=True)
                if round_number == 0:
                    show(found)
            round_number += 1
            if options.images:
                print("# after round %d: %d images" % (round_number, len(everything)), flush=True)
            if (problems and options.first) or len(everything) - before < max(1, before // LITTLE_NEW):
                break
    if problems and round_number > 1:
        show(problems)
    if options.drop_fsync:
        print("%d fsync dropped" % dropped)
    print("%d images, %d problems, seed %d" % (len(everything), len(problems), options.seed))
    if not problems and len(everything) < options.images:
        print("not ok - there are not as many images as wanted, %d" % options.images)
        return 1
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
