"""Errors a user can mend: each says what was expected, what came, and what to do.

The command line prints them as one line and exits with the class's documented code (docs/tour.md lists them).
"""

from __future__ import annotations


class InstructAvatarError(Exception):
    """Base of every error that bad input, a missing file or a full disk can cause. Exit code 9."""

    exit_code = 9


class BadOption(InstructAvatarError):
    """A number, option or configuration value is out of its range or misspelt. Exit code 2."""

    exit_code = 2


class MissingFile(InstructAvatarError):
    """A file, weight or optional package is not there. Exit code 3."""

    exit_code = 3


class BadMedia(InstructAvatarError):
    """A picture, sound or video is empty, corrupt or holds no usable samples. Exit code 4."""

    exit_code = 4


class FaceProblem(InstructAvatarError):
    """No face, several faces without a choice, or one too small or too turned. Exit code 5."""

    exit_code = 5


class BadScript(InstructAvatarError):
    """An instruction's segments are malformed, inverted or overlapping. Exit code 6."""

    exit_code = 6


class CannotWrite(InstructAvatarError):
    """The output folder cannot be written or the disk is full. Exit code 7."""

    exit_code = 7


class BadBundle(InstructAvatarError):
    """A model bundle, store or run is damaged or of another version. Exit code 8."""

    exit_code = 8
