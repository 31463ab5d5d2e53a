"""Whether the odometry of a bag gives the place of the base of the car."""

from collections.abc import Iterator

from conegrad_data.calibration.calibration_source import CalibrationConfig, CalibrationSource
from conegrad_data.decode import DecodeError
from conegrad_data.recording.bag_readiness import BagFinding, Candidate
from conegrad_data.recording.base_odometry import BaseOdometry, OdometryError
from conegrad_data.status.part_status import Level
from conegrad_nodes.parameters.chosen_parameters import settings


def check_odometry(candidate: Candidate) -> Iterator[BagFinding]:
    """Odometry of a body whose place on the car is not known, or in changing frames."""
    messages = candidate.messages("odom")
    if not messages or candidate.is_shared:
        return
    reported: list[str] = []
    config = settings(CalibrationConfig, candidate.parameters, "calibration")
    source = CalibrationSource(config)
    odometry = BaseOdometry(source.base_from, config.base_frame, reported.append)
    topic = candidate.roles["odom"]
    for msg in messages:
        try:
            odometry.pose(msg)
        except OdometryError as error:
            text = f"{candidate.bag.path}: the odometry on {topic} cannot be used: {error}"
            remedy = "motion is not compensated, and a map of the track cannot be the truth"
            yield BagFinding(Level.WARN, text, remedy)
            return
        except DecodeError:  # of one message; check_decoding reports it
            continue
    level = Level.WARN if odometry.is_assumed else Level.OK
    yield from (BagFinding(level, text) for text in reported)
