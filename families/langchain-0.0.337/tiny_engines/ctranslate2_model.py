"""A decoder of one layer as CTranslate2 reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tiny_engines.transformers_models import END, save_tokenizer
from tiny_engines.vocabulary import WORDS, random, rows

if TYPE_CHECKING:
    from pathlib import Path


def decoder(folder: Path, seed: int, *, width: int = 32) -> None:
    """
    Write the model, and its tokenizer as transformers reads it.

    Source: ctranslate2/specs/transformer_spec.py, which names the weights.
    """
    import ctranslate2  # noqa: PLC0415 - slow to import

    size = save_tokenizer(folder / "tokenizer", 512)
    generator = np.random.default_rng(seed)
    spec = ctranslate2.specs.TransformerDecoderModelSpec.from_config(1, 2, pre_norm=True)
    part = spec.decoder
    part.embeddings.weight = random(generator, size, width, scale=1.0)
    part.projection.weight = rows(generator, size, width, slice(size - len(WORDS), None))
    part.position_encodings.encodings = random(generator, 512, width, scale=0.3)
    part.scale_embeddings = False
    _norm(part.layer_norm, width)
    layer = part.layer[0]
    _norm(layer.self_attention.layer_norm, width)
    _linear(layer.self_attention.linear[0], generator, 3 * width, width)
    _linear(layer.self_attention.linear[1], generator, width, width)
    _norm(layer.ffn.layer_norm, width)
    _linear(layer.ffn.linear_0, generator, 2 * width, width)
    _linear(layer.ffn.linear_1, generator, width, 2 * width)
    tokenizer = _tokens(folder / "tokenizer")
    spec.register_vocabulary(tokenizer)
    spec.config.bos_token = spec.config.eos_token = spec.config.unk_token = END
    spec.validate()
    (folder / "model").mkdir(exist_ok=True)
    spec.save(str(folder / "model"))


def _tokens(folder: Path) -> list[str]:
    from transformers import PreTrainedTokenizerFast  # noqa: PLC0415 - slow to import

    known = PreTrainedTokenizerFast.from_pretrained(folder).get_vocab()
    return sorted(known, key=known.__getitem__)


def _norm(spec, width):  # noqa: ANN001, ANN202 - a part of the model's description
    spec.gamma, spec.beta = np.ones(width, np.float32), np.zeros(width, np.float32)


def _linear(spec, generator, outputs, inputs):  # noqa: ANN001, ANN202 - as above
    spec.weight, spec.bias = random(generator, outputs, inputs), np.zeros(outputs, np.float32)
