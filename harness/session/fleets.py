"""The processes of a run, started before the rest of it is imported: the fork server takes a second to come up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.isolation.hosts import Fleet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.adapters.project import Project
    from harness.session.settings import Settings


def fleet_for(project: Project, settings: Settings, adapters: int | None = None, also: Sequence[str] = ()) -> Fleet:
    """
    Return the fleet that runs a project's adapters; entering it starts its fork server.

    Args:
        project: what to preload, with which environment.
        settings: how many processes run side by side, and whether they are forked.
        adapters: how many are to be measured, as far as that is known.
        also: modules of the harness's own that cells need, preloaded as well.
    """
    # what others of the family need costs a lone adapter more than it saves: sqlalchemy alone 0.2 s
    preload = () if adapters == 1 else (*project.preload, *also)
    return Fleet(
        preload=preload, env=project.expanded_env(), jobs=settings.workers, hosts=adapters, spawn=settings.spawn
    )
