"""`harness record`: what it costs, what it asks, what it replaces, and that nothing secret is left anywhere."""

from __future__ import annotations

import base64
import json
import os
import pty
import re
import ssl
import threading
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
import trustme
import yaml
from toy_project import Folder, bare, write_project
from toy_upstream import ToyUpstream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = "k7F9zX2q+W8eR7tY/5uI3o"
SPY = """
import base64
import json

import httpx


class Spy:
    def __init__(self, base_url, api_key):
        self.url, self.key = base_url, api_key

    def _sent(self, prompt, stream):
        headers = {"authorization": f"Bearer {self.key}", "x-extra": base64.b64encode(self.key.encode()).decode()}
        body = {"prompt": prompt, "who": self.key, "stream": stream}
        return {"headers": headers, "params": {"key": self.key}, "json": body}

    def invoke(self, prompt):
        answer = httpx.post(self.url + "/echo", **self._sent(prompt, False)).json()
        return answer["choices"][0]["text"]

    def stream(self, prompt):
        with httpx.stream("POST", self.url + "/echo", **self._sent(prompt, True)) as answer:
            for line in answer.iter_lines():
                if line.startswith("data: {"):
                    yield json.loads(line[6:])["choices"][0]["text"]
"""


@pytest.fixture
def tls(tmp_path: Path) -> Iterator[Folder]:
    """
    Give a project whose upstream speaks TLS, and repeats whatever it is sent.
    """
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with ToyUpstream(context) as upstream:
        made = write_project(tmp_path / "tls", upstream.base_url)
        (made.path / "spy.py").write_text(SPY, encoding="utf-8")
        made.toml.write_text(
            'family = "toys"\n[adapters.Spy]\ntarget = "spy:Spy"\n'
            f'kwargs = {{ base_url = "{upstream.base_url}", api_key = "${{SPY_KEY:-placeholder}}" }}\n',
            encoding="utf-8",
        )
        yield Folder(made.path, {"SPY_KEY": KEY, "SSL_CERT_FILE": str(tmp_path / "ca.pem")})


def test_a_key_sent_and_repeated_over_tls_is_written_nowhere(tls: Folder) -> None:
    """
    The whole command against a real server over TLS: the key went out and came back in every way, and no file and no
    line has it; what was scrubbed and kept is told, the cassette says when, from where and with what, and it replays.
    """
    done = tls("record", "Spy", "--only", "invoke", "--only", "stream", "--json", "m.json")
    assert done.status == 0, done.said
    for words in (
        "2 calls, 2 inference requests",
        "made: 2 requests, 2 with a prompt",
        "from: https://127.0.0.1:",
        "(live)",
        "header authorization (2x)",
        "query parameter key (2x)",
        "a value in an answer's body",
        "other headers: ",
        "kept: 2 requests with method, address and body",
    ):
        assert words in done.said
    assert "RETRIED" not in done.said
    assert "not set in the environment" not in done.said
    written = [path.read_bytes() for path in tls.path.rglob("*") if path.is_file()]
    forms = [KEY, quote(KEY, safe=""), base64.b64encode(KEY.encode()).decode(), KEY.encode().hex(), KEY[:12]]
    for form in forms:
        assert not [data for data in (*written, done.out.encode(), done.err.encode()) if form.encode() in data]
    stored = yaml.safe_load(tls.cassette("Spy", "stream").read_text())["interactions"][0]["response"]
    said = re.findall(r'"text": ("(?:[^"\\]|\\.)*")', stored["body"]["string"])
    assert KEY[:8] not in "".join(json.loads(one) for one in said)
    assert stored["harness"]["upstream"] == "live"
    assert stored["harness"]["recorded"].endswith("Z")
    assert "httpx" in stored["harness"]["versions"]
    assert tls("run", "Spy", "--only", "invoke", "--only", "stream", env=tls.env(SPY_KEY="another")).status == 0


def test_what_a_module_asks_when_it_is_imported_is_recorded_and_replayed(tmp_path: Path) -> None:
    """
    Its request stands in each call's cassette, before the constructor's; without one the cell is unknown, not blocked.
    """
    with ToyUpstream() as upstream:
        made = write_project(tmp_path / "early", upstream.base_url)
        asked = f"httpx.post({upstream.base_url + '/echo'!r}, json={{'prompt': 'early', 'stream': False}}).json()"
        early = f"import httpx\nfrom spy import Spy\nEARLY = {asked}\nclass Early(Spy):\n    early = EARLY\n"
        (made.path / "spy.py").write_text(SPY, encoding="utf-8")
        (made.path / "early.py").write_text(early, encoding="utf-8")
        made.toml.write_text(
            'family = "toys"\n[adapters.Early]\ntarget = "early:Early"\n'
            f'kwargs = {{ base_url = "{upstream.base_url}", api_key = "k" }}\n',
            encoding="utf-8",
        )
        done = made("record", "Early", "--only", "invoke", "--only", "stream")
    assert done.status == 0, done.said
    for call in ("invoke", "stream"):
        stored = yaml.safe_load(made.cassette("Early", call).read_text())["interactions"]
        assert [json.loads(one["request"]["body"])["prompt"][:5] for one in stored] == ["early", "Repea"]
    assert "2 native" in made("run", "Early", "--only", "invoke", "--only", "stream").said
    made.cassette("Early", "invoke").unlink()
    assert "1 unknown" in made("run", "Early", "--only", "invoke", "--no-baseline").said


def test_an_untrusted_server_leaves_everything_as_it_was(tls: Folder) -> None:
    """
    Where the certificate is not trusted nothing is recorded, and what was there stays.
    """
    assert tls("record", "Spy", "--only", "invoke").status == 0
    before = tls.digests("cassettes")
    trustme.CA().cert_pem.write_to_path(str(tls.path / "other.pem"))
    done = tls("record", "Spy", "--only", "invoke", env=tls.env(SSL_CERT_FILE=str(tls.path / "other.pem")))
    assert done.status == 1
    assert "NOT KEPT" in done.said
    assert tls.digests("cassettes") == before


def test_a_key_that_is_missing_is_told_before_anything_is_asked(tls: Folder) -> None:
    """
    Where a variable is not set, what goes in its place is told, beside what the recording costs; replay does without.
    """
    done = tls("record", "Spy", "--only", "invoke", env=tls.env(SPY_KEY=""))
    assert "SPY_KEY is not set in the environment: 'placeholder' goes in its place" in done.said
    assert "SPY_KEY is not set" not in tls("run", "Spy", "--only", "invoke").said


def test_what_could_not_be_kept_is_not_asked_for(fresh: Folder, upstream: ToyUpstream) -> None:
    """
    Where cassettes cannot be written no request is made, or paid for; the folder is named.
    """
    before = len(upstream.seen)
    fresh.cassette("Good", "invoke").parent.parent.mkdir(parents=True)
    fresh.cassette("Good", "invoke").parent.write_text("a file where a folder should be")
    done = fresh("record", "Good", "--only", "invoke")
    assert (done.status, len(upstream.seen)) == (2, before), done.said
    assert "cassettes/toys/Good: cannot be written" in done.said


def answering(folder: Folder, answer: bytes, *words: str) -> tuple[int, str]:
    """
    Run the command on a terminal whose user types an answer.
    """
    ours, theirs = pty.openpty()
    process = folder.start(*words, stdin=theirs, stdout=theirs, stderr=theirs, env=folder.env(TERM="dumb"))
    os.close(theirs)
    os.write(ours, answer)
    shown: list[bytes] = []

    def follow() -> None:
        try:
            while data := os.read(ours, 4096):
                shown.append(data)
        except OSError:  # how a terminal says that nobody is at the other end
            return

    reader = threading.Thread(target=follow)
    reader.start()
    status = process.wait(200)
    reader.join(30)
    os.close(ours)
    return status, " ".join(bare(b"".join(shown).decode()).split())


def test_a_terminal_is_asked_and_a_no_makes_no_request(fresh: Folder, upstream: ToyUpstream) -> None:
    """
    The question comes with the figures and before any request; no ends it, yes and `--yes` record.
    """
    before = len(upstream.seen)
    status, shown = answering(fresh, b"n\n", "record", "Good")
    assert (status, len(upstream.seen)) == (130, before)
    assert "1 adapter: 6 calls, 6 to 10 inference requests" in shown
    assert "go on? [y/N]" in shown
    status, shown = answering(fresh, b"y\n", "record", "Good", "--only", "invoke")
    assert (status, len(upstream.seen)) == (0, before + 1), shown
    status, shown = answering(fresh, b"", "record", "Good", "--only", "invoke", "--yes")
    assert (status, "go on?" in shown) == (0, False)
    assert "1 cassette will be replaced" in shown


def test_without_a_terminal_only_many_requests_need_a_yes(fresh: Folder, upstream: ToyUpstream) -> None:
    """
    Nobody is asked where nobody can answer; what costs more than some hundred requests is refused before the first.
    """
    many = "".join(
        f'[adapters.Many{at}]\ntarget = "toy_adapters:Honest"\nkwargs = {{ base_url = "{upstream.base_url}" }}\n'
        for at in range(31)
    )
    fresh.toml.write_text(f'family = "toys"\n{many}', encoding="utf-8")
    before = len(upstream.seen)
    done = fresh("record")
    assert (done.status, len(upstream.seen)) == (2, before)
    assert "up to 310 inference requests" in done.said
    assert "--yes" in done.said


def test_what_is_named_is_recorded_again_and_what_is_not_is_left(fresh: Folder) -> None:
    """
    Without a name only what has no cassette is recorded; a name or --again replaces; --missing never does.
    """
    only = ("--only", "invoke")
    assert fresh("record", "Good", *only).status == 0
    first = fresh.digests("cassettes")
    done = fresh("record", *only)
    assert first.items() <= fresh.digests("cassettes").items()
    assert fresh.cassette("Plain", "invoke").exists()
    assert "1 cell with a cassette left as it is (--again records them anew)" in done.said
    good = str(fresh.cassette("Good", "invoke").relative_to(fresh.path))
    for words, replaced in ((("Good",), True), (("--again",), True), (("Good", "--missing"), False)):
        before = fresh.digests("cassettes")[good]
        fresh("record", *words, *only)
        assert (fresh.digests("cassettes")[good] != before) is replaced, words
    both = fresh("record", "--missing", "--again")
    assert both.status == 2
    assert "exclude each other" in both.said


def test_retries_are_told(fresh: Folder) -> None:
    """
    A request that was made again is counted, and the user is told how to turn that off.
    """
    fresh.add(f'[adapters.Again]\ntarget = "toy_adapters:Retries"\n{fresh.toml.read_text().splitlines()[5]}')
    done = fresh("record", "Again", "--only", "invoke")
    assert done.status == 0, done.said
    assert "made: 2 requests, 2 with a prompt" in done.said
    assert "RETRIED: 1 request more than the calls need (invoke 1)" in done.said
    assert "max_retries = 0" in done.said
