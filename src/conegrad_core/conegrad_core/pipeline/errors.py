"""The one error of a pipeline that cannot be read, checked or run."""


class PipelineError(ValueError):
    """A fault of a pipeline; the message names file, line, stage and port where they are known."""
