"""What is written with transformers: a tokenizer, and a GPT-2 of one layer; torch is needed for the latter alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from tiny_engines.vocabulary import WORDS, rows

if TYPE_CHECKING:
    from pathlib import Path

END: Final = "<end>"
_MARKS: Final = "，：？！"  # noqa: RUF001 - the adapter of RWKV asks for these very characters
_ROOM: Final = 192
"""Places before the words; the adapter of RWKV reads the score of token 187."""


def by_bytes() -> Tokenizer:
    """
    Return a tokenizer that knows each byte, the words, and an end.
    """
    symbols = sorted(pre_tokenizers.ByteLevel.alphabet())
    known = {token: number for number, token in enumerate([END, *symbols, *(f"\u0120{word}" for word in WORDS)])}
    tokenizer = Tokenizer(models.BPE(vocab=known, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def by_characters(path: Path) -> int:
    """
    Write a tokenizer of characters and words, as the adapter of RWKV reads it, and return its size.
    """
    characters = [*(chr(number) for number in range(32, 127)), *_MARKS]
    filled = [f"<{number}>" for number in range(_ROOM - 1 - len(characters))]
    tokens = [END, *characters, *filled, *(f" {word}" for word in WORDS)]
    tokenizer = Tokenizer(models.BPE(vocab={token: number for number, token in enumerate(tokens)}, merges=[]))
    tokenizer.decoder = decoders.Fuse()
    tokenizer.save(str(path))
    return len(tokens)


def save_tokenizer(folder: Path, longest: int) -> int:
    """
    Write the tokenizer of bytes as transformers reads it, and return its size.
    """
    from transformers import PreTrainedTokenizerFast  # noqa: PLC0415 - slow to import

    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=by_bytes(), eos_token=END, pad_token=END, padding_side="left", model_max_length=longest
    )
    tokenizer.save_pretrained(folder)
    return len(tokenizer)


def gpt2(folder: Path, seed: int, longest: int = 256) -> None:
    """
    Write a GPT-2 and its tokenizer.
    """
    import torch  # noqa: PLC0415 - needed here alone
    from transformers import GPT2Config, GPT2LMHeadModel  # noqa: PLC0415 - slow to import

    size = save_tokenizer(folder, longest)
    torch.manual_seed(seed)
    config = GPT2Config(
        vocab_size=size, n_positions=longest, n_embd=32, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0,
        initializer_range=0.5, tie_word_embeddings=False,
    )  # fmt: skip
    model = GPT2LMHeadModel(config)
    head = rows(np.random.default_rng(seed), size, 32, slice(size - len(WORDS), None))
    with torch.no_grad():
        model.lm_head.weight.copy_(torch.from_numpy(head))
    model.save_pretrained(folder)


def rwkv(path: Path, size: int, seed: int, *, width: int = 32, layers: int = 2) -> None:
    """
    Write the weights of a RWKV 4.

    Source: model.py of the rwkv package, which names the tensors that it reads.
    """
    import torch  # noqa: PLC0415 - needed here alone

    generator = torch.Generator().manual_seed(seed)

    def drawn(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator) * 0.5

    weights = {"emb.weight": drawn(size, width)}
    for layer in range(layers):
        weights |= {f"blocks.{layer}.{name}": value for name, value in _rwkv_layer(drawn, width).items()}
    weights |= {f"blocks.0.ln0.{part}": value for part, value in _norm(drawn, width).items()}
    weights |= {f"ln_out.{part}": value for part, value in _norm(drawn, width).items()}
    head = rows(np.random.default_rng(seed), size, width, slice(size - len(WORDS), None))
    torch.save({**weights, "head.weight": torch.from_numpy(head)}, path)


def _norm(drawn, width):  # noqa: ANN001, ANN202 - torch is no import of this module
    return {"weight": drawn(width) * 0.2 + 1, "bias": drawn(width) * 0.2}


def _rwkv_layer(drawn, width):  # noqa: ANN001, ANN202 - as above
    found = {f"{norm}.{part}": value for norm in ("ln1", "ln2") for part, value in _norm(drawn, width).items()}
    found |= {f"att.time_mix_{one}": drawn(1, 1, width).sigmoid() for one in "kvr"}
    found |= {f"ffn.time_mix_{one}": drawn(1, 1, width).sigmoid() for one in "kr"}
    found |= {"att.time_decay": drawn(width), "att.time_first": drawn(width)}
    found |= {f"att.{one}.weight": drawn(width, width) for one in ("key", "value", "receptance", "output")}
    found |= {"ffn.key.weight": drawn(2 * width, width), "ffn.value.weight": drawn(width, 2 * width)}
    return found | {"ffn.receptance.weight": drawn(width, width)}
