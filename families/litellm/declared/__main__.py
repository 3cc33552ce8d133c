"""
Print the family's published table, when run in the family's folder and locked environment: `python -m declared`.

The page of LiteLLM promises "Async", "Streaming" and "Async streaming" for its SDK, and names no exceptions. Its code
does: a model's configuration has a method `should_fake_stream`, by which LiteLLM decides whether it makes a stream of a
whole answer. A model for which it says yes is a fallback here; one that has no configuration cannot say so.
"""

from __future__ import annotations

import csv
import os
import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).parent.parent
HEADER = ("Model", "Invoke", "Async invoke", "Stream", "Async stream", "Batch", "Async batch")


def is_fake(model: str) -> bool:
    """
    Tell whether LiteLLM says of a model that its streams are made of a whole answer.
    """
    import litellm  # noqa: PLC0415 - reads the environment, which is set below
    from litellm.utils import ProviderConfigManager  # noqa: PLC0415 - as above

    # not by litellm.get_llm_provider, which logs in with some of them
    provider, _, name = model.partition("/")
    config = ProviderConfigManager.get_provider_chat_config(model=name, provider=litellm.LlmProviders(provider))
    if config is None or not hasattr(config, "should_fake_stream"):
        return False
    return bool(config.should_fake_stream(model=name, custom_llm_provider=provider, stream=True))


def main() -> None:
    """
    Print a line for each registered adapter.
    """
    settings = tomllib.loads((HERE / "harness.toml").read_text("utf-8"))
    os.environ.update(settings["env"])
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(HEADER)
    for name, adapter in settings["adapters"].items():
        stream = "fallback" if is_fake(adapter["kwargs"]["model"]) else "native"
        table.writerow((name, "", "native", stream, stream, "", ""))


if __name__ == "__main__":
    main()
