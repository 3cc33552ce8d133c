"""A small program to be started beside an adapter: `small_program.py KIND PORT`."""

from __future__ import annotations

import http.server
import os
import signal
import subprocess
import sys
import time


class Handler(http.server.BaseHTTPRequestHandler):
    """
    Answer that it is up.
    """

    def do_GET(self) -> None:
        """
        Tell its process and its key.
        """
        body = f"{os.getpid()} {os.environ.get('SMALL_KEY', '')}".encode()
        self.send_response(200 if self.path == "/up" else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """
        Print nothing.
        """


def main(kind: str, port: int) -> None:
    """
    Be up, or fail in one of the ways that programs do.
    """
    print(f"{kind} begins with {os.environ.get('SMALL_KEY', '')}", flush=True)  # noqa: T201 - what programs do
    if kind == "ends":
        sys.exit("no such database")
    if kind == "silent":
        time.sleep(600)
    if kind == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        child = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
        subprocess.Popen([sys.executable, "-c", child], start_new_session=True)
    http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
