"""Inputs of the scan network: each beam's surroundings, sampled at fixed metric distances.

A cone is as wide in metres at any range and with any angular step, but not in beams. So every
beam looks at its neighbours at fixed distances *across* its ray, not at fixed beam offsets.
"""

import math

import torch
from torch import Tensor

OFFSETS = (0.04, 0.08, 0.12, 0.18, 0.26, 0.38, 0.6, 1.0)  # [m] across the ray, to either side
NEAR_BEAMS = (1, 2)  # beam offsets that are looked at whatever their distance
DEPTH_SCALES = (0.08, 0.8)  # [m], range differences are read on a fine and a coarse scale
CONE_WIDTH = 0.15  # [m], of the body at the height of a planar LiDAR
BASE_CHANNELS = 4
CHANNELS = BASE_CHANNELS + 2 * (len(OFFSETS) + len(NEAR_BEAMS)) * (len(DEPTH_SCALES) + 1)


def beam_features(ranges: Tensor, angle_step: Tensor) -> Tensor:
    """Describe each beam and its surroundings by bounded numbers.

    Args:
        ranges: ``(B, N)`` [m]; NaN, inf, 0 and negative values mean no return.
        angle_step: ``()`` or ``(B, 1)`` angle between two beams [rad].

    Returns:
        ``(B, CHANNELS, N)``; every channel but the first is 0 for beams without return.
    """
    valid = torch.isfinite(ranges) & (ranges > 0)
    known = torch.where(valid, ranges, torch.ones_like(ranges))
    mask = valid.to(ranges.dtype)
    pitch = known * angle_step  # [m] between neighbouring beams at this range
    width = (CONE_WIDTH / pitch.clamp(min=1e-6)).log()
    base = [mask, mask * (known.log() / 3.0), mask / (1.0 + known), mask * width / 3.0]
    shifts = torch.cat([_metric_shifts(pitch), _fixed_shifts(pitch)], dim=1)  # (B, S, N)
    around, there = _look_around(known, mask, shifts, angle_step)
    there = there * mask[:, None]
    depth = (around - known[:, None]) * there
    scaled = [torch.tanh(depth / scale) for scale in DEPTH_SCALES]
    return torch.cat([torch.stack(base, dim=1), there, *scaled], dim=1)


def covers_full_turn(beams: int, angle_step: float) -> bool:
    """Whether the last beam is the neighbour of the first."""
    return beams * angle_step > 2 * math.pi - 0.5 * angle_step


def _metric_shifts(pitch: Tensor) -> Tensor:
    offsets = torch.tensor(OFFSETS, dtype=pitch.dtype, device=pitch.device)[:, None]
    beams = torch.round(offsets / pitch.detach()[:, None]).long()
    return torch.cat([-beams, beams], dim=1)


def _fixed_shifts(pitch: Tensor) -> Tensor:
    near = torch.tensor(NEAR_BEAMS, device=pitch.device)[:, None]
    return torch.cat([-near, near]).expand(pitch.shape[0], -1, pitch.shape[1])


def _look_around(
    known: Tensor, mask: Tensor, shifts: Tensor, angle_step: Tensor
) -> tuple[Tensor, Tensor]:
    """Ranges and validity ``(B, S, N)`` of the beams at ``shifts``; wraps on a full turn."""
    beams = known.shape[-1]
    index = torch.arange(beams, device=known.device) + shifts
    inside = (index >= 0) & (index < beams)
    wraps = (beams * angle_step > 2 * math.pi - 0.5 * angle_step).reshape(-1, 1, 1)
    inside = inside | (wraps & (index.abs() < 2 * beams))
    index = index.remainder(beams)
    flat = index.flatten(1)
    there = mask.gather(1, flat).view_as(index) * inside.to(mask.dtype)
    return known.gather(1, flat).view_as(index), there
