"""The errors that a user can meet.

    OrgmonError                     could not be done (exit code 1)
    ├── UsageError                  the command line is wrong (exit code 2)
    ├── ConfigError                 accounts.yaml cannot be used; carries every problem of the file
    ├── DetectionError              a Sigma rule cannot be compiled; carries where and why
    ├── PatternError                an AWS pattern is not valid in its language
    ├── TemplateError               a template breaks a limit or a rule of CloudFormation
    ├── MissingExtraError           an optional dependency is not installed
    ├── AwsError                    an AWS call failed; says account, Region and API call
    │   └── NotFoundError           the thing asked for does not exist
    ├── StalePlanError              the world moved otherwise than by the saved plan
    └── DeploymentError             operations ended, and something is not as planned

Every message says what is wrong and what to do next. Only ``orgmon.cli`` turns an error into an exit code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong in a file. Line and column count from 1; 0 means the whole file."""

    file: str
    line: int
    column: int
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.what}; {self.remedy}"


class OrgmonError(Exception):
    """Could not be done. ``remedy`` says what to do about it and may be empty."""

    exit_code = 1

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.what}\n{self.remedy}" if self.remedy else self.what


class UsageError(OrgmonError):
    """The command line asks for something that does not exist or cannot be combined."""

    exit_code = 2


class ConfigError(OrgmonError):
    """accounts.yaml cannot be used. ``problems`` holds every problem of the file, in order."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class DetectionError(OrgmonError):
    """A detection cannot be read or compiled. ``problems`` says what and where; no file where it is about several.

    ``line`` counts from 1.
    """

    def __init__(self, what: str, remedy: str = "", *, file: str = "", line: int = 0) -> None:
        super().__init__(f"{file}:{line}: {what}" if line else what, remedy)
        self.problems: tuple[Problem, ...] = (Problem(file, line, 1 if line else 0, what, remedy),)

    @classmethod
    def of(cls, errors: Sequence[DetectionError]) -> DetectionError:
        """Several errors as one, so that all are told at once; a single one stays as it is."""
        if len(errors) == 1:
            return errors[0]
        whole = cls("\n".join(str(error) for error in errors))
        whole.problems = tuple(problem for error in errors for problem in error.problems)
        return whole


class PatternError(OrgmonError):
    """A text is not a pattern of CloudWatch Logs or EventBridge."""


class TemplateError(OrgmonError):
    """A template is over a limit of CloudFormation or breaks one of its rules."""


class MissingExtraError(OrgmonError):
    """A command needs an optional part of orgmon that is not installed."""

    def __init__(self, extra: str) -> None:
        super().__init__(f"this command needs the extra '{extra}'", f"run: pip install 'orgmon[{extra}]'")


class AwsError(OrgmonError):
    """An AWS call failed.

    ``operation`` is the API call and ``of`` what it is about, ``code`` AWS's error code; ``account`` and ``region``
    say where.
    """

    def __init__(
        self,
        operation: str,
        code: str,
        message: str,
        *,
        account: str = "",
        region: str = "",
        remedy: str = "",
        of: str = "",
    ) -> None:
        place = " in ".join(part for part in (account and f"account {account}", region) if part)
        call = f"{operation} of {of}" if of else operation
        super().__init__(f"{call} failed{f' ({place})' if place else ''}: {code}: {message}", remedy)
        self.operation, self.of, self.code, self.message = operation, of, code, message
        self.account, self.region = account, region


class NotFoundError(AwsError):
    """The thing that the call names does not exist."""


class StalePlanError(OrgmonError):
    """A saved plan no longer fits the world."""


class DeploymentError(OrgmonError):
    """Operations ended, and something is not as planned."""
