"""The adapter: one registration, checked when it is made."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Final, Self

from harness.adapters import checks
from harness.adapters.engine import engine
from harness.adapters.targets import objects, target_text
from harness.errors import RegistrationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from harness.words import Capability, Upstream, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """
    Register one adapter: a target and its keyword arguments.

    Capabilities, verdicts and upstreams may be given as plain strings, the target also as a class or a function at the
    top level of a module. The values are those of the table `adapters.NAME` of the configuration file, which
    docs/configuration.md describes.

    Attributes:
        name: names the row and the folder of its cassettes.
        target: "module:attribute" of a class or a factory.
        kwargs: its keyword arguments, plain values; `${NAME}` and `${NAME:-default}` in strings are expanded when the
            instance is built.
        family: the set that it is published in; None stands for that of whoever registers it.
        env: environment variables, set before the target is imported; expanded like `kwargs`.
        declares: the capabilities that its documentation promises to be native; None where it says nothing.
        expects: verdicts that are known and accepted; `reason` must say why.
        reason: why `expects` is as it is.
        link: where that can be read up, such as an issue's address.
        prompts: three prompts in place of the standard ones.
        match_on: how requests are matched to the cassette.
        objects: further keyword arguments, as "module:attribute", or "module:Class()" to have it called.
        upstream: where its cassettes come from.
        simulator: the simulator that answers while recording from simulators.
        engine: the engine in its own process that it calls, and which of the calls are requests (docs/engines.md).
        preload: modules to import once for all of its calls, such as the client library that its constructor imports.
        timeout: seconds that a call may take.
        environment: the locked environment that it runs in, where there are several; None: the project's.
        program: the program beside it, through which it reaches its upstream (docs/programs.md).
        without: checks that `harness check` leaves out, as "check" or "check.call", each with the reason.
        rebuild: "module:function" that puts the list of a stream's pieces together, where addition does not.
        usage: further keyword arguments of a streaming call that ask for token usage; None where none is to be had.
        unsteady: calls whose requests without a prompt differ from run to run, each with why; these requests, and the
            moments that depend on them, are left out of the evidence, and a replay that misses is tried again.
        origin: where it was registered, for messages.

    Raises:
        RegistrationError: a value is of the wrong kind or names something unknown.
    """

    name: str
    target: str
    kwargs: Mapping[str, object] = field(default_factory=dict)
    family: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    declares: tuple[Capability, ...] | None = None
    expects: Mapping[Capability, Verdict] = field(default_factory=dict)
    reason: str | None = None
    link: str | None = None
    prompts: tuple[str, str, str] | None = None
    match_on: tuple[str, ...] | None = None
    objects: Mapping[str, str] = field(default_factory=dict)
    upstream: Upstream | None = None
    simulator: str | None = None
    engine: Mapping[str, object] | None = None
    preload: tuple[str, ...] = ()
    timeout: float | None = None
    environment: str | None = None
    program: str | None = None
    without: Mapping[str, str] = field(default_factory=dict)
    rebuild: str | None = None
    usage: Mapping[str, object] | None = None
    unsteady: Mapping[Capability, str] = field(default_factory=dict)
    origin: str = field(default="", compare=False)

    if TYPE_CHECKING:
        # What may be given is wider than what is kept, and a dataclass cannot say that.
        def __init__(  # noqa: PLR0913 - one for each key of the table
            self,
            *,
            name: str,
            target: str | Callable[..., object],
            kwargs: Mapping[str, object] = ...,
            family: str | None = ...,
            env: Mapping[str, str] = ...,
            declares: Iterable[str] | None = ...,
            expects: Mapping[str, str] | Mapping[Capability, Verdict] = ...,
            reason: str | None = ...,
            link: str | None = ...,
            prompts: Iterable[str] | None = ...,
            match_on: Iterable[str] | None = ...,
            objects: Mapping[str, str] = ...,
            upstream: str | None = ...,
            simulator: str | None = ...,
            engine: Mapping[str, object] | None = ...,
            preload: Iterable[str] = ...,
            timeout: float | None = ...,
            environment: str | None = ...,
            program: str | None = ...,
            without: Mapping[str, str] = ...,
            rebuild: str | Callable[..., object] | None = ...,
            usage: Mapping[str, object] | None = ...,
            unsteady: Mapping[str, str] | Mapping[Capability, str] = ...,
            origin: str = ...,
        ) -> None: ...

    else:

        def __new__(cls, **given: object) -> Self:
            """
            Refuse arguments that nobody reads, as a file's keys are; nothing is given where an adapter is unpickled.
            """
            if given:
                _refuse_unknown(given)
            return object.__new__(cls)

    def __post_init__(self) -> None:
        place = self.place
        for key, check in _CHECKS.items():
            object.__setattr__(self, key, check(getattr(self, key), f"{place}, {key}"))
        if self.expects and self.reason is None:
            raise RegistrationError(
                "expects needs a reason",
                where=f"{place}, expects",
                hint='say beside it why: reason = "astream loses the last piece, see the issue"',
            )
        twice = sorted(set(self.kwargs) & set(self.objects))
        if twice:
            msg = f"{twice[0]!r} stands in kwargs too"
            raise RegistrationError(msg, where=f"{place}, objects", hint="keep one of the two")

    def __hash__(self) -> int:
        return hash((self.family, self.name, self.target))

    @property
    def place(self) -> str:
        """
        Return where it was registered, for messages.
        """
        return self.origin or f"harness.Adapter(name={self.name!r})"

    @property
    def id(self) -> str:
        """
        Return FAMILY/NAME, or the name alone where no family is known yet.
        """
        return f"{self.family}/{self.name}" if self.family else self.name

    def as_dict(self) -> dict[str, object]:
        """
        Return the fields as plain values, which can be written as JSON; `from_dict` takes them back.
        """
        values: dict[str, object] = {key: getattr(self, key) for key in self.__slots__}
        values["declares"] = None if self.declares is None else [str(name) for name in self.declares]
        values["expects"] = {str(name): str(verdict) for name, verdict in self.expects.items()}
        values["unsteady"] = {str(name): why for name, why in self.unsteady.items()}
        values["upstream"] = None if self.upstream is None else str(self.upstream)
        return {key: checks.plain(value, key) for key, value in values.items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Adapter:
        """
        Return the adapter that `as_dict` wrote.

        Raises:
            RegistrationError: a value is of the wrong kind.
        """
        return cls(**values)  # type: ignore[arg-type]  # checked when the instance is made


def _refuse_unknown(given: Mapping[str, object]) -> None:
    known = tuple(one.name for one in fields(Adapter))
    place = str(given.get("origin") or f"harness.Adapter(name={given.get('name')!r})")
    checks.known_keys(given, known, place, {})
    for key, example in (("name", "MyLLM"), ("target", "my_package.llms:MyLLM")):
        if key not in given:
            raise RegistrationError(f"has no {key}", where=place, hint=f'for example: {key}="{example}"')


_CHECKS: Final[dict[str, checks.Check]] = {
    "name": checks.folder_name,
    "target": target_text,
    "kwargs": checks.keywords,
    "family": checks.optional(checks.folder_name),
    "env": checks.environment,
    "declares": checks.optional(checks.capabilities),
    "expects": checks.expectations,
    "reason": checks.optional(checks.text),
    "link": checks.optional(checks.text),
    "prompts": checks.optional(checks.prompts),
    "match_on": checks.optional(checks.matchers),
    "objects": objects,
    "upstream": checks.optional(checks.upstream),
    "simulator": checks.optional(checks.text),
    "engine": checks.optional(engine),
    "preload": checks.modules,
    "timeout": checks.optional(checks.seconds),
    "environment": checks.optional(checks.environment_name),
    "program": checks.optional(checks.text),
    "without": checks.reasons,
    "rebuild": checks.optional(target_text),
    "usage": checks.optional(checks.keywords),
    "unsteady": checks.unsteady,
}
