"""What a registration says of an engine: its modules, and which calls of it are requests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

CALL: Final = "CALL"
"""The method of a request that is a call of a seam."""
ASIDE: Final = "ASIDE"
"""The method under which any other call is kept; it is no request, and no event tells of it."""
READ: Final = "READ"
"""The method under which the value of an attribute is kept."""
SCHEME: Final = "engine"
_CALLED: Final = ".__call__"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seam:
    """
    Say how the calls at one place are kept.

    Attributes:
        text: "module:function" that puts an answer into words, for engines that answer in numbers; it is called while
            recording, with the real answer, and returns a text or a list of texts.
        keep: attributes that are kept of an answer's objects, where they are neither dataclasses nor of pydantic.
        continues: a call that carries no input is part of the answer to the last call of its thread that did.
    """

    text: str | None = None
    keep: tuple[str, ...] = ()
    continues: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSpec:
    """
    Say what the tape provides in an engine's place.

    Attributes:
        modules: names of the modules, with everything below them.
        seams: by path, as the adapter writes it: `llama_cpp:Llama()` is what `Llama(...)` returns, when it is called.
        inert: paths of calls whose results the adapter only computes with, and how many each returns; they are not
            kept, and in replay they hold zeros.
        delay: seconds that the recorder waits before each arrival, where toy weights answer at once.
    """

    modules: tuple[str, ...]
    seams: Mapping[str, Seam] = field(default_factory=dict)
    inert: Mapping[str, int] = field(default_factory=dict)
    delay: float = 0.0

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> EngineSpec:
        """
        Return what a registration's table says, which was checked when it was read.
        """
        seams = {called(path): _seam(options) for path, options in table["seams"].items()}
        modules = dict.fromkeys((*table.get("modules", ()), *(path.partition(":")[0] for path in table["seams"])))
        return cls(
            modules=tuple(modules),
            seams=seams,
            inert={called(path): int(count) for path, count in table.get("inert", {}).items()},
            delay=float(table.get("delay", 0.0)),
        )

    def leads_to_seam(self, path: str) -> bool:
        """
        Tell whether a path is that of a seam, or of something on the way to one.
        """
        return any(seam == path or seam.startswith((f"{path}.", f"{path}(")) for seam in (*self.seams, *self.inert))

    def provides(self, module: str) -> bool:
        """
        Tell whether a module, by its full name, is one of the engine's.
        """
        return any(module == one or module.startswith(f"{one}.") for one in self.modules)


def called(path: str) -> str:
    """
    Return the path of what is called, in one form: without a closing `.__call__`, which may be written for clarity.

    Whether a name is that of a module or of something in it makes no difference, so the colon goes.
    """
    return path.removesuffix(_CALLED).replace(":", ".", 1)


def address(path: str) -> str:
    """
    Return the address that a path has in a cassette.
    """
    module, _, rest = path.partition(".")
    return f"{SCHEME}://{module}/{rest}{_CALLED if rest.endswith(')') else ''}"


def _seam(options: Mapping[str, Any]) -> Seam:
    return Seam(
        text=options.get("text"),
        keep=tuple(options.get("keep", ())),
        continues=bool(options.get("continues", False)),
    )
