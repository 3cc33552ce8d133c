"""`harness judge-log`: judge a call of a program in another process, by the server's log and its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli import screen
from harness.words import Verdict

if TYPE_CHECKING:
    from harness.cells import Judgement


@click.command("judge-log")
@click.argument("served", type=click.Path(path_type=Path), metavar="SERVED")
@click.argument("told", type=click.Path(path_type=Path), metavar="TOLD")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def command(ctx: click.Context, /, *, served: Path, told: Path, as_json: bool) -> None:
    """
    Judge one call of a program in another process.

    SERVED is what `harness serve --log` wrote, TOLD what the program logged of its call: when it began, each item,
    and its end, by the same clock. docs/serve.md says how. The status is 1 if the call is broken.

    \b
    Example:
      harness judge-log served.jsonl told.jsonl
    """  # noqa: D301 - click looks for this very character
    from harness.serve.judging import judge_logs  # noqa: PLC0415 - a mistake is told without

    found = judge_logs(served, told)
    screen.say(json.dumps(_values(found)) if as_json else _line(found))
    ctx.exit(int(found.verdict is Verdict.BROKEN))


def _line(found: Judgement) -> str:
    mechanism = f" ({found.mechanism})" if found.mechanism else ""
    return f"{found.verdict}{mechanism}: {found.reason}"


def _values(found: Judgement) -> dict[str, Any]:
    evidence = found.evidence
    return {
        "verdict": found.verdict,
        "mechanism": found.mechanism,
        "reason": found.reason,
        "delivery": evidence.delivery,
        "fan_out": evidence.fan_out,
        "items": evidence.items,
        "arrivals": evidence.arrivals,
        "requests": evidence.requests,
    }
