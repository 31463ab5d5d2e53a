"""How much worse an export may be than its original."""

from dataclasses import dataclass

from conegrad_core.settings import Config, setting
from conegrad_evaluation.exported.comparison import EngineComparison


class ExportRefusedError(ValueError):
    """An export loses more than the tolerances allow; names each figure and its tolerance."""


@dataclass(frozen=True)
class Tolerances(Config):
    """Largest losses of an export against its original, on the same frames."""

    f1_colour: float = setting(0.005, "Largest loss of f1_colour", low=0.0, high=1.0)
    recall: float = setting(
        0.01, "Largest loss of recall, of all cones and of each range", low=0.0, high=1.0
    )
    boxes: float = setting(
        0.05, "Largest share of boxes in another place or colour", low=0.0, high=1.0
    )


def faults(found: EngineComparison, tolerances: Tolerances) -> list[str]:
    """Each loss beyond its tolerance, with both figures; empty where the export may be used.

    In a range with few cones one cone is more than the tolerance of the recall: one is allowed.
    """
    before, after = found.original, found.exported
    said = []

    def compare(name: str, old: float, new: float, allowed: float) -> None:
        if old - new > allowed + 1e-9:
            said.append(f"{name} falls from {old:.4f} to {new:.4f}, allowed are {allowed:.4f}")

    compare("f1_colour", before.f1_colour, after.f1_colour, tolerances.f1_colour)
    compare("recall", before.recall, after.recall, tolerances.recall)
    for name, subset in before.range_bins.items():
        if count := subset.counts.true:
            allowed = max(tolerances.recall, 1 / count)
            recall = after.range_bins[name].counts.recall
            compare(f"recall {name}", subset.counts.recall, recall, allowed)
    for port, agreement in found.boxes.items():
        compare(f"share of boxes kept ({port})", 1.0, agreement.share, tolerances.boxes)
    return said


def check(found: EngineComparison, tolerances: Tolerances) -> None:
    """Refuse an export that loses too much.

    Raises:
        ExportRefusedError: naming each figure and its tolerance.
    """
    said = faults(found, tolerances)
    if said:
        raise ExportRefusedError("the export is refused: " + "; ".join(said))
