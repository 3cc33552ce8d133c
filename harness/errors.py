"""What can go wrong, one class a cause: whose fault it is decides the exit status."""

from __future__ import annotations


class HarnessError(Exception):
    """
    Explain a failure: what happened, where, and how to mend it.

    Args:
        message: what is wrong, in one sentence.
        where: the file, key or option at fault, if one is.
        hint: what the reader can do about it.
    """

    code = "error"
    exit_status = 3

    def __init__(self, message: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text}\n  hint: {self.hint}" if self.hint else text


class UserError(HarnessError):
    """
    Report a mistake that the user can mend: usage, configuration, files.
    """

    code = "usage"
    exit_status = 2


class RegistrationError(UserError):
    """
    Report a registration that cannot be used.
    """

    code = "registration"


class CassetteError(UserError):
    """
    Report a cassette that cannot be read, trusted or written.
    """

    code = "cassette"


class ReportError(UserError):
    """
    Report a matrix or a report that cannot be read, merged or written.
    """

    code = "report"


class LibraryMissingError(UserError):
    """
    Report that a library which a part of the harness needs, and which comes with an extra, is not installed.
    """

    code = "library-missing"


class PortTakenError(UserError):
    """
    Report a port that somebody else listens at.
    """

    code = "port-taken"


class IsolationError(HarnessError):
    """
    Report that the processes which run the adapters cannot be had.
    """

    code = "isolation"


def described(error: BaseException) -> str:
    """
    Return an exception's type and message, as `ValueError: too long`; the type alone where it has no message.
    """
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
