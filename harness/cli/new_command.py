"""`harness new`: writes a registration, and says what to do next."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli.options import capability, config_option
from harness.errors import UserError
from harness.words import Capability, Upstream

if TYPE_CHECKING:
    from collections.abc import Mapping


def _pairs(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    for value in values:
        if not value.partition("=")[0].strip() or "=" not in value:
            raise click.BadParameter(f"{value!r} is not of the form NAME=VALUE", ctx, param)
    return {name.strip(): text for name, _, text in (value.partition("=") for value in values)}


@click.command("new")
@click.argument("name")
@click.option("--target", metavar="MODULE:CLASS", help="What to test: a class, or a function that returns an instance.")
@click.option(
    "--kwarg", "kwargs", multiple=True, callback=_pairs, metavar="NAME=VALUE",
    help="A keyword argument of the target; numbers, true, lists and quoted texts as in TOML. Repeatable.",
)  # fmt: skip
@click.option(
    "--env", multiple=True, callback=_pairs, metavar="NAME=VALUE",
    help="An environment variable, set before the target is imported. Repeatable.",
)  # fmt: skip
@click.option(
    "--declares", multiple=True, metavar="CAPABILITY", help="A call that its documentation promises. Repeatable."
)
@click.option("--family", metavar="F", help="The set that it is published in, where the file does not say yet.")
@click.option("--upstream", type=click.Choice([one.value for one in Upstream]), help="Where its cassettes come from.")
@click.option("--simulator", metavar="S", help="The simulator that answers for its provider while recording.")
@click.option("--no-check", is_flag=True, help="Do not try whether it can be imported and constructed.")
@config_option
@click.pass_context
def command(ctx: click.Context, /, name: str, **given: Any) -> None:  # noqa: ANN401 - many options
    """
    Register an adapter, and say what to do next.

    What is missing is asked for on a terminal. The registration goes to the end of the project's harness.toml or
    pyproject.toml, which stays as it is otherwise; nothing is ever overwritten.

    \b
    Examples:
      harness new MyLLM
      harness new MyLLM --target my_package.llms:MyLLM --kwarg model=m-1 --kwarg 'api_key=${MY_API_KEY:-placeholder}'
    """  # noqa: D301 - click looks for this very character
    from harness.cli.registering import register  # noqa: PLC0415 - `--help` does without

    asked = _asked(given) if _can_ask() else given
    if not asked["target"]:
        raise click.UsageError("the target is missing: --target my_package.llms:MyLLM", ctx)
    for call in asked["declares"]:
        capability(call, "--declares")
    config = given["config"] or (ctx.obj or {}).get("config")
    ctx.exit(register(name, asked, Path(config) if config else None))


def _can_ask() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _asked(given: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return what was given, and ask for what is missing; who named the target has said what he wants to say.
    """
    if given["target"]:
        return dict(given)
    target = click.prompt("Target (module:class)", err=True, value_proc=_target)
    kwargs = dict(given["kwargs"])
    while not given["kwargs"] and (text := _line("Keyword argument (name=value; empty: no more)")):
        name, equals, value = text.partition("=")
        if equals and name.strip():
            kwargs[name.strip()] = value.strip()
        else:
            click.echo("  write it as name=value", err=True)
    declares = given["declares"] or _calls("Calls that its documentation promises (empty: none is named)")
    return {**given, "target": target, "kwargs": kwargs, "declares": declares}


def _target(text: str) -> str:
    """
    Return a target as it was typed, or have it asked for again: what follows would be asked in vain.
    """
    from harness.adapters.targets import target_text  # noqa: PLC0415 - needed where somebody answers

    try:
        return target_text(text.strip(), "target")
    except UserError as error:
        raise click.UsageError(f"{error.message}; {error.hint}") from None


def _line(question: str) -> str:
    return str(click.prompt(question, default="", show_default=False, err=True)).strip()


def _calls(question: str) -> tuple[str, ...]:
    while True:
        words = _line(question).replace(",", " ").split()
        try:
            return tuple(capability(word) for word in words)
        except UserError as error:
            click.echo(f"  {error.message}: {', '.join(Capability)}", err=True)
