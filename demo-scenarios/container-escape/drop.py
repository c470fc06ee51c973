#!/usr/bin/python3
"""The peer that the stolen archive is sent to, for use on the disposable node only.

    drop.py DIR

Listens on 198.51.100.23:8000 (an address for documentation, in a network namespace of the scenario's own). Counts the bytes of
what is uploaded, keeps none of them, and writes the count to DIR/drop.log, a line for each upload.
"""

import http.server
import pathlib
import sys

folder = pathlib.Path(sys.argv[1])


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # answers `Expect: 100-continue`

    def do_PUT(self) -> None:
        expected = int(self.headers["Content-Length"])
        received = 0
        while received < expected:
            block = self.rfile.read(min(expected - received, 1 << 16))
            if not block:
                break
            received += len(block)
        self.send_response(201 if received == expected else 400)
        self.send_header("Content-Length", "0")
        self.end_headers()
        with open(folder / "drop.log", "a") as log:
            print(received, file=log)

    def log_message(self, *_: object) -> None:
        pass


http.server.ThreadingHTTPServer(("198.51.100.23", 8000), Handler).serve_forever()
