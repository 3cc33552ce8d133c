"""
Print the family's published table, when run in the family's folder and locked environment: `python -m declared`; and
with the word `providers` the names of all providers that LiteLLM knows, which a test holds against the registrations.

The page of LiteLLM promises "Async", "Streaming" and "Async streaming" for its SDK, and names no exceptions. Its code
does: a model's configuration has a method `should_fake_stream`, by which LiteLLM decides whether it makes a stream of a
whole answer. A model for which it says yes is a fallback here; one that has no configuration cannot say so.
"""

from __future__ import annotations

import csv
import os
import re
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

HERE = Path(__file__).parent.parent
HEADER = ("Model", "Invoke", "Async invoke", "Stream", "Async stream", "Batch", "Async batch")


def is_fake(model: str, options: Mapping[str, Any]) -> bool:
    """
    Tell whether LiteLLM says of a model that its streams are made of a whole answer.
    """
    import litellm  # noqa: PLC0415 - reads the environment, which is set below
    from litellm.main import responses_api_bridge_check  # noqa: PLC0415 - as above
    from litellm.utils import ProviderConfigManager  # noqa: PLC0415 - as above

    addresses = {key: options[key] for key in ("api_base", "api_key") if key in options}
    name, provider, _, _ = litellm.get_llm_provider(model=model, **addresses)
    kind = litellm.LlmProviders(provider)
    if responses_api_bridge_check(model=name, custom_llm_provider=provider)[0].get("mode") == "responses":
        config: Any = ProviderConfigManager.get_provider_responses_api_config(model=name, provider=kind)
    else:
        config = ProviderConfigManager.get_provider_chat_config(model=name, provider=kind)
    if config is None or not hasattr(config, "should_fake_stream"):
        return False
    return bool(config.should_fake_stream(model=name, custom_llm_provider=provider, stream=True))


def expand(value: str) -> str:
    """
    Return a variable's value, with the default of what is not set in its place.
    """
    return re.sub(r"\$\{(\w+):-([^}]*)\}", lambda found: os.environ.get(found[1], found[2]), value)


def providers() -> list[str]:
    """
    Return the names in LiteLLM's list of providers.
    """
    import litellm  # noqa: PLC0415 - as above

    return sorted(str(getattr(one, "value", one)) for one in litellm.provider_list)


def main() -> None:
    """
    Print a line for each registered adapter, or for each provider.
    """
    settings = tomllib.loads((HERE / "harness.toml").read_text("utf-8"))
    os.environ.update(settings["env"])
    if sys.argv[1:] == ["providers"]:
        sys.stdout.writelines(f"{one}\n" for one in providers())
        return
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(HEADER)
    for name, adapter in settings["adapters"].items():
        options = adapter["kwargs"]
        os.environ.update({key: expand(value) for key, value in adapter.get("env", {}).items()})
        stream = "fallback" if is_fake(options["model"], options) else "native"
        table.writerow((name, "", "native", stream, stream, "", ""))


if __name__ == "__main__":
    main()
