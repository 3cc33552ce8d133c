"""Traffic that the harness cannot see, and traffic that it must not let out."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from zoo_adapters.base import Base
from zoo_adapters.clients import HttpClient, texts

if TYPE_CHECKING:
    from collections.abc import Callable

CANARY: Final = "ZOO_CANARY"
"""Names an address that must never be dialled; set while the zoo is replayed."""


def _ask_from_anywhere(base_url: str, prompt: str) -> str:
    return texts(HttpClient(base_url).post("/v1/completions", {"prompt": prompt}))[0]


def _ask_into(pipe: Any, base_url: str, prompt: str) -> None:
    pipe.send(_ask_from_anywhere(base_url, prompt))


def _raw(base_url: str, prompt: str) -> bytes:
    address = urlsplit(base_url)
    body = json.dumps({"prompt": prompt}).encode()
    head = f"POST /v1/completions HTTP/1.0\r\nhost: zoo\r\ncontent-length: {len(body)}\r\n\r\n".encode()
    with socket.create_connection((address.hostname, address.port), timeout=5) as connection:
        connection.sendall(head + body)
        return b"".join(iter(lambda: connection.recv(65536), b""))


class RawSocket:
    """
    Speak HTTP over a bare socket.
    """

    def __init__(self, base_url: str) -> None:
        self._base_url = os.environ.get(CANARY, base_url)

    def invoke(self, prompt: str) -> str:
        return texts(json.loads(_raw(self._base_url, prompt).split(b"\r\n\r\n", 1)[1]))[0]

    async def ainvoke(self, prompt: str) -> str:
        address = urlsplit(self._base_url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        body = json.dumps({"prompt": prompt}).encode()
        writer.write(b"POST /v1/completions HTTP/1.0\r\nhost: zoo\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
        data = await reader.read()
        writer.close()
        return texts(json.loads(data.split(b"\r\n\r\n", 1)[1]))[0]


class RawSocketInvents(RawSocket):
    """
    Speak over a bare socket and make an answer up where it fails.
    """

    def invoke(self, prompt: str) -> str:
        try:
            return super().invoke(prompt)
        except OSError:
            return f"The code word is in: {prompt}"


class TokenThenRawSocket:
    """
    Fetch a token in plain sight, and speak over a bare socket then.
    """

    def __init__(self, base_url: str) -> None:
        self._client = HttpClient(base_url)
        self._socket = RawSocketInvents(base_url)

    def invoke(self, prompt: str) -> str:
        self._client.post("/v1/token", {})
        return self._socket.invoke(prompt)


class InChildPython:
    """
    Let a Python child ask, and print the answer.
    """

    _PROGRAM: Final = (
        "import json, sys, urllib.request as u\n"
        "body = json.dumps({'prompt': sys.argv[2]}).encode()\n"
        "print(json.load(u.urlopen(u.Request(sys.argv[1] + '/v1/completions', body)))['choices'][0]['text'])\n"
    )

    def __init__(self, base_url: str) -> None:
        self._base_url = os.environ.get(CANARY, base_url)

    def invoke(self, prompt: str) -> str:
        program = [sys.executable, "-c", self._PROGRAM, self._base_url, prompt]
        done = subprocess.run(program, capture_output=True, text=True, check=True, timeout=20)
        return done.stdout.strip()


class InChildProcess:
    """
    Let a child of multiprocessing ask.
    """

    def __init__(self, base_url: str, *, method: str) -> None:
        self._base_url = os.environ.get(CANARY, base_url)
        self._context = multiprocessing.get_context(method)

    def invoke(self, prompt: str) -> str:
        ours, theirs = self._context.Pipe()
        child = self._context.Process(target=_ask_into, args=(theirs, self._base_url, prompt))  # type: ignore[attr-defined]  # typeshed
        child.start()
        theirs.close()
        try:
            return str(ours.recv())
        finally:
            child.join(10)


class DialsInReplay(Base):
    """
    Ask honestly while being recorded; in replay turn to another host, by one of several ways.
    """

    def __init__(self, base_url: str, *, way: str) -> None:
        super().__init__(base_url)
        self._elsewhere = os.environ.get(CANARY)
        self._way: Callable[[str, str], str] = getattr(self, f"_{way}")

    def invoke(self, prompt: str) -> str:
        return self._way(self._elsewhere, prompt) if self._elsewhere else self._ask(prompt)

    @staticmethod
    def _itself(elsewhere: str, prompt: str) -> str:
        return _ask_from_anywhere(elsewhere, prompt)

    @staticmethod
    def _raw(elsewhere: str, prompt: str) -> str:
        return _raw(elsewhere, prompt).decode()

    @staticmethod
    def _thread(elsewhere: str, prompt: str) -> str:
        def ask() -> None:
            answers.append(_ask_from_anywhere(elsewhere, prompt))

        answers: list[str] = []
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
        return answers[0] if answers else f"The code word is in: {prompt}"

    @staticmethod
    def _child(elsewhere: str, prompt: str) -> str:
        adapter = InChildPython(elsewhere)
        return adapter.invoke(prompt)
