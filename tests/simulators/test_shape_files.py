"""Shape files: those that ship are good, and a bad one says where and how to mend it."""

from __future__ import annotations

import csv
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.adapters.project import load_project
from harness.simulators import Shape, ShapeError, Simulator, load_shapes, with_those_beside

if TYPE_CHECKING:
    from collections.abc import Callable

FAMILIES = sorted((Path(__file__).parents[2] / "families").glob("*/harness.toml"))
GOOD = """
source = "made up"
hosts = ["https://odd.test"]

[[routes]]
path = "/v1/{model}"
prompts = "/prompt"
whole = '{"text": {{ text | tojson }}}'
"""


def test_a_good_shape_is_read(write_shape: Callable[[str], Path]) -> None:
    """A shape is called after its file."""
    shape = load_shapes(write_shape(GOOD))["odd"]
    assert (shape.name, shape.source, shape.hosts) == ("odd", "made up", ("https://odd.test",))
    assert [(route.method, route.path) for route in shape.routes] == [("POST", "/v1/{model}")]


def test_a_template_may_look_into_an_object_of_the_request(write_shape: Callable[[str], Path]) -> None:
    """A rehearsal knows no request, and takes a field for a text or an object, as the template does."""
    deep = GOOD.replace(
        '{"text": ', '{"as": {{ request.mode.name | tojson }}, "upper": {{ request.mode | upper | tojson }}, "text": '
    )
    assert load_shapes(write_shape(deep))["odd"].routes


@pytest.mark.parametrize(
    ("old", "new", "where", "says"),
    [
        ('source = "made up"', "", "source", "is missing"),
        ('source = "made up"', "source = 3", "source", "has to be a string, not int"),
        ('"made up"', '"made up"\nhots = 1', "hots", "did you mean 'hosts'?"),
        ('["https://odd.test"]', "[]", "hosts", "there is none"),
        ('["https://odd.test"]', '["odd.test"]', "hosts", "'odd.test' is no origin"),
        ('["https://odd.test"]', '["https://odd.test/v1"]', "hosts", "is no origin"),
        ('["https://odd.test"]', "[1]", "hosts", "array of strings"),
        ("[[routes]]", "[pace]\nfirst = [3, 1]\n[[routes]]", "pace.first", "[least, most]"),
        ("[[routes]]", "[pace]\nfrist = [1, 3]\n[[routes]]", "pace.frist", "did you mean 'first'?"),
        ("[[routes]]", "[auth]\nheader = 'X'\n[[routes]]", "auth.body", "is missing"),
        ("[[routes]]", "[missing]\nbody = '{{ mising }}'\n[[routes]]", "missing.body", "'mising' is undefined"),
        ("[[routes]]", "beside = 'even'\n[[routes]]", "beside", "there is no shape 'even'"),
        ("[[routes]]", "[routes]", "routes", "[[routes]]"),
        ('path = "/v1/{model}"', "", "routes[0].path", "is missing"),
        ("/v1/{model}", "v1", "routes[0].path", "does not begin with a slash"),
        ("/v1/{model}", "/{a}/{a}", "routes[0].path", "name each parameter once"),
        ("prompts", "method = 'SEND'\nprompts", "routes[0].method", "'SEND' is not one of"),
        ("prompts", "kind = 'pol'\nprompts", "routes[0].kind", "did you mean 'poll'?"),
        ("prompts", "status = true\nprompts", "routes[0].status", "a whole number"),
        ("prompts", "stauts = 201\nprompts", "routes[0].stauts", "did you mean 'status'?"),
        ('"/prompt"', '"prompt"', "routes[0].prompts", "write /prompt"),
        ("text | tojson }}}", "text | tojson }}", "routes[0].whole", "broken JSON"),
        ("text | tojson }}}", "text | tojsn }}}", "routes[0].whole", "is no template"),
        ("text | tojson }}}", "txet | tojson }}}", "routes[0].whole", "'txet' is undefined"),
        ("{{ text | tojson }}", "{{ text.__class__.mro() }}", "routes[0].whole", "unsafe"),
        ("whole = ", "headers = { a = '{{ b }}' }\nwhole = ", "routes[0].headers", "'b' is undefined"),
        ("whole = ", "headers = { a = 1 }\nwhole = ", "routes[0].headers", "table of strings"),
        (
            "whole = ",
            "stream = '/s'\nframing = 'sse'\npiece = 'p'\nclosing = '{{ pice }}'\nwhole = ",
            "routes[0].closing",
            "'pice'",
        ),
        ("whole = ", "stream = 'yes'\nwhole = ", "routes[0].stream", "says nothing"),
        ("whole = ", "stream = '/stream'\nwhole = ", "routes[0].framing", "is missing"),
        ("whole = ", "stream = '/s'\nframing = 'see'\nwhole = ", "routes[0].framing", "did you mean 'sse'?"),
        ("whole = ", "stream = '/s'\nframing = 'sse'\nwhole = ", "routes[0].piece", "has to be a template"),
        ("whole = ", "stream = '/s'\nframing = 'sse'\npiece = '{{ pice }}'\nwhole = ", "routes[0].piece", "'pice' is"),
        (
            "whole = ",
            "stream = '/s'\nframing = 'sse'\npiece = 'p'\nfinal = [1]\nwhole = ",
            "routes[0].final",
            "template",
        ),
        ("whole = ", "stream = 'always'\nframing = 'sse'\npiece = 'p'\nwhole = ", "routes[0].whole", "never used"),
        ("whole = ", "stream = '/s'\nframing = 'sse'\npiece = 'p'\n# ", "routes[0].whole", "is missing"),
        ("prompts = ", "kind = 'poll'\n# ", "routes[0].path", "which job"),
        ("prompts = ", "kind = 'poll'\njob = 'id'\n# ", "routes[0].job", "write /id"),
        ("prompts = ", "kind = 'poll'\njob = ['/a', '/b']\n# ", "routes[0].job", "one pointer"),
        ("prompts = ", "kind = 'poll'\njob = '/id'\nwaits = 1\n# ", "routes[0].waits", "true or false"),
    ],
)
def test_a_bad_shape_names_file_key_and_remedy(
    write_shape: Callable[[str], Path], old: str, new: str, where: str, says: str
) -> None:
    """Each mistake is found when the file is read, and its message leads there."""
    assert old in GOOD
    with pytest.raises(ShapeError) as caught:
        load_shapes(write_shape(GOOD.replace(old, new)))
    error = caught.value
    assert error.where is not None
    assert error.where.endswith(f"odd.toml: {where}")
    assert says in str(error)
    assert error.hint
    assert error.exit_status == 2


def test_a_route_may_have_several_paths(write_shape: Callable[[str], Path]) -> None:
    """Providers of one format who differ in their paths share a route."""
    text = GOOD.replace('path = "/v1/{model}"', 'path = ["/generate", "/{base:path}/generate"]')
    (route, under_a_base) = load_shapes(write_shape(text))["odd"].routes
    assert route.pattern.fullmatch("/generate")
    assert under_a_base.pattern.fullmatch("/v1/beta/generate")
    assert (route.prompts, route.parameters, under_a_base.parameters) == (under_a_base.prompts, 0, 1)
    with pytest.raises(ShapeError, match=r"routes\[0\].path.* there is none"):
        load_shapes(write_shape(GOOD.replace('path = "/v1/{model}"', "path = []")))


def test_those_beside_a_shape_come_along(tmp_path: Path) -> None:
    """Whoever asks for one shape gets those that it needs, and those that they need, each once."""
    for name, beside in (("odd", ["even"]), ("even", ["prime", "odd"]), ("prime", []), ("other", [])):
        text = GOOD.replace("[[routes]]", f"beside = {beside}\n[[routes]]").replace("odd.test", f"{name}.test")
        (tmp_path / f"{name}.toml").write_text(text, "utf-8")
    assert list(with_those_beside(["odd"], load_shapes(tmp_path))) == ["odd", "even", "prime"]


def test_a_name_and_a_host_are_the_first_folder_s(tmp_path: Path) -> None:
    """A project may share another's shapes, replace one of them, answer for one of its hosts, and stand beside them."""
    files = {
        "own/odd": "odd",
        "own/mine": "even",
        "shared/odd": "old",
        "shared/both": "even.test",
        "shared/prime": "prime",
    }
    for name, host in files.items():
        file = tmp_path / f"{name}.toml"
        file.parent.mkdir(exist_ok=True)
        hosts = f'"https://{host}.test"' + (', "https://even.test"' if name == "shared/both" else "")
        beside = 'beside = ["prime"]\n' if name == "own/mine" else ""
        file.write_text(GOOD.replace('"https://odd.test"', hosts).replace("[[routes]]", f"{beside}[[routes]]"), "utf-8")
    shapes = load_shapes(tmp_path / "own", tmp_path / "shared")
    assert {name: list(shape.hosts) for name, shape in shapes.items()} == {
        "mine": ["https://even.test"],
        "odd": ["https://odd.test"],
        "both": ["https://even.test.test"],
        "prime": ["https://prime.test"],
    }
    assert list(with_those_beside(["mine"], shapes)) == ["mine", "prime"]
    Simulator(shapes)


@pytest.mark.parametrize("raw", [b"source = ", b"\xff\xfe", b"source = 'a'\nsource = 'b'"])
def test_a_file_that_is_no_toml_is_named(tmp_path: Path, raw: bytes) -> None:
    """A half-written or foreign file is an error with its name."""
    (tmp_path / "half.toml").write_bytes(raw)
    with pytest.raises(ShapeError, match=r"half\.toml: the shape cannot be read"):
        load_shapes(tmp_path)


def test_a_folder_without_shapes_is_named(tmp_path: Path) -> None:
    """A missing and an empty folder are told apart."""
    with pytest.raises(ShapeError, match="there is no such folder"):
        load_shapes(tmp_path / "nowhere")
    with pytest.raises(ShapeError, match="holds no shapes"):
        load_shapes(tmp_path)


OUTSIDE = "torch=="
"""It is in no lock: a build for processors alone comes from an index of its own."""


@pytest.fixture(params=FAMILIES, ids=lambda file: str(file.parent.name))
def family(request: pytest.FixtureRequest) -> Path:
    """Return the configuration of each family that ships."""
    file: Path = request.param
    return file


def shapes_of(family: Path) -> dict[str, Shape]:
    """Return a family's shapes."""
    return load_shapes(*load_project(family).simulators)


def test_the_shapes_that_ship_are_good_and_sourced(family: Path) -> None:
    """Every shipped shape reads, says where its format was looked up, and can run with the others."""
    shapes = shapes_of(family)
    assert all(len(shape.source) > 20 for shape in shapes.values())
    Simulator(shapes)


def test_every_simulated_adapter_has_its_shape(family: Path) -> None:
    """An adapter names a shape that exists, and no shape is left over by all families that share its folder."""
    sharing = {folder.resolve() for folder in load_project(family).simulators}
    used: set[str] = set()
    for one in (load_project(path) for path in FAMILIES):
        named = {adapter.simulator for adapter in one.adapters if adapter.simulator}
        assert named <= load_shapes(*one.simulators).keys()
        if sharing.intersection(folder.resolve() for folder in one.simulators):
            used |= with_those_beside(sorted(named), load_shapes(*one.simulators)).keys()
    assert shapes_of(family).keys() <= used


def test_every_registered_adapter_was_published(family: Path) -> None:
    """The names are those of the published table, which has six verdicts a row."""
    settings = tomllib.loads(family.read_text("utf-8"))
    if "published" not in settings:
        pytest.skip("what was published of this family is no table of adapters")
    with (family.parent / settings["published"]).open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert {len(row) for row in rows} == {7}
    assert set(settings["adapters"]) <= {row[0] for row in rows[1:]}


def test_no_registration_leads_to_a_simulator_or_holds_a_secret(family: Path) -> None:
    """Addresses are the providers' own, and keys come from the environment."""
    text = family.read_text("utf-8")
    assert "127.0.0.1" not in str(tomllib.loads(text)["adapters"])
    for key in re.findall(r"\w*(?:key|token|KEY|TOKEN)\w* = \"([^\"]*)\"", text):
        # a program's random key, files of a tokenizer, files with placeholders, and a function that makes a key
        assert key.startswith(("${", "{", "tiny_engines/", "homes/")) or re.fullmatch(r"[\w.]+:\w+\(\)", key)


def test_the_locked_environments_are_hashed_and_name_no_index(family: Path) -> None:
    """Every requirement is pinned with a hash; where it is fetched from is the reader's business."""
    locks = sorted((family.parent / "environments").glob("*.lock"))
    assert locks
    for lock in (path.read_text("utf-8") for path in locks):
        pins = re.findall(r"^[\w.-]+==\S+ \\\n    --hash=sha256:[0-9a-f]{64}", lock, re.MULTILINE)
        assert len(pins) == len(re.findall(r"^\w", lock, re.MULTILINE)) > 0
        assert "://" not in lock
        assert "--index" not in lock


def test_replay_needs_no_compiler(family: Path) -> None:
    """The environments that adapters replay in are made of wheels alone; those of engines serve recording only."""
    folder = family.parent / "environments"
    for name in environments_of(family):
        for lock in folder.glob(f"{name}.*lock"):
            assert "--only-binary :all:" in lock.read_text("utf-8")


def test_every_adapter_has_its_locked_environment(family: Path) -> None:
    """The environment that a registration names, or the family's, is locked; what is compiled is what stands there."""
    folder = family.parent / "environments"
    assert environments_of(family) <= {path.stem for path in folder.glob("*.lock")}
    for wanted in folder.glob("*.in"):
        lock = wanted.with_suffix(".lock").read_text("utf-8")
        exact = re.findall(r"^([\w.-]+==\S+)", wanted.read_text("utf-8"), re.MULTILINE)
        assert [pin for pin in exact if f"{pin} " not in lock and not pin.startswith(OUTSIDE)] == []


def environments_of(family: Path) -> set[str]:
    """Return the environments that a family's adapters replay in."""
    settings = tomllib.loads(family.read_text("utf-8"))
    return {adapter.get("environment", settings["environment"]) for adapter in settings["adapters"].values()}
