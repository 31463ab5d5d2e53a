"""A recorded system as a model of MLflow: flavour ``conegrad`` and, to be served, ``pyfunc``.

``mlflow models serve -m models:/car@champion --env-manager local`` takes rows with an ``image`` (a
PNG or JPEG file in base64), ``ranges`` of a scan with ``angle_min`` and ``angle_increment``, or
both, and gives the cones of each row.
"""

import base64
import binascii
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from conegrad_core.camera.image import RgbImage
from conegrad_core.cones import COLOUR_NAMES
from conegrad_core.geometry.calibration import Calibration
from conegrad_core.lidar.scan import Scan
from conegrad_core.perception import Perception
from conegrad_core.system_record.record import SystemRecord
from conegrad_core.vehicle import load_vehicle

FLAVOUR, RECORD = "conegrad", "record"
VEHICLE = "vehicle"  # parameter of a request


def write_model(record: SystemRecord, folder: Path) -> None:
    """Write the ``MLmodel`` file of a record, which lies in the folder ``record`` beside it."""
    from mlflow.models import Model, ModelSignature
    from mlflow.pyfunc import add_to_model
    from mlflow.types.schema import Array, ColSpec, DataType, ParamSchema, ParamSpec, Schema

    inputs = Schema(
        [
            ColSpec(DataType.string, "image", required=False),
            ColSpec(Array(DataType.double), "ranges", required=False),
            ColSpec(DataType.double, "angle_min", required=False),
            ColSpec(DataType.double, "angle_increment", required=False),
        ]
    )
    parameters = ParamSchema([ParamSpec(VEHICLE, DataType.string, "")])
    model = Model(signature=ModelSignature(inputs=inputs, params=parameters))
    add_to_model(model, loader_module=__name__, data=RECORD)  # type: ignore[no-untyped-call]
    model.add_flavor(FLAVOUR, record=RECORD, record_id=record.id, system=record.name)
    model.save(str(folder / "MLmodel"))


def _load_pyfunc(path: str) -> "ServedSystem":
    """What MLflow calls to load the flavour ``pyfunc``."""
    return ServedSystem(SystemRecord(Path(path)))


class ServedSystem:
    """A recorded system that answers rows."""

    def __init__(self, record: SystemRecord) -> None:
        pipeline = record.pipeline()
        pipeline.accelerate()
        self._perceive, self._calibration = Perception(pipeline), record.calibration

    def predict(
        self, rows: Any, params: Mapping[str, Any] | None = None
    ) -> list[list[dict[str, Any]]]:
        """The cones of each row, most certain first.

        Args:
            rows: a table of pandas, or mappings, with the columns of the signature.
            params: ``vehicle``: preset whose calibration replaces that of the record.

        Raises:
            ValueError: naming the column, or if no calibration is known.
        """
        calibration = self._car((params or {}).get(VEHICLE, ""))
        listed = rows.to_dict("records") if hasattr(rows, "to_dict") else list(rows)
        return [self._cones(row, calibration) for row in listed]

    def _car(self, vehicle: str) -> Calibration:
        if vehicle:
            return load_vehicle(vehicle).calibration()
        if self._calibration is None:
            raise ValueError(
                f"the record holds no calibration, expected the parameter {VEHICLE!r} of the "
                "request: a preset such as formula_student"
            )
        return self._calibration

    def _cones(self, row: Mapping[str, Any], calibration: Calibration) -> list[dict[str, Any]]:
        cones = self._perceive(_image(row), _scan(row), calibration)
        columns = zip(
            cones.positions.tolist(),
            cones.colours.argmax(dim=-1).tolist(),
            cones.existence_logits.sigmoid().tolist(),
            strict=True,
        )
        return [
            {"x": x, "y": y, "colour": COLOUR_NAMES[colour], "existence": existence}
            for (x, y), colour, existence in columns
        ]


def _image(row: Mapping[str, Any]) -> RgbImage | None:
    encoded = row.get("image")
    if not isinstance(encoded, str) or not encoded:
        return None
    try:
        content = np.frombuffer(base64.b64decode(encoded, validate=True), dtype=np.uint8)
    except binascii.Error as error:
        raise ValueError(f"the column 'image' is not base64: {error}") from error
    decoded = cv2.imdecode(content, cv2.IMREAD_COLOR) if len(content) else None
    if decoded is None:
        raise ValueError("the column 'image' is not a PNG or JPEG file in base64")
    return np.ascontiguousarray(decoded[..., ::-1])


def _scan(row: Mapping[str, Any]) -> Scan | None:
    ranges = row.get("ranges")
    if not isinstance(ranges, (Sequence, np.ndarray)) or not len(ranges):
        return None
    first, step = (_number(row.get(name)) for name in ("angle_min", "angle_increment"))
    if first is None or step is None:
        raise ValueError(
            f"the columns 'angle_min' and 'angle_increment' are {first} and {step}, expected the "
            "angles of 'ranges' [rad]"
        )
    values = torch.tensor([float(value) for value in ranges])
    return Scan(values, first + step * torch.arange(len(values)))


def _number(value: Any) -> float | None:
    """A number of a table, in which NaN stands for a value that is missing."""
    is_number = isinstance(value, (int, float)) and not math.isnan(value)
    return float(value) if is_number else None
