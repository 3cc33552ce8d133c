"""An adapter whose dependency nobody has installed."""

from __future__ import annotations

import no_such_library_in_the_zoo  # type: ignore[import-not-found]  # the point of it
from zoo_adapters.honest import Native


class NeedsMore(Native):
    """
    Would be native if its library were there.
    """

    library = no_such_library_in_the_zoo
