"""Distance of a frame from the frames of a training, and the distance that raises an alarm."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from sklearn.covariance import LedoitWolf

from conegrad_core.whole_file import write_whole

Floats = npt.NDArray[np.float64]

KIND = "conegrad_domain_monitor"
WINDOW = 10  # frames, of whose distances the median counts
LEAST_FRAMES = 40
RESAMPLES, CONFIDENCE = 500, 0.95  # of the bootstrap of the threshold
PARTS = 4  # of a single drive, each of which is held out once
PARTS_OF_GAUSSIAN = ("centre", "spread", "precision")
FLOOR = 1e-3  # least spread of a statistic


class DomainModel(NamedTuple):
    """Gaussian of the statistics of frames, and the alarm threshold.

    The distance is that of Mahalanobis; its covariance is shrunk (Ledoit & Wolf, A
    well-conditioned estimator for large-dimensional covariance matrices, 2004). The threshold is
    the quantile of the distances of frames that were held out drive by drive, at the upper end of
    its interval over drives, so that it holds for drives that the model has not seen.

    Attributes:
        names: of the D statistics.
        centre: ``(D,)``.
        spread: ``(D,)`` by which they are divided.
        precision: ``(D, D)`` of the divided statistics.
        threshold: of the median distance of :data:`WINDOW` frames.
        false_alarms: share of held-out frames above it.
        drives: number of drives that it was fitted to.
    """

    names: tuple[str, ...]
    centre: Floats
    spread: Floats
    precision: Floats
    threshold: float
    false_alarms: float
    drives: int

    def distances(self, statistics: Floats) -> Floats:
        """``(N,)`` distance of each row of ``(N, D)`` statistics."""
        return _distances(statistics, self.centre, self.spread, self.precision)

    def unusual(self, statistics: Floats, count: int = 3) -> list[str]:
        """Names of the statistics of a frame ``(D,)`` that are farthest from the centre."""
        off = np.abs(statistics - self.centre) / self.spread
        return [self.names[place] for place in np.argsort(-off)[:count]]


def fit_domain(
    drives: Sequence[Floats], names: Sequence[str], false_alarms: float = 0.01
) -> DomainModel:
    """A model of the frames of some drives.

    Args:
        drives: ``(N, D)`` statistics of the frames of each drive, in their order.
        names: of the statistics.
        false_alarms: share of frames of unseen drives that may be above the threshold.

    Raises:
        ValueError: if there are too few frames, or the statistics are not finite.
    """
    if not 0 < false_alarms < 1:
        raise ValueError(f"false_alarms is {false_alarms}, expected a share between 0 and 1")
    frames = sum(map(len, drives))
    if frames < LEAST_FRAMES:
        raise ValueError(f"drives have {frames} frames together, expected {LEAST_FRAMES} or more")
    joined = np.concatenate(drives)
    if not np.isfinite(joined).all():
        raise ValueError("statistics are not finite, expected numbers")
    parts = list(drives) if len(drives) > 1 else np.array_split(drives[0], PARTS)
    held_out = []
    for place, part in enumerate(parts):
        others = np.concatenate([other for k, other in enumerate(parts) if k != place])
        held_out.append(smoothed(_distances(part, *_gaussian(others))))
    threshold = _upper_quantile(held_out, 1.0 - false_alarms)
    above = float((np.concatenate(held_out) > threshold).mean())
    return DomainModel(tuple(names), *_gaussian(joined), threshold, above, len(drives))


def smoothed(distances: Floats) -> Floats:
    """``(N,)`` median of each distance and those of the frames before it, of :data:`WINDOW`."""
    return np.array(
        [np.median(distances[max(0, k + 1 - WINDOW) : k + 1]) for k in range(len(distances))]
    )


def save_domain(models: Mapping[str, DomainModel], path: Path) -> None:
    """Write models by the kind of their port, such as ``Image``.

    Raises:
        OSError: naming the file, if it cannot be written.
    """
    tensors, facts = {}, {}
    for kind, model in models.items():
        for name in PARTS_OF_GAUSSIAN:
            tensors[f"{kind}.{name}"] = torch.from_numpy(getattr(model, name)).contiguous()
        facts[kind] = {
            "names": model.names,
            "threshold": model.threshold,
            "false_alarms": model.false_alarms,
            "drives": model.drives,
        }
    write_whole(path, save(tensors, {"kind": KIND, "models": json.dumps(facts)}))


def load_domain(path: Path) -> dict[str, DomainModel]:
    """Models of a file by the kind of their port.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is of another kind, or damaged.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist, expected a file of conegrad monitor fit")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name).numpy() for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(f"{path} is not a safetensors file ({error})") from error
    if metadata.get("kind") != KIND:
        raise ValueError(f"{path} is of kind {metadata.get('kind')!r}, expected {KIND!r}")
    models = {}
    for kind, facts in json.loads(metadata["models"]).items():
        parts = [tensors.get(f"{kind}.{name}") for name in PARTS_OF_GAUSSIAN]
        found = [part for part in parts if part is not None and np.isfinite(part).all()]
        if len(found) < len(parts):
            raise ValueError(f"{path} holds no finite model of {kind}")
        centre, spread, precision = found
        models[kind] = DomainModel(
            tuple(facts["names"]),
            centre,
            spread,
            precision,
            float(facts["threshold"]),
            float(facts["false_alarms"]),
            int(facts["drives"]),
        )
    return models


def _upper_quantile(drives: Sequence[Floats], share: float) -> float:
    """Quantile of the frames of all drives, as high as it is with other drives of that kind.

    It is the upper end of a bootstrap over drives, since frames of one drive are much alike.
    """
    draws = np.random.default_rng(0).integers(len(drives), size=(RESAMPLES, len(drives)))
    quantiles = [
        np.quantile(np.concatenate([drives[k] for k in row]), share, method="higher")
        for row in draws
    ]
    return float(np.quantile(quantiles, CONFIDENCE, method="higher"))


def _gaussian(statistics: Floats) -> tuple[Floats, Floats, Floats]:
    """Centre, spread and precision; both by quantiles, which single frames do not move."""
    low, centre, high = np.percentile(statistics, [15.9, 50.0, 84.1], axis=0)
    spread = np.maximum((high - low) / 2, FLOOR)
    model = LedoitWolf(assume_centered=True).fit((statistics - centre) / spread)
    return centre, spread, np.asarray(model.precision_, dtype=np.float64)


def _distances(statistics: Floats, centre: Floats, spread: Floats, precision: Floats) -> Floats:
    off = (statistics - centre) / spread
    squares = np.einsum("ij,jk,ik->i", off, precision, off)
    distances: Floats = np.sqrt(np.maximum(squares, 0.0))
    return distances
