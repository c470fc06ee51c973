#!/usr/bin/python3
"""Performs the cases of a folder, one after the other, each where it says. Run by record.sh, in namespaces of its own.

A case is a line of a file in the folder: `  + PLACE: COMMAND` meets the rule that is named above it, `  - PLACE: COMMAND` does
not. The command is a file for bash, whose name is a sum of the case's text: by it the test finds, in the recording, what belongs
to the case. Places: `host` and, at a terminal there, `admin`; in a container `pod`; brought into it by someone outside `session`
(at a terminal) and `probe` (without one).

Commands find: $OUTSIDE, the pid of a process outside of the container; $SCRATCH, a directory of their own, in which
they begin. At 10.9.9.9 and 203.0.113.9 there are servers, which take whatever is sent, and a name server.

    perform.py FOLDER JOIN...    JOIN: descriptors of files that take a process into the container's control groups
"""

import ctypes
import fcntl
import os
import pty
import signal
import socket
import sys
import termios
import threading
import time

CLONE_NEWNS = 0x20000
PORTS = (21, 22, 23, 80, 443, 2375, 2379, 3000, 3333, 4444, 5432, 6667, 8080, 9050, 10250)
SCRIPTS = "/srv/cases"
SCRATCH = "/srv/scratch"
LONGEST = 25  # seconds that a case may last
libc = ctypes.CDLL(None, use_errno=True)


def sum_of(text):
    """FNV-1a, 64 bits."""
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return f"{value:016x}"


def cases(folder):
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), encoding="utf-8") as lines:
            for line in lines:
                if line.startswith(("  + ", "  - ")):
                    place, command = line[4:].strip().split(": ", 1)
                    yield place, command, sum_of(f"{place}: {command}")


def eat(connection):
    """Takes all that comes. Who asks for a page gets a script that does nothing."""
    connection.settimeout(2)
    try:
        while took := connection.recv(65536):
            if took.startswith(b"GET "):
                connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n#!/bin/sh\ntrue\n")
                break
    except OSError:
        pass
    connection.close()


def serve(port):
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("0.0.0.0", port))
    server.listen(64)
    while True:
        threading.Thread(target=eat, args=(server.accept()[0],), daemon=True).start()


def answer_names():
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("10.9.9.9", 53))
    while True:
        asked, who = server.recvfrom(1500)
        server.sendto(asked[:2] + b"\x81\x83" + asked[4:], who)  # there is no such name


def servers():
    """A process of its own, so that nothing of it belongs to a case."""
    pid = os.fork()
    if pid:
        return pid
    for port in PORTS:
        threading.Thread(target=serve, args=(port,), daemon=True).start()
    answer_names()


def become(script, outside, terminal):
    """The process becomes a case's shell."""
    if terminal is not None:
        os.setsid()
        fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
        for fd in (0, 1, 2):
            os.dup2(terminal, fd)
    else:
        os.setpgid(0, 0)
        nothing = os.open("/dev/null", os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(nothing, fd)
    os.closerange(3, 64)
    scratch = os.path.join(SCRATCH, os.path.basename(script))
    os.makedirs(scratch, exist_ok=True)
    os.chdir(scratch)
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        "HOME": "/root",
        "LC_ALL": "C",
        "OUTSIDE": str(outside),
        "SCRATCH": scratch,
    }
    os.execve("/bin/bash", ["bash", script], environment)


def end(pid):
    """Waits for a case, which ends all that it left behind; one that lasts too long is ended."""
    until = time.monotonic() + LONGEST
    while os.waitpid(pid, os.WNOHANG) == (0, 0):
        if time.monotonic() > until:
            print(f"perform.py: {pid} is ended", file=sys.stderr)
            os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            break
        time.sleep(0.005)
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def run(script, outside, at_a_terminal, enter=lambda: None):
    if not at_a_terminal:
        pid = os.fork()
        if pid == 0:
            enter()
            become(script, outside, None)
        end(pid)
        return
    ours, theirs = pty.openpty()
    pid = os.fork()
    if pid == 0:
        os.close(ours)
        enter()
        become(script, outside, theirs)
    os.close(theirs)
    threading.Thread(target=drain, args=(ours,), daemon=True).start()
    end(pid)


def drain(terminal):
    try:
        while os.read(terminal, 4096):
            pass
    except OSError:
        pass
    os.close(terminal)


def join(groups):
    for group in groups:
        os.write(group, b"0")


def container(groups, outside):
    """Starts the container: its first program, this one again, performs what it is told. Returns it, and how to tell it."""
    orders, told = os.pipe()
    answers, done = os.pipe()
    pid = os.fork()
    if pid == 0:
        join(groups)
        if libc.unshare(CLONE_NEWNS) != 0:
            raise OSError(ctypes.get_errno(), "unshare")
        for fd, at in ((orders, 60), (done, 61)):
            os.dup2(fd, at)
            os.set_inheritable(at, True)
        os.closerange(3, 60)
        os.execv("/usr/bin/python3", ["python3", os.path.abspath(__file__), "--inside", str(outside), str(LONGEST)])
    os.close(orders)
    os.close(done)
    return pid, told, answers


def inside(outside, longest):
    global LONGEST
    LONGEST = longest
    with os.fdopen(60) as orders:
        for order in orders:
            script, _, beside = order.strip().partition(" ")
            if beside:
                # It goes on while others are run; a child of this program like them.
                threading.Thread(target=run, args=(script, outside, False), daemon=True).start()
            else:
                run(script, outside, False)
            os.write(61, b".")


def main():
    if sys.argv[1] == "--inside":
        return inside(int(sys.argv[2]), int(sys.argv[3]))
    groups = [int(fd) for fd in sys.argv[2:]]
    os.makedirs(SCRIPTS)
    os.makedirs(SCRATCH)
    server = servers()
    outside = os.fork()
    if outside == 0:
        os.execv("/usr/bin/sleep", ["sleep", "3600"])
    first, told, answers = container(groups, outside)
    time.sleep(0.5)
    namespace = os.open(f"/proc/{first}/ns/mnt", os.O_RDONLY)

    def enter():
        join(groups)
        if libc.setns(namespace, CLONE_NEWNS) != 0:
            raise OSError(ctypes.get_errno(), "setns")

    for place, command, name in cases(sys.argv[1]):
        script = f"{SCRIPTS}/{name}"
        with open(script, "w", encoding="utf-8") as text:
            text.write(command + "\n")
        if place == "pod":
            os.write(told, script.encode() + b"\n")
            os.read(answers, 1)
        else:
            brought = place in ("session", "probe")
            run(script, outside, place in ("admin", "session"), enter if brought else lambda: None)
    for pid in (first, outside, server):
        os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
