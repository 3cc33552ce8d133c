"""
Record the chat model again, from the simulator: the harness's cassettes, and those of langchain-tests' own tests.

Run it with the Python of an environment that has `requirements.lock` and the harness.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from harness.simulators import Simulator, load_shapes

HERE: Final = Path(__file__).resolve().parent
CALLS: Final = ("invoke", "ainvoke", "stream", "astream", "batch", "abatch")
STANDARD: Final = tuple(f"test_chat_openai.py::TestChatOpenAI::test_{call}" for call in CALLS)


def main() -> int:
    """
    Record both, and return the worse status.
    """
    ours = subprocess.run([sys.executable, "-m", "harness", "record", "--simulate"], cwd=HERE, check=False)
    with Simulator(load_shapes(HERE / "simulators"), any_host="openai-chat", pace=0) as simulator:
        command = [sys.executable, "-m", "pytest", "-q", "--record-mode=rewrite", "-p", "no:cacheprovider", *STANDARD]
        environ = {**os.environ, "UPSTREAM": simulator.url}
        standard = subprocess.run(command, cwd=HERE / "standard", env=environ, check=False)  # noqa: S603 - pytest
        for cassette in (HERE / "standard/cassettes").rglob("*.yaml"):
            text = cassette.read_text(encoding="utf-8").replace(simulator.url, "http://api.openai.com")
            cassette.write_text(text.replace(simulator.url.partition("//")[2], "api.openai.com"), encoding="utf-8")
    return max(ours.returncode, standard.returncode)


if __name__ == "__main__":
    sys.exit(main())
