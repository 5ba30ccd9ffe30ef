"""A small HTTP server on this machine that gives the answers it was told to give, one after another."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Answer:
    """`cut`: so many bytes less than it says, then the connection ends."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: int = 0


class Dropped:
    """The connection ends without an answer."""


class Held:
    """Nothing is answered, and the connection stays."""


@dataclass
class Script:
    """What is answered next, and what was asked so far: path with query, and the headers; and what came with it."""

    answers: list
    url: str = ""
    asked: list = field(default_factory=list)
    bodies: list = field(default_factory=list)

    @property
    def targets(self):
        return [target for target, _ in self.asked]


@contextlib.contextmanager
def serving(answers):
    script = Script(list(answers))
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            script.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.do_GET()

        def do_GET(self):
            script.asked.append((self.path, self.headers))
            answer = script.answers.pop(0)
            if isinstance(answer, Held):
                over.wait()
            if isinstance(answer, Dropped | Held):
                self.close_connection = True
                return
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body[: len(answer.body) - answer.cut])
            self.close_connection = answer.cut > 0

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    script.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield script
    finally:
        over.set()
        server.shutdown()
        thread.join()
        server.server_close()
