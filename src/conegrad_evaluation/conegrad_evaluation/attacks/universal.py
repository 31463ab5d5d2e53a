"""What all frames of a drive share under a threat, found over its frames."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from conegrad_core.losses import EndLoss
from conegrad_evaluation.attacks.attacked import attacked, shared_parts
from conegrad_evaluation.attacks.threat import Threat
from conegrad_evaluation.samples.sample import Sample
from conegrad_evaluation.system.system import System

ShowPasses = Callable[[Iterable[int], int], Iterable[int]]

BATCH = 4  # frames of a step
FIRST_STEP, LAST_STEP = 0.2, 0.02  # of the radius; steps shorten evenly


def learn_shared_parts(
    system: System,
    read: Callable[[int], Sample],
    frames: Sequence[int],
    threat: Threat,
    criterion: EndLoss,
    *,
    passes: int,
    seed: int = 0,
    shown: ShowPasses = lambda turns, total: turns,
) -> dict[str, Any]:
    """Take steps over the frames of one drive, by the mean end loss of a few frames each.

    Args:
        system: on torch.
        read: the sample of a frame.
        frames: of the drive.
        threat: with an attack that shares something.
        criterion: the end loss.
        passes: over all frames.
        seed: of the random start.
        shown: passes the numbers of passes on and shows how far they are; given their number.

    Returns:
        What they share, by attack.
    """
    shared: dict[str, Any] = {}
    batches = [frames[first : first + BATCH] for first in range(0, len(frames), BATCH)]
    for turn in shown(range(passes), passes):
        share = FIRST_STEP + (LAST_STEP - FIRST_STEP) * turn / max(passes - 1, 1)
        for batch in batches:
            samples = [read(frame) for frame in batch]
            shared = shared or shared_parts(threat, seed, samples[0].key.bag)
            attacked(
                system,
                samples,
                threat,
                criterion,
                steps=1,
                share=share,
                seed=seed + turn,
                shared=shared,
                keeps_best=False,
            )
    return shared
