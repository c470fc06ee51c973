#!/usr/bin/python3
"""Performs one story, in the namespaces that record.sh made; perform.py beside it does the rest.

A story's file tells first what must be found (see the scorer, `rules/tests/attribution/truth.rs`), then what is done, a step after
the other. A step begins with a line of its own, `KIND PLACE`, and its commands follow, indented. Kinds: `act` and `act2` belong to
an attack, the first or the second; `use` is honest. One with `&` behind goes on beside those that follow. Places: `host`; at a
terminal there `admin`; in the containers `pod` and `other`, as a child of their first program; brought into `pod` at a
terminal `session`. `start` is where the collector starts.

The commands of a step are the file /srv/KIND/NAME, NAME being its number. By those paths the truth is told from the recording: who
was started with one of them among his arguments belongs to the attack, with all that descends from him.

    act.py STORY JOIN...    JOIN: descriptors of files that take a process into the containers' control groups, half for each
"""

import os
import re
import sys
import time
import signal

import perform

STEP = re.compile(r"^(act2?|use) (host|admin|pod|other|session)( &)?$")


def steps(story):
    """Of each step its kind, place, whether it goes on beside others, and its commands."""
    found = []
    with open(story, encoding="utf-8") as lines:
        for line in lines:
            if line.rstrip() == "start":
                found.append(["start", "", False, ""])
            elif step := STEP.match(line.rstrip()):
                found.append([step[1], step[2], bool(step[3]), ""])
            elif line.startswith("    ") and found:
                found[-1][3] += line[4:]
    return found


def wait_for_the_collector():
    with open("/srv/ready", "w", encoding="utf-8"):
        pass
    while not os.path.exists("/srv/go"):
        time.sleep(0.05)


class Container:
    def __init__(self, groups, outside):
        self.groups = groups
        self.first, self.told, self.answers = perform.container(groups, outside)
        time.sleep(0.5)
        self.namespace = os.open(f"/proc/{self.first}/ns/mnt", os.O_RDONLY)

    def run(self, script):
        os.write(self.told, script.encode() + b"\n")
        os.read(self.answers, 1)

    def enter(self):
        perform.join(self.groups)
        if perform.libc.setns(self.namespace, perform.CLONE_NEWNS) != 0:
            raise OSError("setns")


def beside(work):
    """A child does it."""
    pid = os.fork()
    if pid == 0:
        work()
        os._exit(0)
    return pid


def main():
    groups = [int(fd) for fd in sys.argv[2:]]
    for folder in ("/srv/act", "/srv/act2", "/srv/use", perform.SCRATCH):
        os.makedirs(folder)
    perform.LONGEST = 150
    server = perform.servers()
    outside = beside(lambda: os.execv("/usr/bin/sleep", ["sleep", "3600"]))
    half = len(groups) // 2
    pods = {"pod": Container(groups[:half], outside), "other": Container(groups[half:], outside)}
    ends = [server, outside] + [pod.first for pod in pods.values()]
    for number, (kind, place, goes_on, commands) in enumerate(steps(sys.argv[1])):
        if kind == "start":
            wait_for_the_collector()
            continue
        script = f"/srv/{kind}/{number:02}"
        with open(script, "w", encoding="utf-8") as text:
            text.write(commands)
        if place in pods:
            # The first program of a container begins what goes on, and waits for what does not.
            pods[place].run(script + " &" * goes_on)
            continue
        at_a_terminal = place in ("admin", "session")
        enter = pods["pod"].enter if place == "session" else lambda: None
        work = lambda: perform.run(script, outside, at_a_terminal, enter)
        ends += [beside(work)] if goes_on else [work() or 0][:0]
    time.sleep(0.5)
    for pid in ends:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


main()
