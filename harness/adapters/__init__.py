"""Who is tested: registrations, the files and packages they stand in, and the instances that are made of them."""

from __future__ import annotations

from harness.adapters.adapter import Adapter
from harness.adapters.build import apply_env, build, check_target, expanded_env, load_target
from harness.adapters.claims import load_claims
from harness.adapters.configuration import ConfigurationError
from harness.adapters.distributions import distributions
from harness.adapters.missing import MissingDependency, missing_dependency
from harness.adapters.project import Project, load_project
from harness.adapters.published import load_published
from harness.adapters.reflect import reflected
from harness.adapters.registry import AmbiguousNameError, Registry, UnknownNameError, find_adapters, flatten
from harness.adapters.variables import expand

__all__ = [
    "Adapter",
    "AmbiguousNameError",
    "ConfigurationError",
    "MissingDependency",
    "Project",
    "Registry",
    "UnknownNameError",
    "apply_env",
    "build",
    "check_target",
    "distributions",
    "expand",
    "expanded_env",
    "find_adapters",
    "flatten",
    "load_claims",
    "load_project",
    "load_published",
    "load_target",
    "missing_dependency",
    "reflected",
]
