"""
Make the weights that an adapter's engine is recorded with: `python -m tiny_engines.make NAME…`.

They are small, random, and the same each time; nothing is fetched. Run it in the folder of the family, in the
environment that has the engine.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

WEIGHTS: Final = Path("tiny_engines/weights")
"""Relative, as in the registrations: engines repeat in their answers the path that they were given."""


def _llama(folder: Path, *, width: int, context: int, seed: int) -> None:
    from tiny_engines.ggml import llama  # noqa: PLC0415 - each engine's libraries are only where it is

    llama(folder / "model.gguf", seed, width=width, context=context)


def _ctransformers(folder: Path) -> None:
    from tiny_engines.ggml import gpt2  # noqa: PLC0415 - as above

    gpt2(folder / "model.bin", 3)


def _transformers(folder: Path, *, seed: int) -> None:
    from tiny_engines.transformers_models import gpt2  # noqa: PLC0415 - as above

    gpt2(folder, seed)


def _ctranslate2(folder: Path) -> None:
    from tiny_engines.ctranslate2_model import decoder  # noqa: PLC0415 - as above

    decoder(folder, 5)


def _rwkv(folder: Path) -> None:
    from tiny_engines.transformers_models import by_characters, rwkv  # noqa: PLC0415 - as above

    rwkv(folder / "model.pth", by_characters(folder / "tokens.json"), 6)


def _deepsparse(folder: Path) -> None:
    from tiny_engines.onnx_model import decoder  # noqa: PLC0415 - as above

    decoder(folder, 7)


MODELS: Final[dict[str, Callable[[Path], None]]] = {
    "CTransformers": _ctransformers,
    "CTranslate2": _ctranslate2,
    "DeepSparse": _deepsparse,
    "GPT4All": partial(_llama, width=64, context=2048, seed=2),
    "HuggingFacePipeline": partial(_transformers, seed=4),
    "LlamaCpp": partial(_llama, width=32, context=256, seed=1),
    "Petals": partial(_transformers, seed=8),
    "RWKV": _rwkv,
    "VLLM": partial(_transformers, seed=9),
}


def main(names: list[str]) -> None:
    """
    Make the weights of these adapters, where they have any.
    """
    for name in names:
        if name in MODELS:
            folder = WEIGHTS / name
            folder.mkdir(parents=True, exist_ok=True)
            MODELS[name](folder)


if __name__ == "__main__":
    main(sys.argv[1:])
