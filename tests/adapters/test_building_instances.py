"""From a registration to an instance, and every way in which that fails."""

from __future__ import annotations

import importlib
import itertools
import pickle
import sys
from typing import TYPE_CHECKING

import pytest

from harness import Adapter
from harness.adapters.build import build, check_target, load_target
from harness.adapters.missing import MissingDependency, distribution_for, missing_dependency
from harness.errors import RegistrationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NUMBERS = itertools.count()


@pytest.fixture
def make(tmp_path, monkeypatch) -> Iterator[Callable[..., str]]:
    """
    Return a function that writes a module of a fresh name and returns that name.
    """
    monkeypatch.syspath_prepend(tmp_path)
    made: list[str] = []

    def write(text: str, **others: str) -> str:
        name = f"specimen_module_{next(NUMBERS)}"
        made.append(name)
        folder = tmp_path / name
        folder.mkdir()
        for file, content in {"__init__": text, **others}.items():
            (folder / f"{file}.py").write_text(content)
        importlib.invalidate_caches()
        return name

    yield write
    for loaded in [name for name in sys.modules if name.partition(".")[0] in made]:
        del sys.modules[loaded]


LLM = """
class LLM:
    def __init__(self, **kwargs):
        self.kwargs = kwargs
    class Inner:
        pass
    @classmethod
    def from_environment(cls, **kwargs):
        return cls(made="by factory", **kwargs)
class Formatter:
    made = 0
    def __init__(self):
        type(self).made += 1
def factory(**kwargs):
    return LLM(**kwargs)
nothing = lambda: None
async def later():
    return LLM()
limit = 3
"""


def refused(target: str) -> str:
    """
    Return why a target cannot be loaded.
    """
    adapter = Adapter(name="A", target=target, origin="harness.toml [adapters.A]")
    with pytest.raises(RegistrationError) as caught:
        check_target(adapter)
    message = str(caught.value)
    assert message.startswith("harness.toml [adapters.A]")
    return message


def test_keyword_arguments_are_expanded_and_objects_made(make, monkeypatch):
    """
    A string's variables take their setting when the instance is built; objects are taken or called.
    """
    module = make(LLM)
    monkeypatch.setenv("SPECIMEN_KEY", "secret")
    adapter = Adapter(
        name="A",
        target=f"{module}:LLM",
        kwargs={"key": "${SPECIMEN_KEY}", "deep": {"urls": ["${SPECIMEN_URL:-http://x}"]}, "n": 3},
        objects={"formatter": f"{module}:Formatter()", "factory": f"{module}:factory"},
    )

    built = build(adapter)

    loaded = sys.modules[module]
    assert isinstance(built, loaded.LLM)
    formatter = built.kwargs.pop("formatter")
    assert isinstance(formatter, loaded.Formatter)
    assert loaded.Formatter.made == 1
    assert built.kwargs == {"key": "secret", "deep": {"urls": ["http://x"]}, "n": 3, "factory": loaded.factory}


@pytest.mark.parametrize("path", ["factory", "LLM.from_environment", "LLM.Inner"])
def test_a_target_may_be_a_factory_or_dotted(make, path):
    """
    Anything that can be called and found by its name will do.
    """
    assert build(Adapter(name="A", target=f"{make(LLM)}:{path}")) is not None


def test_nothing_is_imported_before_it_is_asked_for(make):
    """
    Registering is not importing.
    """
    module = make("raise SystemExit(3)")
    Adapter(name="A", target=f"{module}:LLM")

    assert module not in sys.modules
    assert f"importing {module} raised SystemExit: 3" in refused(f"{module}:LLM")


def test_a_module_that_does_not_exist_is_named(make):
    """
    The missing part is named, the nearest that exists offered, and where it was looked for.
    """
    module = make(LLM, llms="")

    assert "there is no module 'no_such_package_at_all'" in refused("no_such_package_at_all.llms:LLM")
    assert sys.executable in refused("no_such_package_at_all.llms:LLM")
    assert f"there is no module '{module}.lms'; did you mean '{module}.llms'?" in refused(f"{module}.lms:LLM")
    assert "did you mean 'pathlib'?" in refused("pathlibb:Path")


def test_an_attribute_that_does_not_exist_is_named_with_near_ones(make):
    """
    The names around it are shown, at every step of a dotted path.
    """
    module = make(LLM)

    message = refused(f"{module}:LLm2")
    assert f"the module '{module}' has no 'LLm2'; did you mean 'LLM'?" in message
    assert "Formatter" in message
    assert "has no 'Iner'; did you mean 'Inner'?" in refused(f"{module}:LLM.Iner")
    assert "half-written" in refused(f"{make('')}:LLM")


def test_what_cannot_be_called_is_no_target(make):
    """
    A module or a value is refused, with the classes that were probably meant.
    """
    module = make(LLM, llms=LLM)

    assert f"{module}:limit is a int and cannot be called" in refused(f"{module}:limit")
    importlib.import_module(f"{module}.llms")
    assert "classes in there: LLM, Formatter" in refused(f"{module}:llms")


def test_a_factory_must_return_an_instance(make):
    """
    Nothing, or a coroutine, is no adapter.
    """
    module = make(LLM)

    with pytest.raises(RegistrationError, match="returned None"):
        build(Adapter(name="A", target=f"{module}:nothing"))
    with pytest.raises(RegistrationError, match="is an async function"):
        build(Adapter(name="A", target=f"{module}:later"))


def test_an_object_that_cannot_be_called_is_refused(make):
    """
    The brackets are the mistake, and the error says so.
    """
    module = make(LLM)
    adapter = Adapter(name="A", target=f"{module}:LLM", objects={"limit": f"{module}:limit()"})

    with pytest.raises(RegistrationError, match=r"objects.limit: .*cannot be called"):
        build(adapter)


def test_what_the_adapter_raises_itself_comes_through(make):
    """
    A constructor's or an import's own failure is for the verdict, not for the registration.
    """
    module = make("class LLM:\n    def __init__(self):\n        raise ValueError('no key')")
    with pytest.raises(ValueError, match="no key"):
        build(Adapter(name="A", target=f"{module}:LLM"))

    module = make("1 / 0")
    with pytest.raises(ZeroDivisionError):
        build(Adapter(name="A", target=f"{module}:LLM"))
    assert f"importing {module} raised ZeroDivisionError" in refused(f"{module}:LLM")

    module = make("from pathlib import no_such_name")
    with pytest.raises(ImportError, match="no_such_name"):
        load_target(Adapter(name="A", target=f"{module}:LLM"))


def test_a_missing_dependency_is_told_from_a_missing_target(make):
    """
    It names the module and what to install, and is a registration error of its own kind.
    """
    adapter = Adapter(name="A", target=f"{make('import no_such_vendor.client')}:LLM")

    with pytest.raises(MissingDependency) as caught:
        build(adapter)

    error = caught.value
    assert (error.module, error.distribution, error.code) == ("no_such_vendor", "no-such-vendor", "missing-dependency")
    assert "pip install 'no-such-vendor'" in str(error)
    assert isinstance(error, RegistrationError)
    assert isinstance(error.__cause__, ModuleNotFoundError)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301 - our own bytes


def test_a_module_missing_in_the_targets_own_package_is_no_dependency(make):
    """
    Nothing can be installed to mend it.
    """
    module = make("", llms="import importlib\nimportlib.import_module(__package__ + '.gone')")

    message = refused(f"{module}.llms:LLM")
    assert f"'{module}.llms' does not import: it needs '{module}.gone' of its own package" in message


LATE = """
class LLM:
    def __init__(self):
        try:
            import no_such_vendor
        except ImportError{binding}:
            raise {raised}
"""


@pytest.mark.parametrize(
    "text",
    [
        "class LLM:\n    def __init__(self):\n        import no_such_vendor",
        LATE.format(binding=" as e", raised="ImportError('Could not import it') from e"),
        LATE.format(binding="", raised="ImportError('Could not import it') from None"),
        LATE.format(binding="", raised="ValueError('Please pip install no-such-vendor')"),
        "class LLM:\n    def __init__(self):\n        raise ImportError('Please run `pip install -U no-such-vendor`.')",
    ],
)
def test_a_dependency_that_is_imported_late_is_recognised(make, text):
    """
    Adapters import in their constructors and put it in words of their own.
    """
    with pytest.raises(MissingDependency) as caught:
        build(Adapter(name="A", target=f"{make(text)}:LLM"))

    assert caught.value.module == "no_such_vendor"


@pytest.mark.parametrize("pydantic", ["pydantic", "pydantic.v1"])
def test_a_dependency_that_a_validator_misses_is_recognised(make, pydantic):
    """
    Both generations of pydantic keep a validator's error beside the chain of causes.
    """
    pytest.importorskip("pydantic")
    check = (
        "root_validator(pre=True, allow_reuse=True)" if pydantic.endswith("v1") else "model_validator(mode='before')"
    )
    module = make(
        f"from {pydantic} import BaseModel, {check.partition('(')[0]}\n"
        f"class LLM(BaseModel):\n    @{check}\n    @classmethod\n    def check(cls, values):\n"
        "        try:\n            import no_such_vendor\n"
        "        except ImportError:\n            raise ValueError('Please install no_such_vendor')\n"
    )

    with pytest.raises(MissingDependency) as caught:
        build(Adapter(name="A", target=f"{module}:LLM"))

    assert caught.value.module == "no_such_vendor"


def test_the_adapters_own_advice_says_what_to_install(make):
    """
    A module's name may be that of a stranger on the index, and a shared one is nobody's.
    """
    message = "ImportError('Please install it with `pip install no-such-vendor-ml`.')"
    text = LATE.format(binding="", raised=message)

    with pytest.raises(MissingDependency) as caught:
        build(Adapter(name="A", target=f"{make(text)}:LLM"))
    assert (caught.value.module, caught.value.distribution) == ("no_such_vendor", "no-such-vendor-ml")

    with pytest.raises(MissingDependency, match="many distributions bring a part of 'azure'"):
        build(Adapter(name="A", target=f"{make('import azure.no_such_part')}:LLM"))


def test_an_error_that_only_follows_a_failed_import_is_not_blamed_on_it(make):
    """
    An optional module that is missing does not excuse what goes wrong afterwards.
    """
    module = make(LATE.format(binding="", raised="ValueError('the key is wrong')"))

    with pytest.raises(ValueError, match="the key is wrong"):
        build(Adapter(name="A", target=f"{module}:LLM"))


def test_a_submodule_of_something_installed_asks_for_another_version(make):
    """
    To install what is installed would not help.
    """
    with pytest.raises(MissingDependency, match="is installed but lacks this module") as caught:
        build(Adapter(name="A", target=f"{make('import click.no_such_part')}:LLM"))

    assert (caught.value.module, caught.value.distribution) == ("click.no_such_part", "click")


def test_other_errors_have_nothing_missing():
    """
    A chain that leads to no missing module gives nothing, also where it goes round.
    """
    first, second = ValueError("a"), ValueError("b")
    first.__context__, second.__context__ = second, first

    assert missing_dependency(first, Adapter(name="A", target="m:A")) is None


@pytest.mark.parametrize(
    ("module", "distribution"),
    [
        ("yaml", "PyYAML"),
        ("google.generativeai.client", "google-generativeai"),
        ("llama_cpp", "llama-cpp-python"),
        ("huggingface_hub", "huggingface-hub"),
        ("plain", "plain"),
        ("google", ""),
    ],
)
def test_the_distribution_of_a_module_is_named(module, distribution):
    """
    Well-known names that differ are known; others are the module's own.
    """
    assert distribution_for(module) == distribution


def test_the_targets_own_requirements_name_the_version(tmp_path, monkeypatch):
    """
    What its distribution asks for is what should be installed.
    """
    info = tmp_path / "specimen_dist-1.0.dist-info"
    info.mkdir()
    lines = ["no-such-vendor-sdk[grpc] (>=1.2,<2) ; extra == 'all'", "PyYAML >= 6", "other"]
    required = "".join(f"Requires-Dist: {line}\n" for line in lines)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: specimen-dist\nVersion: 1.0\n{required}")
    monkeypatch.syspath_prepend(tmp_path)

    assert distribution_for("no_such_vendor.client", "specimen_dist.llms:LLM") == "no-such-vendor-sdk>=1.2,<2"
    assert distribution_for("yaml", "specimen_dist.llms:LLM") == "PyYAML>=6"
