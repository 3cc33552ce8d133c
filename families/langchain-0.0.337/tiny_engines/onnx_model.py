"""A decoder of one layer with a cache of keys and values, as ONNX that DeepSparse reads."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tiny_engines.transformers_models import save_tokenizer
from tiny_engines.vocabulary import WORDS, random, rows

if TYPE_CHECKING:
    from pathlib import Path

_HEADS: Final = 2
_SIZE: Final = 8
_WIDTH: Final = _HEADS * _SIZE
_PAST: Final = "past_key_values.0"


def decoder(folder: Path, seed: int) -> None:
    """
    Write the model, its configuration and its tokenizer.

    Source: transformers/pipelines/text_generation and transformers/helpers.py of deepsparse, which name the inputs and
    outputs.
    """
    size = save_tokenizer(folder, 256)
    config = {
        "model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "vocab_size": size, "n_positions": 256,
        "n_embd": _WIDTH, "n_layer": 1, "n_head": _HEADS, "bos_token_id": 0, "eos_token_id": 0,
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    graph = helper.make_graph(_nodes(), "tiny", _inputs(), _outputs(size), _weights(seed, size))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, str(folder / "model.onnx"))


def _inputs() -> list[Any]:
    whole = {
        "input_ids": ["batch", "tokens"],
        "attention_mask": ["batch", "all"],
        "positions": ["batch", "tokens"],
        "causal_mask": ["batch", 1, "tokens", "all"],
    }
    cache = ["batch", _HEADS, "past", _SIZE]
    return [
        *(helper.make_tensor_value_info(name, TensorProto.INT64, shape) for name, shape in whole.items()),
        *(helper.make_tensor_value_info(f"{_PAST}.{one}", TensorProto.FLOAT, cache) for one in ("key", "value")),
    ]


def _outputs(size: int) -> list[Any]:
    cache = ["batch", _HEADS, "all", _SIZE]
    return [
        helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", "tokens", size]),
        *(helper.make_tensor_value_info(f"present.0.{one}", TensorProto.FLOAT, cache) for one in ("key", "value")),
    ]


def _weights(seed: int, size: int) -> list[Any]:
    generator = np.random.default_rng(seed)
    found = {
        "embedding": random(generator, size, _WIDTH, scale=1.0),
        "places": random(generator, 256, _WIDTH, scale=1.0),
        **{f"w_{one}": random(generator, _WIDTH, _WIDTH) for one in ("query", "key", "value")},
        "head": rows(generator, size, _WIDTH, slice(size - len(WORDS), None)).T.copy(),
        "split": np.array([0, 0, _HEADS, _SIZE], np.int64),
        "joined": np.array([0, 0, _WIDTH], np.int64),
        "scale": np.array(1 / np.sqrt(_SIZE), np.float32),
        "one": np.array(1, np.float32),
        "hidden": np.array(-1e4, np.float32),
    }
    return [numpy_helper.from_array(value, name) for name, value in found.items()]


def _nodes() -> list[Any]:
    made = helper.make_node
    nodes = [
        made("Gather", ["embedding", "input_ids"], ["embedded"]),
        made("Gather", ["places", "positions"], ["placed"]),
        made("Add", ["embedded", "placed"], ["x"]),
    ]
    for one in ("query", "key", "value"):
        nodes += [
            made("MatMul", ["x", f"w_{one}"], [f"{one}_flat"]),
            made("Reshape", [f"{one}_flat", "split"], [f"{one}_split"]),
            made("Transpose", [f"{one}_split"], [f"{one}_new"], perm=[0, 2, 1, 3]),
        ]
    return [
        *nodes,
        made("Concat", [f"{_PAST}.key", "key_new"], ["present.0.key"], axis=2),
        made("Concat", [f"{_PAST}.value", "value_new"], ["present.0.value"], axis=2),
        made("Transpose", ["present.0.key"], ["key_turned"], perm=[0, 1, 3, 2]),
        made("MatMul", ["query_new", "key_turned"], ["raw"]),
        made("Mul", ["raw", "scale"], ["scaled"]),
        made("Cast", ["causal_mask"], ["mask"], to=TensorProto.FLOAT),
        made("Sub", ["one", "mask"], ["unseen"]),
        made("Mul", ["unseen", "hidden"], ["penalty"]),
        made("Add", ["scaled", "penalty"], ["masked"]),
        made("Softmax", ["masked"], ["weights"], axis=-1),
        made("MatMul", ["weights", "present.0.value"], ["mixed"]),
        made("Transpose", ["mixed"], ["mixed_turned"], perm=[0, 2, 1, 3]),
        made("Reshape", ["mixed_turned", "joined"], ["attended"]),
        made("Add", ["x", "attended"], ["y"]),
        made("MatMul", ["y", "head"], ["logits"]),
    ]
