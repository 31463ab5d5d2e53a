"""Errors of recordings, training and alignment."""


class ReplayError(ValueError):
    """A bag cannot be learned from; names the bag, what it lacks and what to do."""


class TrainingError(RuntimeError):
    """A step was refused; names the bag, the frame and the term. The weights stay as they were."""


class AlignmentError(ValueError):
    """A map does not fit a drive; gives distances and shares, and what was expected."""
