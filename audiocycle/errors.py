"""Errors that a user can cause. Each message is one line that names the file (or option) and the remedy."""


class AudioCycleError(Exception):
    """Base of every error that a user can cause and mend; the command line prints it without a traceback."""


class InputError(AudioCycleError):
    """A file cannot be used: unreadable, not audio, empty, broken numbers."""


class DataError(AudioCycleError):
    """A data folder cannot be used for training: missing, too little material."""


class ConfigError(AudioCycleError):
    """An option has an unknown or impossible value."""


class DomainError(AudioCycleError):
    """A speaker or genre is unknown to the model, or the source is ambiguous."""


class BundleError(AudioCycleError):
    """A bundle is missing, damaged, or from a newer version."""


class OutputError(AudioCycleError):
    """An output cannot be written: exists, no space, no permission."""


class TrainingError(AudioCycleError):
    """Training stopped: a loss became NaN, or a checkpoint does not fit."""
