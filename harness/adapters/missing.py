"""Missing dependencies: what an adapter needs and the environment lacks, and which distribution to install."""

from __future__ import annotations

import re
import sys
from contextlib import suppress
from importlib import metadata
from typing import TYPE_CHECKING, Final

from harness.adapters.distributions import normalized
from harness.errors import RegistrationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.adapters.adapter import Adapter

# Modules whose distribution has another name; installed metadata cannot tell what is not installed.
_ALIASES: Final = {
    "OpenSSL": "pyOpenSSL",
    "PIL": "Pillow",
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "docx": "python-docx",
    "dotenv": "python-dotenv",
    "fitz": "PyMuPDF",
    "google.auth": "google-auth",
    "google.cloud.aiplatform": "google-cloud-aiplatform",
    "google.genai": "google-genai",
    "google.generativeai": "google-generativeai",
    "google.protobuf": "protobuf",
    "grpc": "grpcio",
    "jwt": "PyJWT",
    "llama_cpp": "llama-cpp-python",
    "octoai": "octoai-sdk",
    "pkg_resources": "setuptools",
    "sklearn": "scikit-learn",
    "vertexai": "google-cloud-aiplatform",
    "websocket": "websocket-client",
    "yaml": "PyYAML",
}
_REQUIREMENT: Final = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^]]*\])?\s*\(?([^;)]*)\)?")
_ADVICE: Final = re.compile(r"pip3? install (?:-\S+ )*['\"`]?([A-Za-z0-9][A-Za-z0-9._-]*)")
_SHARED: Final = frozenset({"azure", "google"})
_LONGEST_CHAIN: Final = 20


class MissingDependency(RegistrationError):  # noqa: N818 - the name that the rest of the harness knows it by
    """
    Report that the environment lacks a module that an adapter needs, which says nothing about the adapter.

    Args:
        module: the module that is missing.
        distribution: what to install to have it.
    """

    code = "missing-dependency"

    def __init__(
        self,
        message: str,
        *,
        module: str = "",
        distribution: str = "",
        where: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, where=where, hint=hint)
        self.module = module
        self.distribution = distribution

    @property
    def told(self) -> str:
        """
        Return what is missing and what to do about it, as one sentence.
        """
        return f"{self.message}; {self.hint}" if self.hint else self.message


def missing_dependency(error: BaseException, adapter: Adapter) -> MissingDependency | None:
    """
    Return what is missing if an adapter's error comes down to a module that is not installed.

    Adapters often import late and say in words of their own what to install, so the errors that led to this one are
    read too: those of any ImportError, and of another error that names the module.
    """
    advice = _advice(error)
    for cause in _causes(error):
        if not isinstance(cause, ModuleNotFoundError) or not cause.name or _is_own(cause.name, adapter.target):
            continue
        if cause.name.partition(".")[0] in sys.stdlib_module_names:
            continue
        if isinstance(error, ImportError) or _names(_said(error), cause.name):
            return _missing(cause.name, adapter, advice)
    if isinstance(error, ImportError) and advice and not _installed(advice):
        return _missing(error.name or advice.replace("-", "_"), adapter, advice)
    return None


def _advice(error: BaseException) -> str | None:
    found = (_ADVICE.search(_said(cause)) for cause in _causes(error))
    return next((advice[1] for advice in found if advice), None)


def _said(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - an exception class of anybody's
        return ""


def _causes(error: BaseException) -> Iterator[BaseException]:
    # pydantic (1: raw_errors, 2: errors) keeps what a validator raised beside the chain, not in it.
    waiting: list[BaseException | None] = [error]
    seen: list[BaseException] = []
    while waiting and len(seen) < _LONGEST_CHAIN:
        one = waiting.pop(0)
        if one is None or any(one is other for other in seen):
            continue
        seen.append(one)
        yield one
        waiting += [one.__cause__, one.__context__, *_validated(one)]


def _validated(error: BaseException) -> list[BaseException]:
    found: list[object] = [getattr(raw, "exc", None) for raw in getattr(error, "raw_errors", ())]
    details = getattr(error, "errors", None)
    if callable(details):
        with suppress(Exception):  # any exception class may have an attribute of this name
            found += [detail.get("ctx", {}).get("error") for detail in details()]
    return [item for item in found if isinstance(item, BaseException)]


def _is_own(module: str, target: str) -> bool:
    # A namespace package (google) has many owners, so only the target's own modules are its own there.
    own, top = target.partition(":")[0], target.partition(":")[0].partition(".")[0]
    if own == module or own.startswith(f"{module}."):
        return True
    package = sys.modules.get(top)
    is_namespace = package is not None and getattr(package, "__file__", None) is None
    return not is_namespace and module.partition(".")[0] == top


def _names(message: str, module: str) -> bool:
    return normalized(module.partition(".")[0]) in normalized(message)


def _installed(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except (metadata.PackageNotFoundError, ValueError):
        return None


def _missing(module: str, adapter: Adapter, advice: str | None) -> MissingDependency:
    name = distribution_for(module, adapter.target, advice)
    version = _installed(re.split(r"[<>=!~]", name)[0])
    if not name:
        hint = f"many distributions bring a part of {module!r}: the adapter's documentation says which it needs"
    elif version is None:
        hint = f"install it beside the adapter: pip install '{name}'"
    else:
        hint = f"{name} {version} is installed but lacks this module: another version of it is needed"
    message = f"needs the module {module!r}, which this environment lacks"
    return MissingDependency(message, module=module, distribution=name, where=adapter.place, hint=hint)


def distribution_for(module: str, target: str = "", advice: str | None = None) -> str:
    """
    Return the distribution that most likely brings a module, as pip takes it.

    Args:
        module: the module that is missing.
        target: whose own distribution is asked what it requires, which also gives the version range.
        advice: the distribution that the adapter itself says to install.

    Without advice it is a well-known name that differs from the module's, or the module's own; nothing for a namespace
    that many share, where a guess could install a stranger.
    """
    parts = module.split(".")
    dotted = [".".join(parts[:count]) for count in range(len(parts), 0, -1)]
    likely = advice or next((_ALIASES[name] for name in dotted if name in _ALIASES), None)
    wanted = normalized(likely or parts[0])
    required = _requirements(target.partition(":")[0].partition(".")[0])
    for name in (wanted, f"{wanted}-sdk", f"{wanted}-client", f"{wanted}-python", f"python-{wanted}"):
        if name in required:
            return required[name]
    return likely or ("" if parts[0] in _SHARED else parts[0].replace("_", "-"))


def _requirements(package: str) -> dict[str, str]:
    try:
        lines = metadata.requires(package) or []
    except (metadata.PackageNotFoundError, ValueError):
        return {}
    found: dict[str, str] = {}
    for line in lines:
        parsed = _REQUIREMENT.match(line)
        if parsed:
            found.setdefault(normalized(parsed[1]), parsed[1] + parsed[2].replace(" ", ""))
    return found
