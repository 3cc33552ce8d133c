"""A project of toy adapters on disk, and the command in a real process over it."""

from __future__ import annotations

import fcntl
import hashlib
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import termios
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent

PLAIN = '''"""An adapter over requests that emulates what it can."""

from __future__ import annotations

import asyncio

import requests


class Plain:
    def __init__(self, base_url):
        self.url = base_url + "/v1/complete"

    def invoke(self, prompt):
        return requests.post(self.url, json={"prompt": prompt}).json()["choices"][0]["text"]

    async def ainvoke(self, prompt):
        return await asyncio.to_thread(self.invoke, prompt)

    def stream(self, prompt):
        yield self.invoke(prompt)

    async def astream(self, prompt):
        yield await self.ainvoke(prompt)

    def batch(self, prompts):
        return [self.invoke(prompt) for prompt in prompts]

    async def abatch(self, prompts):
        return list(await asyncio.gather(*map(self.ainvoke, prompts)))
'''
REGISTRATIONS = """
family = "toys"

[adapters.Good]
target = "toy_adapters:Honest"
kwargs = { base_url = "URL" }

[adapters.Plain]
target = "plain:Plain"
kwargs = { base_url = "URL" }

[adapters.Faulty]
target = "toy_adapters:Faulty"
kwargs = { base_url = "URL", how = "raise" }
expects = { invoke = "broken" }
reason = "it counts characters, see its issue 7"
"""


@dataclass(frozen=True)
class Done:
    """
    Hold what a finished command said, and its status.
    """

    status: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """
        Return both outputs with each run of white space as one space, so that wrapped lines can be searched.
        """
        return " ".join(f"{self.out} {self.err}".split())


@dataclass(frozen=True)
class Folder:
    """
    Run the command in a project's folder.
    """

    path: Path
    environ: dict[str, str] = field(default_factory=dict)
    python: str = sys.executable

    @property
    def toml(self) -> Path:
        return self.path / "harness.toml"

    @property
    def reports(self) -> Path:
        return self.path / "reports"

    def cassette(self, adapter: str, call: str) -> Path:
        return self.path / "cassettes" / "toys" / adapter / f"{call}.yaml"

    def add(self, text: str) -> None:
        """
        Append to the configuration.
        """
        self.toml.write_text(f"{self.toml.read_text()}\n{text}\n", encoding="utf-8")

    def env(self, **more: str) -> dict[str, str]:
        """
        Return an environment without what changes how the command looks.
        """
        looks = {"NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "TERM", "CLICOLOR", "CLICOLOR_FORCE"}
        return {**{name: value for name, value in os.environ.items() if name not in looks}, **self.environ, **more}

    def start(self, *words: str, **options: Any) -> subprocess.Popen[bytes]:
        """
        Start the command in a process group of its own.
        """
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, **options}
        options.setdefault("env", self.env())
        command = [self.python, "-m", "harness", *words]
        return subprocess.Popen(command, cwd=self.path, start_new_session=True, **options)

    def __call__(self, *words: str, **options: Any) -> Done:
        """
        Run the command to its end.
        """
        with self.start(*words, **options) as process:
            try:
                out, err = process.communicate(timeout=200)
            finally:
                process.kill()
        return Done(process.returncode, (out or b"").decode(), (err or b"").decode())

    def on_terminal(self, *words: str, columns: int = 100, env: dict[str, str] | None = None) -> Done:
        """
        Run the command on a terminal of its own; what it showed is in `out`, escape sequences and all.
        """
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        shown: list[bytes] = []
        environ = self.env(**{"TERM": "xterm-256color", **(env or {})})
        process = self.start(*words, stdin=theirs, stdout=theirs, stderr=theirs, env=environ)
        os.close(theirs)
        reader = threading.Thread(target=_read, args=(ours, shown))
        reader.start()
        status = process.wait(200)
        reader.join(30)
        os.close(ours)
        return Done(status, b"".join(shown).decode(), "")

    def digests(self, *parts: str) -> dict[str, str]:
        """
        Return the digest of every file below some of the folder's parts, by its path.
        """
        files = [path for part in parts or (".",) for path in (self.path / part).rglob("*")]
        kept = [path for path in files if path.is_file() and "__pycache__" not in path.parts]
        return {str(path.relative_to(self.path)): hashlib.sha256(path.read_bytes()).hexdigest() for path in kept}


def _read(source: int, shown: list[bytes]) -> None:
    while True:
        try:
            data = os.read(source, 65536)
        except OSError:  # how a terminal says that nobody is at the other end
            return
        if not data:
            return
        shown.append(data)


def bare(text: str) -> str:
    """
    Return a text without escape sequences.
    """
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def write_project(folder: Path, url: str) -> Folder:
    """
    Write the toys' project into a folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(HERE / "toy_adapters.py", folder)
    (folder / "plain.py").write_text(PLAIN, encoding="utf-8")
    project = Folder(folder)
    project.toml.write_text(REGISTRATIONS.replace("URL", url), encoding="utf-8")
    return project
