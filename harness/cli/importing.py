"""Recordings made elsewhere, from the command line: what each becomes, or why it does not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from harness.adapters.writing import table_name, toml
from harness.battery.prompts import PROMPTS
from harness.cli.results import shown
from harness.cli.screen import has_colour, note, say, width
from harness.errors import UserError
from harness.marks import carried
from harness.report.text import one_line
from harness.session.attempts import forget_attempt
from harness.session.commands import typed
from harness.session.paths import cassette_path
from harness.session.tidy import secrets_among
from harness.tape.cassette import place
from harness.tape.foreign.imported import Imported, read_imported
from harness.tape.secrets import hits
from harness.words import Capability, Upstream, counted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import RenderableType

    from harness.adapters.adapter import Adapter
    from harness.adapters.project import Project

MATCH_ON: Final = ("method", "path", "stream")
"""What an imported request is found by: its host, its body and its prompts are somebody else's."""
NO_CALL: Final = "a batch has three inputs, the other calls have one; --as makes it one of them all the same"
AS_BATCH: Final = "with --as batch --as abatch one answer stands for those of all inputs, which shows how they are sent"
_UNMENDED: Final = 1
_LONGEST: Final = 300
_TELLING: Final = 12
"""Letters and digits by which a prompt is recognised; fewer stand in a request by chance."""
_HEADINGS: Final = ("File", "What it is", "What it becomes")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """
    Hold the options of `harness import`.

    Attributes:
        calls: what the files become; none: what they show.
        again: cassettes that are there may be replaced.
        dry_run: nothing is written.
    """

    calls: tuple[Capability, ...] = ()
    again: bool = False
    dry_run: bool = False


@dataclass(slots=True, kw_only=True)
class _File:
    """
    Hold what becomes of one file.
    """

    path: Path
    made: Imported | None = None
    why_not: str = ""
    text: str = ""
    calls: list[Capability] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    @property
    def used(self) -> bool:
        return bool(self.calls)


def bring(project: Project, adapter: Adapter, files: Sequence[Path], options: ImportOptions) -> int:
    """
    Import files, show what each became, say what to register, and return the status.

    Args:
        project: whose cassettes they become.
        adapter: the adapter that they are for.
        files: what to import; none of them is changed.
        options: into which calls, and whether anything is replaced or written.

    Raises:
        CassetteError: a cassette cannot be written.
    """
    paths = {call: cassette_path(project, adapter, call) for call in Capability}
    taken: dict[Capability, Path] = {}
    every = [_read(path, adapter, options) for path in files]
    for one in every:
        _share_out(one, taken, paths, options)
    if not options.dry_run:
        _write(every, paths)
    say(_table(every))
    _tell(every, adapter, project, options)
    return 0 if all(one.used for one in every) else _UNMENDED


def _read(path: Path, adapter: Adapter, options: ImportOptions) -> _File:
    one = _File(path=path)
    try:
        one.made = read_imported(path)
        one.text = one.made.text(secrets_among(adapter), str(path))
    except UserError as error:
        place = (error.where or "").removeprefix(str(path)).strip(", ")
        one.why_not = f"{place}: {error.message}" if place else error.message
    else:
        one.calls = list(options.calls or one.made.capabilities)
    return one


def _share_out(
    one: _File, taken: dict[Capability, Path], paths: dict[Capability, Path], options: ImportOptions
) -> None:
    """
    Give each call to the first file that can be it, and leave alone what is there.
    """
    wanted, one.calls = one.calls, []
    for call in wanted:
        if call in taken:
            one.left_out.append(f"{call} comes from {shown(taken[call])} already")
        elif paths[call].exists() and not options.again:
            one.left_out.append(f"{call} has a cassette; --again replaces it")
        else:
            taken[call] = one.path
            one.calls.append(call)


def _write(every: Sequence[_File], paths: dict[Capability, Path]) -> None:
    for one in every:
        for call in one.calls:
            place(paths[call], one.text)
            forget_attempt(paths[call])


def _table(every: Sequence[_File]) -> str:
    from rich.console import Group  # noqa: PLC0415 - a refusal of the command line does without
    from rich.table import Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    from harness.report.terminal import NARROWEST_TABLE, rendered  # noqa: PLC0415 - as above

    rows = [[one_line(text) for text in (shown(one.path), _what(one), _becomes(one))] for one in every]
    shape: RenderableType
    if width() < NARROWEST_TABLE:
        shape = Group(*(Text(f"{name}\n  {what}\n  -> {becomes}", overflow="fold") for name, what, becomes in rows))
    else:
        shape = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
        for heading in _HEADINGS:
            shape.add_column(heading, overflow="fold")
        for row in rows:
            shape.add_row(*map(Text, row))
    return rendered(shape, width(), has_colour()).rstrip("\n")


def _what(one: _File) -> str:
    if one.made is None:
        return "-"
    forms = one.made.streamed
    words = [one.made.layout, counted(len(one.made.turns), "request")]
    words.append(counted(len(one.made.prompts), "prompt"))
    whole = len(one.made.whole)
    words += [f"{counted(whole, 'answer')} in one piece"] if whole else []
    words += [f"streamed as {turn.form} of {counted(turn.pieces, 'piece')}" for turn in forms[:1]]
    return ", ".join(words)


def _becomes(one: _File) -> str:
    if one.why_not:
        return f"refused: {one.why_not}"
    shows_none = [] if one.made is None or one.calls or one.left_out else [NO_CALL]
    calls = ", ".join(one.calls) or "nothing"
    return "; ".join([calls, *one.left_out, *shows_none])


def _tell(every: Sequence[_File], adapter: Adapter, project: Project, options: ImportOptions) -> None:
    for one in every:
        for doubt in one.made.notes if one.made else ():
            note(f"note: {shown(one.path)}: {doubt}")
    used = [one for one in every if one.used]
    if not used:
        note("nothing was written")
        return
    if options.dry_run:
        note("nothing was written: --dry-run")
    _tell_registration(used, adapter, project)
    if not any(Capability.BATCH in one.calls for one in used) and any(one.made and one.made.whole for one in used):
        note(f"note: {AS_BATCH}")
    note("next:")
    command = typed(project.file, "run", adapter.name)
    note(f"  {command}   replays them; a recording that does not fit makes its cell unknown, no more")


def _tell_registration(used: Sequence[_File], adapter: Adapter, project: Project) -> None:
    """
    Offer the lines that a registration needs for imported cassettes; nothing is written into it.
    """
    lines = []
    if adapter.match_on is None or set(adapter.match_on) - set(MATCH_ON):
        lines.append(f"match_on = {toml(MATCH_ON)}")
    if adapter.upstream not in {None, Upstream.IMPORTED}:
        lines.append(f"upstream = {toml(Upstream.IMPORTED.value)}")
    prompts = _prompts(used, adapter)
    three = _three(prompts)
    if adapter.prompts is None and three:
        lines.append(f"prompts = {toml(three)}    # optional: what was asked when it was recorded")
    elif adapter.prompts is None:
        note("what was asked is too short, long or alike to be told apart in a request, so no prompts are offered:")
        for text in prompts[:3]:
            note(f"  {one_line(text)[:_LONGEST]}")
    if not lines:
        return
    table = table_name(project.file, adapter.name) if project.file else f"adapters.{adapter.name}"
    note(f"for the registration of {adapter.name}, at its place ({adapter.place}):")
    note("\n".join([f"  [{table}]", *(f"  {line}" for line in lines)]))


def _prompts(used: Sequence[_File], adapter: Adapter) -> list[str]:
    """
    Return what was asked in the recordings, each prompt once; none that has a secret in it.
    """
    secrets = secrets_among(adapter)
    # those of a batch belong together
    in_order = sorted(used, key=lambda one: Capability.BATCH not in one.calls)
    every = dict.fromkeys(text for one in in_order if one.made for text in one.made.prompts)
    return [text for text in every if not hits(text.encode("utf-8", "surrogatepass"), secrets)]


def _three(prompts: Sequence[str]) -> list[str]:
    """
    Return three prompts, recorded ones first; none where a request would not show which of them it carries.
    """
    if not prompts:
        return []
    three = [*prompts, *PROMPTS][: len(PROMPTS)]
    told_apart = all(carried(text, three) == (number,) for number, text in enumerate(three))
    is_telling = all(len("".join(filter(str.isalnum, text))) >= _TELLING for text in three)
    return three if told_apart and is_telling and max(map(len, three)) <= _LONGEST else []
