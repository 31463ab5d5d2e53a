"""Cones, true cones and returns of the LiDAR as rows of a bird's eye view."""

from typing import Any, NamedTuple

import numpy as np
import torch

from conegrad_core.cones import COLOUR_NAMES, Cones, TrueCones
from conegrad_core.geometry.ellipse import ellipse_of
from conegrad_data.decode import (
    cones_from_msg,
    points_from_msg,
    reasons_from_msg,
    scan_from_msg,
    segmentation_from_msg,
    truth_from_msg,
)
from conegrad_nodes.view_server.decoding import decoded
from conegrad_nodes.view_server.feed import FeedMessage

DEVIATIONS = 2.0  # of the ellipses that are shown
MOST_POINTS = 1500  # returns that are sent to a page
PLACES = 3  # decimals of lengths [m]
SOURCES = {1: "camera", 2: "LiDAR", 3: "both"}


class Returns(NamedTuple):
    """Returns of a LiDAR: ``(N, 2)`` positions [m]; ``(N,)`` that look like cones, if known."""

    positions: torch.Tensor
    on_cone: torch.Tensor


def cone_rows(message: FeedMessage) -> dict[str, Any]:
    """Frame, rows and doubts of a conegrad_msgs/ConeArray, the nearest cone first.

    Raises:
        DecodeError: if the message cannot be used.
    """
    msg = decoded(message)
    cones = cones_from_msg(msg)
    order = cones.positions.norm(dim=1).argsort().tolist()
    return {
        "frame": msg.header.frame_id,
        "rows": [_cone(cones, row) for row in order],
        "reasons": [str(reason) for reason in reasons_from_msg(msg)],
    }


def truth_rows(message: FeedMessage) -> dict[str, Any]:
    """Frame and rows ``[x, y, colour]`` of a conegrad_msgs/TruthCones.

    Raises:
        DecodeError: if the message cannot be used.
    """
    msg = decoded(message)
    truth: TrueCones = truth_from_msg(msg)
    places = truth.positions.double().numpy().round(PLACES).tolist()
    names = [COLOUR_NAMES[row] for row in truth.classes.tolist()]
    rows = [[x, y, name] for (x, y), name in zip(places, names, strict=True)]
    return {"frame": msg.header.frame_id, "rows": rows}


def return_rows(message: FeedMessage) -> dict[str, Any]:
    """Frame and rows ``[x, y, on_cone]`` of a scan, a cloud or a segmentation.

    Raises:
        DecodeError: if the message cannot be used.
    """
    msg = decoded(message)
    returns = _returns(message.msgtype, msg)
    stride = max(1, -(-len(returns.positions) // MOST_POINTS))
    positions = returns.positions[::stride].double().numpy().round(PLACES).tolist()
    on_cone = returns.on_cone[::stride].int().tolist()
    rows = [[*place, mark] for place, mark in zip(positions, on_cone, strict=True)]
    return {"frame": msg.header.frame_id, "rows": rows}


def _cone(cones: Cones, row: int) -> dict[str, Any]:
    ellipse = ellipse_of(cones.covariances[row].numpy(), DEVIATIONS)
    x, y = cones.positions[row].double().numpy().round(PLACES).tolist()
    return {
        "x": x,
        "y": y,
        "ellipse": np.round(ellipse, PLACES).tolist(),
        "colour": COLOUR_NAMES[int(cones.colours[row].argmax())],
        "existence": round(float(cones.existence_logits[row].sigmoid()), PLACES),
        "source": SOURCES.get(int(cones.source[row]), "unknown"),
    }


def _returns(msgtype: str, msg: Any) -> Returns:
    if msgtype.endswith("/PointCloud2"):
        positions = points_from_msg(msg).points[:, :2]
        return Returns(positions, torch.zeros(len(positions), dtype=torch.bool))
    if msgtype.endswith("/ScanSegmentation"):
        segmented = segmentation_from_msg(msg)
        ranges, angles, on_cone = segmented.ranges, segmented.angles, segmented.logits > 0
    else:
        scan = scan_from_msg(msg)
        ranges, angles = scan.ranges, scan.angles
        on_cone = torch.zeros(len(ranges), dtype=torch.bool)
    positions = torch.stack([ranges * angles.cos(), ranges * angles.sin()], dim=1)
    usable = ranges.isfinite()
    return Returns(positions[usable], on_cone[usable])
