"""What can go wrong with recordings that are served, and with the logs of it, one class a cause."""

from __future__ import annotations

from harness.errors import UserError


class EmptyFolderError(UserError):
    """
    Report a folder that holds no cassette.
    """

    code = "empty-folder"


class NothingServableError(UserError):
    """
    Report cassettes of which no recording can be served: none is of HTTP.
    """

    code = "nothing-servable"


class AddressRefusedError(UserError):
    """
    Report an address that the system lets nobody listen at.
    """

    code = "address-refused"


class LogUnwritableError(UserError):
    """
    Report a log that cannot be written.
    """

    code = "log-unwritable"


class LogUnreadableError(UserError):
    """
    Report a log that cannot be read.
    """

    code = "log-unreadable"


class LogLineError(UserError):
    """
    Report a line of a log that is no event, or not a whole one.
    """

    code = "log-line"


class NotOneCallError(UserError):
    """
    Report a program's log that tells of no call, or of several.
    """

    code = "log-not-one-call"


class UnendedCallError(UserError):
    """
    Report a program's log that does not tell how its call ended.
    """

    code = "log-unended-call"


class UnjudgeableCallError(UserError):
    """
    Report a call that cannot be judged from outside of its program.
    """

    code = "call-unjudgeable"
