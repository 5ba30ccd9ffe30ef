"""Sites of other people, with the widget on them: real servers of names that only the test browser knows.

They are not made up inside the browser on purpose: while Playwright answers requests itself it also answers the
preflights of all others, so that no test would notice a missing one.
"""

from __future__ import annotations

import html
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOST = "127.0.0.1"
# What a site with the strictest policy has to allow for the widget, and what it hands to the page.
STRICT = "default-src 'none'; script-src {api}; connect-src {api}; require-trusted-types-for 'script'"
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>An agent's own site</title>{head}</head>
<body><main><h1>An agent's own site</h1>{body}</main></body></html>"""


class Sites:
    """By name, what its one page says. Every name that ends with .test or .localhost leads here.

    Browsers trust the latter like a site with TLS, and the former not at all.
    """

    def __init__(self):
        self._pages = {}
        self._server = ThreadingHTTPServer((HOST, 0), self._handler())
        self._server.daemon_threads = True
        self._names = 0
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def page(self, body, head="", headers=None, is_trusted=False):
        """A page on a site of its own. Gives its address."""
        self._names += 1
        name = f"site{self._names}.{'localhost' if is_trusted else 'test'}"
        self._pages[name] = (PAGE.format(head=head, body=body).encode(), headers or {})
        return f"http://{name}/"

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def _handler(self):
        pages = self._pages

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                body, headers = pages.get(self.headers["Host"], (b"", {}))
                # Sites have other files than the one page, and a browser asks for some of them by itself.
                is_there = bool(body) and self.path == "/"
                self.send_response(200 if is_there else 404)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body) if is_there else 0))
                self.end_headers()
                if is_there:
                    self.wfile.write(body)

            def log_message(self, *_):
                pass

        return Handler


def script(api_url, agent, **data):
    """The one line that a site has of the widget."""
    attributes = {"src": f"{api_url}/widget/v1.js", "data-agent": agent}
    attributes |= {f"data-{name.replace('_', '-')}": value for name, value in data.items()}
    written = " ".join(f'{name}="{html.escape(value)}"' for name, value in attributes.items())
    return f"<script {written}></script>"
