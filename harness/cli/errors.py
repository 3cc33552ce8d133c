"""What can go wrong between a command line and what is registered, one class a cause."""

from __future__ import annotations

from harness.errors import UserError


class NoAdaptersError(UserError):
    """
    Report that nothing is registered, so that there is nothing to work on.
    """

    code = "no-adapters"


class UnknownCapabilityError(UserError):
    """
    Report a call that is none of the six.
    """

    code = "unknown-capability"


class UnmeasuredCellError(UserError):
    """
    Report a cell that is asked for and that the matrix does not have.
    """

    code = "unmeasured-cell"


class UnattendedError(UserError):
    """
    Report that many requests would be made where nobody can be asked whether they are wanted.
    """

    code = "unattended"


class UpstreamMismatchError(UserError):
    """
    Report a recording from another kind of upstream than the registration says.
    """

    code = "upstream-mismatch"


class NoSimulatorsError(UserError):
    """
    Report a project that names no folder of simulators.
    """

    code = "no-simulators"


class SimulatorUnnamedError(UserError):
    """
    Report an adapter that does not say which simulator answers for its provider.
    """

    code = "simulator-unnamed"


class UnknownSimulatorError(UserError):
    """
    Report a simulator that an adapter names and the project does not have.
    """

    code = "unknown-simulator"
