"""The names that a template may use."""

from __future__ import annotations

import hashlib
import json
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.simulators.answers import Answer
    from harness.simulators.asked import Asked


def request_context(asked: Asked) -> dict[str, object]:
    """
    Return the names that every template may use.

    `id` depends on the request alone (32 hexadecimal digits); `number` is the same as a
    whole number of nine digits.
    """
    seed = json.dumps([asked.method, asked.path, asked.body], sort_keys=True, default=str)
    digest = hashlib.sha256(seed.encode()).hexdigest()
    return {
        "id": digest[:32],
        "number": int(digest[:12], 16) % 10**9,
        "created": int(time.time()),
        "now": datetime.now(UTC),
        "origin": asked.origin,
        "path": asked.path,
        "request": asked.body,
        "params": asked.params,
        "query": asked.query,
        "headers": asked.headers,
    }


def answer_context(asked: Asked, answers: Sequence[Answer]) -> dict[str, object]:
    """
    Return the names for the answers to a request; `text` and `prompt` are those of the first.
    """
    return {
        **request_context(asked),
        "answers": answers,
        "text": answers[0].text,
        "prompt": answers[0].prompt,
        "tokens": sum(answer.tokens for answer in answers),
        "prompt_tokens": sum(answer.prompt_tokens for answer in answers),
    }


def piece_context(context: dict[str, object], answer: Answer, position: int) -> dict[str, object]:
    """
    Return the names for one piece of an answer.
    """
    return {
        **context,
        "answer": answer,
        "piece": answer.pieces[position],
        "position": position,
        "index": answer.index,
        "last": position == len(answer.pieces) - 1,
    }


def job_context(asked: Asked, answers: Sequence[Answer], job: str, elapsed: float) -> dict[str, object]:
    """
    Return the names for a job that was started so many seconds ago; `request` is the one that started it.

    `state` is `queued`, `running` or `done`; `said` holds the pieces of the first answer that exist by now.
    """
    lasts = max(answer.lasts for answer in answers)
    now = datetime.now(UTC)
    return {
        **answer_context(asked, answers),
        "job": job,
        "state": "done" if elapsed >= lasts else "queued" if elapsed < answers[0].first / 2 else "running",
        "said": answers[0].said_after(elapsed),
        "elapsed": elapsed,
        "asked_at": now - timedelta(seconds=elapsed),
        "began_at": now - timedelta(seconds=elapsed - answers[0].first / 2),
    }
