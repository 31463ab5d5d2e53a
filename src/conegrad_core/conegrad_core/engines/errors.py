"""The error of an engine that cannot do what it is asked for."""


class EngineError(RuntimeError):
    """An engine cannot run here; the message says what it needs."""
