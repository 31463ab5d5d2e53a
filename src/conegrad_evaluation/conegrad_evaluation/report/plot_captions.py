"""What each plot of the report shows, and what follows from its figures."""

from conegrad_evaluation.metrics.evaluator import Evaluation
from conegrad_evaluation.metrics.table import number


def plot_captions(evaluation: Evaluation) -> dict[str, str]:
    """Caption of each plot by its name."""
    consistency = evaluation.consistency
    return {
        "detection outcome": (
            "Share of the truth in each 2 m of range; above: number of true cones."
        ),
        "precision and recall": (
            f"AP {number(evaluation.curve_colour.average_precision)} where a wrong colour is an "
            f"error, {number(evaluation.curve.average_precision)} where colour is ignored."
        ),
        "position error": (
            "A dot per matched cone. Along the ray: positive is too far away; across: positive "
            "is too far left."
        ),
        "colours": colour_sentence(evaluation),
        "existence": (
            f"ECE {number(evaluation.reliability.ece)}. Above the dashed line more cones are real "
            "than their existence says, below it fewer."
        ),
        "covariance": (
            f"Mean NEES {number(consistency.mean, 2)}; 2 is expected, more means that the "
            f"covariances state too little error. The 95 % ellipse contains "
            f"{100 * consistency.inside_95:.0f} % of the errors."
        ),
        "error regions": (
            "The dashed lines are what the regions should hold; the bars are confidence intervals."
        ),
        "score over time": "In each second of the drive, at the operating point.",
        "latency": "p95 is exceeded by 5 % of the frames, p99 by 1 %.",
    }


def colour_sentence(evaluation: Evaluation) -> str:
    """How the matrix of colours adds up to the cones that count as right."""
    counts = evaluation.total.counts
    diagonal = sum(row[index] for index, row in enumerate(evaluation.confusion))
    unseen = sum(evaluation.confusion_unseen)
    plain = counts.right - diagonal - unseen
    parts = [f"{diagonal} on the diagonal"]
    if unseen:
        parts.append(f"{unseen} without a colour that no camera could see")
    if plain:
        parts.append(f"{plain} of a truth without a colour, not in the matrix")
    return (
        f"Framed cells are right: {', '.join(parts)}; together {counts.right} of the "
        f"{counts.matched} matched cones, as F1 with colour counts them."
    )
