# SPDX-License-Identifier: ISC
"""What must hold in an image, and what the checkers said of it.

The state of a store is a digest of all its rows. As the run went, with all of its writes, the store was in one state
after the other. An image must be in one of those that it had from the last acknowledgement on: then a change is done
as a whole or not at all, nothing acknowledged is lost, and nothing is there that was never written. Besides that,
each acknowledgement says which keys it admits and refuses, so that a digest that overlooks something does not hide it.
"""


def parse(line):
    words, _, why = line.rstrip("\n").partition("why=")
    found = dict(word.split("=", 1) for word in words.split())
    found["why"] = why
    return found


class StoreOracle:
    """Judges what check_store says."""

    def __init__(self, key_names):
        self.key_names = key_names

    def state(self, found, files):
        """None: there is no store."""
        return found.get("digest")

    def demands(self, words):
        """Of a line of a step: what it demands of an image, as (key, verdict)."""
        if words[0] in ("admit", "refuse"):
            return self.key_names.index(words[1]), "A" if words[0] == "admit" else "R"
        return None

    def problem(self, found, files, allowed, demands, may_be_unusable):
        """None: the image is as it must be. allowed: the states; demands: of the last acknowledgements;
        may_be_unusable: where there need be no store, it may take a restore to have one."""
        if found["reader"] != "ok":
            if None not in allowed:
                return "akc cannot read the store: " + found["why"]
            if found["writer"] != "ok" and not may_be_unusable:
                return "the store cannot be made: " + found["why"]
            return None
        for key, verdict in demands.items():
            if found["keys"][key] != verdict:
                return "the key of %s is %s, and that was acknowledged otherwise" % (
                    self.key_names[key], "admitted" if verdict == "R" else "refused")
        if found["audit"] != "ok":
            return "the audit breaks at row " + found["audit"]
        if found["digest"] not in allowed:
            return "the store is in a state that it had before the acknowledgement, or never: %s rows of audit" % \
                found["rows"]
        if found["writer"] != "ok" or found["integrity"] != "ok":
            return "the store cannot be changed: " + found["why"]
        if found["keys2"] != found["keys"] or found["audit2"] != "ok":
            return "who changes the store sees something else than akc"
        if found["version2"] == found["version"] and found["digest2"] != found["digest"]:
            return "to open the store to change it changed something else"
        return None


class AgentOracle:
    """Judges what check_agent says, and each file of the state directory by itself.

    Each must be what it was when the last request left, or has been since: a gateway gives a secret once, admits a
    key once, and counts turns.
    """

    # Of a running agent, or on the way to be another file; `first_login` and `known_hosts` are not left out.
    PASSING = ("lock", "run/", ".new", ".new.pub", ".pub", ".old")

    def state(self, found, files):
        return {name: data for name, data in files.items()
                if name.startswith("state/") and not name.startswith("state/run/") and not name.endswith(self.PASSING)}

    def demands(self, words):
        raise ValueError("an agent has no keys: " + " ".join(words))

    def problem(self, found, files, allowed, demands, may_be_unusable):
        if found["agent"] != "ok":
            return "the agent cannot read its state: " + found["why"]
        there = self.state(found, files)
        for name in sorted({n for state in allowed for n in state} | set(there)):
            if not any(state.get(name) == there.get(name) for state in allowed):
                return "%s is %s" % (name, "lost" if name not in there else "in part, or what it was before")
        return None
