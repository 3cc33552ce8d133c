"""The two file formats of ggml that the tiny models need: GGUF (version 2), and GPT-2's before it."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tiny_engines.vocabulary import BYTES, WORDS, random, rows

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tiny_engines.vocabulary import Floats

_ALIGNMENT: Final = 32
_FLOAT32: Final = 0
_NORMAL, _UNKNOWN, _CONTROL, _BYTE = 1, 2, 3, 6
_SPECIAL: Final = ("<unk>", "<s>", "</s>")
_SPACE: Final = "\u2581"
"""How the vocabulary writes a blank; gpt4all has no room for the three bytes that it would be otherwise."""


def llama(path: Path, seed: int, *, width: int, context: int) -> None:
    """
    Write a llama of one layer and two heads as GGUF, which llama-cpp-python and gpt4all read.

    Sources: gguf-py/gguf/constants.py and docs/gguf.md of ggml.
    """
    words = [f"{_SPACE}{word}" for word in WORDS]
    tokens = [*_SPECIAL, *(f"<0x{byte:02X}>" for byte in range(BYTES)), _SPACE, *words]
    kinds = [_UNKNOWN, _CONTROL, _CONTROL, *[_BYTE] * BYTES, _NORMAL, *[_NORMAL] * len(words)]
    generator = np.random.default_rng(seed)
    hidden = 2 * width
    values: dict[str, Any] = {
        "general.architecture": "llama",
        "general.name": "tiny",
        "llama.context_length": np.uint32(context),
        "llama.embedding_length": np.uint32(width),
        "llama.block_count": np.uint32(1),
        "llama.feed_forward_length": np.uint32(hidden),
        "llama.rope.dimension_count": np.uint32(width // 2),
        "llama.attention.head_count": np.uint32(2),
        "llama.attention.head_count_kv": np.uint32(2),
        "llama.attention.layer_norm_rms_epsilon": np.float32(1e-5),
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.scores": np.zeros(len(tokens), np.float32),
        "tokenizer.ggml.token_type": np.array(kinds, np.int32),
        "tokenizer.ggml.unknown_token_id": np.uint32(0),
        "tokenizer.ggml.bos_token_id": np.uint32(1),
        "tokenizer.ggml.eos_token_id": np.uint32(2),
    }
    ones = np.ones(width, np.float32)
    tensors = {
        "token_embd.weight": random(generator, len(tokens), width, scale=1.0),
        "blk.0.attn_norm.weight": ones,
        **{f"blk.0.attn_{one}.weight": random(generator, width, width) for one in ("q", "k", "v", "output")},
        "blk.0.ffn_norm.weight": ones,
        "blk.0.ffn_gate.weight": random(generator, hidden, width),
        "blk.0.ffn_down.weight": random(generator, width, hidden),
        "blk.0.ffn_up.weight": random(generator, hidden, width),
        "output_norm.weight": ones,
        "output.weight": rows(generator, len(tokens), width, slice(len(tokens) - len(words), None)),
    }
    path.write_bytes(_gguf(values, tensors))


def _gguf(values: Mapping[str, Any], tensors: Mapping[str, Floats]) -> bytes:
    head = bytearray(b"GGUF" + struct.pack("<IQQ", 2, len(tensors), len(values)))
    for name, value in values.items():
        head += _text(name) + _value(value)
    data = bytearray()
    for name, tensor in tensors.items():
        shape = tensor.shape[::-1]
        head += _text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, _FLOAT32, len(data))
        data += _padded(tensor.tobytes())
    return bytes(_padded(bytes(head)) + data)


def _text(text: str) -> bytes:
    raw = text.encode()
    return struct.pack("<Q", len(raw)) + raw


_TYPES: Final = {np.uint32: (4, "I"), np.int32: (5, "i"), np.float32: (6, "f")}
_STRING, _ARRAY = 8, 9


def _value(value: Any) -> bytes:  # noqa: ANN401 - texts, numbers and lists of them
    if isinstance(value, str):
        return struct.pack("<I", _STRING) + _text(value)
    if isinstance(value, list):
        return struct.pack("<IIQ", _ARRAY, _STRING, len(value)) + b"".join(map(_text, value))
    number, form = _TYPES[value.dtype.type]
    if isinstance(value, np.ndarray):
        return struct.pack("<IIQ", _ARRAY, number, len(value)) + value.tobytes()
    return struct.pack(f"<I{form}", number, value)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % _ALIGNMENT)


def gpt2(path: Path, seed: int, *, width: int = 32, context: int = 256) -> None:
    """
    Write a GPT-2 of one layer in ggml's old format, which ctransformers reads.

    Source: examples/gpt-2/main.cpp of ggml.
    """
    tokens = [*(bytes([byte]) for byte in range(BYTES)), *(f" {word}".encode() for word in WORDS)]
    generator = np.random.default_rng(seed)
    ones, zeros = np.ones(width, np.float32), np.zeros(width, np.float32)
    layer: dict[str, Floats] = {
        "ln_1/g": ones,
        "ln_1/b": zeros,
        "attn/c_attn/w": random(generator, 3 * width, width),
        "attn/c_attn/b": np.zeros(3 * width, np.float32),
        "attn/c_proj/w": random(generator, width, width),
        "attn/c_proj/b": zeros,
        "ln_2/g": ones,
        "ln_2/b": zeros,
        "mlp/c_fc/w": random(generator, 4 * width, width),
        "mlp/c_fc/b": np.zeros(4 * width, np.float32),
        "mlp/c_proj/w": random(generator, width, 4 * width),
        "mlp/c_proj/b": zeros,
    }
    tensors = {
        "model/ln_f/g": ones,
        "model/ln_f/b": zeros,
        "model/wte": random(generator, len(tokens), width, scale=1.0),
        "model/wpe": random(generator, context, width, scale=0.3),
        "model/lm_head": rows(generator, len(tokens), width, slice(BYTES, None)),
        **{f"model/h0/{name}": tensor for name, tensor in layer.items()},
    }
    head = struct.pack("<7i", 0x67676D6C, len(tokens), context, width, 2, 1, _FLOAT32)
    vocabulary = struct.pack("<i", len(tokens)) + b"".join(struct.pack("<I", len(one)) + one for one in tokens)
    path.write_bytes(head + vocabulary + b"".join(_old_tensor(*item) for item in tensors.items()))


def _old_tensor(name: str, tensor: Floats) -> bytes:
    raw = name.encode()
    shape = tensor.shape[::-1]
    return struct.pack(f"<3i{len(shape)}i", len(shape), len(raw), _FLOAT32, *shape) + raw + tensor.tobytes()
