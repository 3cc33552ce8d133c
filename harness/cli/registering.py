"""A registration from the command line: tried, written, and what comes next."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from harness.adapters.adapter import Adapter
from harness.adapters.configuration import ConfigurationError
from harness.adapters.project import Project, load_project
from harness.adapters.writing import file_for, read_value, registered
from harness.checks.construct import ENTRY
from harness.cli.endings import USAGE
from harness.cli.results import shown
from harness.cli.screen import complain, note, say
from harness.errors import IsolationError, RegistrationError
from harness.events import Constructed, Dialled, Died, Missing, Raised, Refused
from harness.report.files import replace_file
from harness.session.commands import typed
from harness.session.session import Session
from harness.session.settings import Settings
from harness.session.tidy import secrets_among, tidy
from harness.tape.secrets import Secrets, hits, secrets_of
from harness.words import Capability

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.isolation.outcome import Outcome

_VARIABLE: Final = re.compile(r"\$\{(\w+)")
_UNKNOWN_ARGUMENT: Final = re.compile(r"unexpected keyword argument '(\w+)'")
_WHOLE_VARIABLE: Final = re.compile(r"\$\{[^}]*\}")


def register(name: str, given: Mapping[str, Any], config: Path | None) -> int:
    """
    Try an adapter, write its registration, say what to do next, and return the status.

    Args:
        name: the adapter's.
        given: the options of `harness new`, complete.
        config: the file that the command line names.

    Raises:
        UserError: the registration cannot be used or written; nothing was.
    """
    cwd = Path.cwd()
    file = file_for(config, cwd)
    data = file.read_bytes() if file.exists() else b""
    adapter = Adapter(
        name=name,
        target=given["target"],
        kwargs={key: read_value(value) for key, value in given["kwargs"].items()},
        env=given["env"],
        declares=given["declares"] or None,
        upstream=given["upstream"],
        simulator=given["simulator"],
        origin=f"{shown(file)}, adapter {name}",
    )
    _refuse_secrets(adapter)
    new = registered(data, file, adapter, given["family"])
    status = 0 if given["no_check"] else _tried(_project(file, cwd), adapter)
    if status:
        note("  nothing was written; --no-check writes it all the same")
        return status
    replace_file(file, new)
    say(f"registered: {name} in {shown(file)}")
    _tell_next(adapter, file)
    return 0


def _refuse_secrets(adapter: Adapter) -> None:
    if hits(adapter.name.encode(), secrets_among(adapter)):
        hint = "give it another: it stands in the registration, in reports, and names a folder of cassettes"
        raise RegistrationError("the name looks like a secret, or is the value of one", where="NAME", hint=hint)
    for name, value in {**adapter.kwargs, **adapter.env}.items():
        if isinstance(value, str) and (hits(value.encode(), Secrets()) or _is_key(name, value)):
            hint = f"let the environment hold it: {name}=${{MY_{name.upper()}:-placeholder}}"
            raise RegistrationError(f"{name} looks like a secret, and the file is committed", where=name, hint=hint)


def _is_key(name: str, value: str) -> bool:
    """
    Tell whether a value stands under the name of a credential, and is none of the words that stand in for one.
    """
    bare = _WHOLE_VARIABLE.sub("", value)
    return any(any(map(str.isdigit, one)) for one in secrets_of({}, {name: bare}).values)


def _project(file: Path, cwd: Path) -> Project:
    try:
        return load_project(file, cwd)
    except ConfigurationError:
        # a new file, or a pyproject.toml without a table of ours, is no project yet
        root = file.parent
        return Project(
            root=root, family=root.name or "adapters", cassettes=root / "cassettes", reports=root / "reports"
        )


def _tried(project: Project, adapter: Adapter) -> int:
    """
    Say whether an adapter can be imported and constructed, and what keeps it from that; return the status for it.
    """
    with Session(project, Settings(jobs=1), adapters=1) as session:
        (outcome,) = session.outcomes(project.adopt(adapter), [Capability.INVOKE], {"entry": ENTRY}).values()
    if "fault" in outcome.notes:
        raise IsolationError(f"the harness itself failed: {outcome.notes['fault'].strip().rpartition(chr(10))[2]}")
    what = tidy(_problem(outcome) or "", project.root)
    if not what:
        _tell_calls(outcome, adapter)
        return 0
    if any(isinstance(one, Refused | Dialled) for one in outcome.events):
        note(
            f"note: without its upstream it cannot be constructed ({what}); recording will show whether it can with it"
        )
        return 0
    complain("error", f"{adapter.target}: {what}")
    # a registration that cannot be used is its author's mistake; an adapter that raises is blocked
    return USAGE if outcome.notes.get("problem") else 1


def _problem(outcome: Outcome) -> str | None:
    if outcome.notes.get("problem"):
        return outcome.notes["problem"]
    for event in outcome.events:
        match event:
            case Raised():
                # an argument that is missing, or is not known, is refused before a line of the constructor has run
                hint = _hint(event.message) if event.type == "TypeError" else ""
                at = f" at {event.line}" if event.line else ""
                return f"{event.phase} raises {event.type}: {event.message.partition(chr(10))[0]}{at}{hint}"
            case Missing():
                return f"a package is missing: {event.name}"
            case Died():
                return f"the constructor does not come back: {event.how} ({event.detail})"
    return None


def _hint(message: str) -> str:
    if unknown := _UNKNOWN_ARGUMENT.search(message):
        return f"\n  hint: leave --kwarg {unknown[1]} out, or correct its name"
    return "\n  hint: --kwarg NAME=VALUE gives it an argument" if "missing" in message else ""


def _tell_calls(outcome: Outcome, adapter: Adapter) -> None:
    made = next(one for one in outcome.events if isinstance(one, Constructed))
    has = outcome.notes.get("calls", "").split()
    lacks = [one.value for one in Capability if one not in has]
    note(f"{made.module}.{made.qualname} imports and constructs; it has {', '.join(has) or 'none of the six calls'}")
    if lacks and has:
        note(f"  without {', '.join(lacks)}, which will be unsupported")
    for call in adapter.declares or ():
        if call in lacks:
            complain("warning", f"it declares {call}, and has no such method")


def _tell_next(adapter: Adapter, file: Path) -> None:
    values = " ".join(str(value) for value in (*adapter.kwargs.values(), *adapter.env.values()))
    keys = "".join(f"{name}=... " for name in dict.fromkeys(_VARIABLE.findall(values)))
    note("next:")
    record = typed(file, "record", adapter.name)
    if adapter.simulator:
        note(f"  {record} --simulate   has the simulator answer, and keeps what it says")
    note(f"  {keys}{record}   talks to the provider once, and keeps what it answers")
    note(f"  {typed(file, 'check', adapter.name)}   says READY, or what there is to do")
    note("  commit the registration and the cassettes; neither holds a secret")
