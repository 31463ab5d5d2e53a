"""The truth that a pipeline is measured against: what its sensors could see."""

from collections.abc import Iterable

import torch

from conegrad_core.cones import TrueCones
from conegrad_core.pipeline.registry import port_type

VISIBILITIES = ("visible_camera", "visible_lidar")


def seen_truth(truth: TrueCones, inputs: Iterable[str]) -> TrueCones:
    """Truth as it counts for a pipeline: a cone that only other sensors could see does not.

    The cones themselves stay, so that what is found at their places counts neither as right nor as
    wrong.

    Args:
        truth: with what every sensor of the car could see.
        inputs: kinds of the inputs of the pipeline. Without one that a sensor measures the truth
            stays as it is.

    Raises:
        PipelineError: for a kind that is not registered.
    """
    seen = {port_type(kind).visibility for kind in inputs} - {""}
    if not seen:
        return truth
    unseen = [field for field in VISIBILITIES if field not in seen]
    return truth._replace(**{f: torch.zeros_like(getattr(truth, f)) for f in unseen})
