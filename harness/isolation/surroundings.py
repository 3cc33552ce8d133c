"""
What of a user's shell does not reach an adapter that is measured: who watches it, the way to the network, and chance.

Tracers send what an adapter does to servers of their own, and some client libraries ask home who runs them: requests
that are the machine's and not the adapter's, in a recording as in its replay. A registration that sets one of these
variables itself has its way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_TRACERS: Final = frozenset(
    {
        "LANGSMITH_TRACING",
        "LANGSMITH_TRACING_V2",
        "LANGCHAIN_TRACING",
        "LANGCHAIN_TRACING_V2",
        "LANGCHAIN_HANDLER",
        "LANGCHAIN_WANDB_TRACING",
        "LANGCHAIN_COMET_TRACING",
    }
)
"""
Switches on a tracer by being set: of langsmith (`langsmith.utils.tracing_is_enabled`), and of LangChain before it
(`langchain.callbacks.manager` of 0.0.337).
"""
_UNWATCHED: Final = {"DO_NOT_TRACK": "1", "OTEL_SDK_DISABLED": "true"}
"""
What asks libraries for no telemetry (https://donottrack.sh; huggingface_hub 1.33 fetches a list from its Hub before the
first request otherwise, unless it did so within a day) and instrumented ones for no traces
(https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables).
"""
_SEED: Final = "PYTHONHASHSEED"
_PROXY: Final = "_proxy"
_SPARED: Final = "no_proxy"


def unwatched(environ: Mapping[str, str]) -> dict[str, str]:
    """
    Return an environment in which nothing traces an adapter, and no library asks home.
    """
    return {name: value for name, value in environ.items() if name not in _TRACERS} | _UNWATCHED


def steady(environ: Mapping[str, str]) -> dict[str, str]:
    """
    Return an environment in which a set of strings has the same order in every process, unless it names a seed itself.

    Python draws a seed for each process otherwise, and who sends a list that it made of a set, of stop words say, sends
    another one in replay than was recorded.
    """
    named = environ.get(_SEED, "") not in {"", "random"}
    return dict(environ) if named else {**environ, _SEED: "0"}


def proxies(names: Iterable[str]) -> list[str]:
    """
    Return which of an environment's variables name a proxy.

    A replay dials nobody, a simulator is no proxy's business, and a client library may look for what its kind of proxy
    needs before it asks: httpx 0.28 does not make a client where `ALL_PROXY` is a SOCKS proxy and `socksio` is missing.
    """
    return [name for name in names if name.lower().endswith(_PROXY) and name.lower() != _SPARED]
