"""
Measure what LLM integrations really do: which of the six calls are native, and how the others are emulated.

What a registration in Python needs is here: `Adapter` for the entry-point group `harness.adapters` and for the pytest
hook `pytest_harness_adapters`, and the words that its values and the reports are made of. Checks of one's own need
`harness.checks`.

The names are imported on first use, because the pytest plugin must cost nothing where it is not asked for.
"""

from __future__ import annotations

# Type checkers take this name for typing's own; importing typing would cost ten times what the rest does.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from harness.adapters.adapter import Adapter
    from harness.words import Capability, Mechanism, Verdict

    __version__: str

__all__ = ["Adapter", "Capability", "Mechanism", "Verdict", "__version__"]

_MODULES = {
    "Adapter": "harness.adapters.adapter",
    "Capability": "harness.words",
    "Mechanism": "harness.words",
    "Verdict": "harness.words",
}


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415 - costs more than everything else here

        value: object = version("capability-harness")
    elif name in _MODULES:
        from importlib import import_module  # noqa: PLC0415 - only needed on first use

        value = getattr(import_module(_MODULES[name]), name)
    else:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
