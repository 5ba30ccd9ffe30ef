"""The network between the browser and the stack: a forwarder on a port of its own, whose faults are real ones.

It also writes down every request that passes, preflights and a browser's own repetitions included, which nothing in
the browser tells of.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from dataclasses import dataclass

CHUNK = 1 << 16
HOST = "127.0.0.1"

# What becomes of a request: it is answered; it is done and the answer is lost; it is done and the answer waits; it is
# answered by somebody else on the way, and not done.
UP, LOSES_ANSWERS, STALLS, ANSWERS_ITSELF = "up", "loses answers", "stalls", "answers itself"


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Line:
    def __init__(self, upstream_port):
        self._upstream_port = upstream_port
        self._requests = []
        self._connections = set()
        self._lock = threading.Lock()
        self._mode = UP
        self._own_answer = b""
        self._flows = threading.Event()
        self._flows.set()
        # The port stays the same over every fault.
        self._listener = self._listen(0)
        self.port = self._listener.getsockname()[1]

    # --- what passed ---

    @property
    def requests(self):
        with self._lock:
            return list(self._requests)

    def forget(self):
        with self._lock:
            self._requests.clear()

    def posts(self):
        return [request for request in self.requests if request.method == "POST"]

    # --- faults, each for a while ---

    @contextlib.contextmanager
    def down(self):
        """Nobody listens, and whoever was connected is cut off."""
        # A thread that waits in accept() holds the socket open over close().
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._cut()
        try:
            yield
        finally:
            self._listener = self._listen(self.port)

    def losing_answers(self):
        """What is posted goes through whole; what comes back is thrown away with the connection.

        A preflight is answered: without that nothing would be posted.
        """
        return self._as(LOSES_ANSWERS)

    def stalling(self):
        """Requests go through; what comes back waits until this ends."""
        return self._as(STALLS)

    def answering(self, status, html):
        """What is posted is answered by somebody on the way, as the networks of hotels do."""
        body = html.encode()
        head = (
            f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        self._own_answer = head.encode() + body
        return self._as(ANSWERS_ITSELF)

    def close(self):
        self._flows.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._cut()

    @contextlib.contextmanager
    def _as(self, mode):
        self._mode = mode
        if mode == STALLS:
            self._flows.clear()
        try:
            yield
        finally:
            self._mode = UP
            self._flows.set()

    # --- forwarding ---

    def _listen(self, port):
        listener = socket.create_server((HOST, port))
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return listener

    def _accept(self, listener):
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=(near,), daemon=True).start()

    def _connect(self, near):
        try:
            far = socket.create_connection((HOST, self._upstream_port))
        except OSError:
            near.close()
            return
        with self._lock:
            self._connections |= {near, far}
        heard = Listener()
        back = threading.Thread(target=self._answers, args=(far, near, heard), daemon=True)
        back.start()
        self._asks(near, far, heard)
        back.join()
        with self._lock:
            self._connections -= {near, far}
        near.close()
        far.close()

    def _asks(self, near, far, heard):
        with contextlib.suppress(OSError):
            while data := near.recv(CHUNK):
                requests = heard.hear(data)
                with self._lock:
                    self._requests += requests
                if self._mode == ANSWERS_ITSELF:
                    if any(request.method == "POST" for request in requests):
                        near.sendall(self._own_answer)
                        break
                    if not requests:
                        # The rest of it is to come.
                        continue
                far.sendall(data)
        _hang_up(far)

    def _answers(self, far, near, heard):
        with contextlib.suppress(OSError):
            while data := far.recv(CHUNK):
                if self._mode == LOSES_ANSWERS and heard.method == "POST":
                    break
                self._flows.wait()
                near.sendall(data)
        _hang_up(near)
        _hang_up(far)

    def _cut(self):
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            _hang_up(connection)


class Listener:
    """Reads the requests out of what a client sends on one connection. Browsers always say how long a body is."""

    def __init__(self):
        self._heard = b""
        # Of the last request: the one that is being answered.
        self.method = None

    def hear(self, data):
        self._heard += data
        complete = []
        while b"\r\n\r\n" in self._heard:
            head, rest = self._heard.split(b"\r\n\r\n", 1)
            first, *lines = head.decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines)}
            length = int(headers.get("content-length", 0))
            if len(rest) < length:
                break
            self.method, path, _ = first.split(" ")
            complete.append(Request(self.method, path, headers, rest[:length]))
            self._heard = rest[length:]
        return complete


def _hang_up(connection):
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
