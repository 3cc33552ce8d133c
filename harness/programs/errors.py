"""What can go wrong with a program beside the adapters, one class a cause."""

from __future__ import annotations

from harness.errors import UserError


class ProgramMissingError(UserError):
    """
    Report a program that cannot be found or run.
    """

    code = "program-missing"


class SocketRefusedError(UserError):
    """
    Report a socket, for cells to reach a program by, that the system lets nobody listen at.
    """

    code = "program-socket-refused"


class ProgramEndedError(UserError):
    """
    Report a program that ended before it was up.
    """

    code = "program-ended"


class ProgramSilentError(UserError):
    """
    Report a program that runs, and does not say that it is up.
    """

    code = "program-silent"


class ProgramDiedError(UserError):
    """
    Report a program that ended in the middle of a call.
    """

    code = "program-died"


class KeyRefusedError(UserError):
    """
    Report a program that does not take the key which its client sent.
    """

    code = "program-key-refused"


class ProgramsUnsupportedError(UserError):
    """
    Report a platform that has not what programs need.
    """

    code = "program-unsupported"
