"""Which distributions an adapter and its requests went through."""

from __future__ import annotations

import importlib
import sys
from importlib import metadata

import pytest

from harness.adapters.distributions import _editables, _everything, _owners, distributions


@pytest.fixture(autouse=True)
def forgotten():
    """
    Forget what was installed, before and after.
    """
    for cached in (_owners, _everything, _editables):
        cached.cache_clear()
    yield
    for cached in (_owners, _everything, _editables):
        cached.cache_clear()


def test_owners_are_named_with_their_versions():
    """
    Also where a distribution has another name than its module, sorted by name.
    """
    found = distributions("yaml.loader", ["httpx", "click", "yaml"])

    assert found == {name: metadata.version(name) for name in ("click", "httpx", "PyYAML")}
    assert list(found) == ["click", "httpx", "PyYAML"]


def test_what_runs_the_adapters_is_left_out():
    """
    The standard library, the harness, vcrpy and pytest are in every stack.
    """
    assert (
        distributions("asyncio.events", ["harness", "vcr", "_pytest", "pytest", "pluggy", "__main__", "", "json"]) == {}
    )


def test_what_is_not_installed_has_no_version():
    """
    A module of the project's own folder belongs to no distribution.
    """
    assert distributions("no_such_module.llms", ["conftest"]) == {}


def test_a_module_found_by_its_name_alone_is_checked(tmp_path, monkeypatch):
    """
    A distribution of the same name that does not hold the module is not its owner.
    """
    info = tmp_path / "specimen_owner-9.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: specimen-owner\nVersion: 9\n")
    (info / "RECORD").write_text("something_else/__init__.py,,\n")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()

    assert distributions("specimen_owner", []) == {}
    assert distributions("something_else", []) == {"specimen-owner": "9"}


def test_all_owners_of_a_namespace_are_named(tmp_path, monkeypatch):
    """
    Nothing tells which part of a namespace a request went through.
    """
    for part in ("one", "two"):
        info = (
            tmp_path / f"specimen_space-{part}-1.dist-info" if part == "" else tmp_path / f"specimen_{part}-1.dist-info"
        )
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: specimen-{part}\nVersion: 1\n")
        (info / "RECORD").write_text(f"specimen_space/{part}.py,,\n")
        (tmp_path / "specimen_space").mkdir(exist_ok=True)
        (tmp_path / "specimen_space" / f"{part}.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    importlib.import_module("specimen_space.one")
    try:
        assert distributions("specimen_space.one", []) == {"specimen-one": "1", "specimen-two": "1"}
    finally:
        del sys.modules["specimen_space"], sys.modules["specimen_space.one"]


def test_an_editable_distribution_owns_what_is_in_its_folder(tmp_path, monkeypatch):
    """
    Its files do not list its modules, but it says which folder it was installed from.
    """
    site, source = tmp_path / "site", tmp_path / "source"
    info = site / "specimen_editable-3.dist-info"
    info.mkdir(parents=True)
    source.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: specimen-editable\nVersion: 3\n")
    (info / "RECORD").write_text("_specimen_editable.pth,,\n")
    (info / "direct_url.json").write_text(f'{{"url": "{source.as_uri()}", "dir_info": {{"editable": true}}}}')
    (source / "specimen_source.py").touch()
    monkeypatch.syspath_prepend(site)
    monkeypatch.syspath_prepend(source)
    importlib.invalidate_caches()
    importlib.import_module("specimen_source")
    try:
        assert distributions("specimen_source", []) == {"specimen-editable": "3"}
    finally:
        del sys.modules["specimen_source"]
