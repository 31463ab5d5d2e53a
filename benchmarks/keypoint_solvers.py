"""Positions of cones from keypoints: our solver against libraries, accuracy and time.

``python benchmarks/keypoint_solvers.py [--count 40] [--frames 20]`` projects cones at 4 to 14 m
into the camera of ``formula_student``, adds noise to the keypoints, and tilts the car. It runs what
is installed: OpenCV is; kornia and pypose need an environment beside. Times are those of the
process on one thread, for all cones of a frame.
"""

import argparse
import importlib
import importlib.util
import math
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from conegrad_core.camera.image import Detections
from conegrad_core.cones import ConeClass
from conegrad_core.geometry.calibration import Calibration
from conegrad_core.geometry.camera import project, undistort_pixels
from conegrad_core.geometry.transforms import mounting_matrix, rigid_inverse, transform_points
from conegrad_core.keypoints.cone_model import BOTTOM_RADII, HEIGHTS, TOP_RADII, keypoint_places
from conegrad_core.keypoints.keypoints import Keypoints
from conegrad_core.keypoints.solver import solve_positions
from conegrad_core.keypoints.solver_scalars import SolverScalars
from conegrad_core.keypoints.traced_solver import TracedSolver
from conegrad_core.vehicle import load_vehicle

KIND = ConeClass.BLUE
CALIBRATION = load_vehicle("formula_student").calibration()
EYE = rigid_inverse(CALIBRATION.camera_from_lidar)[:3, 3]
LM_STEPS = 6

Solver = Callable[[Keypoints], Tensor]  # to positions (K, 2) [m]


def places_of(truth: Tensor, calibration: Calibration = CALIBRATION) -> Tensor:
    """Keypoints ``(K, 7, 3)`` of cones in the LiDAR frame."""
    sizes = (truth.new_full((len(truth),), t[KIND]) for t in (HEIGHTS, BOTTOM_RADII, TOP_RADII))
    places = keypoint_places(truth, *sizes, EYE[:2].to(truth))
    return places + places.new_tensor([0.0, 0.0, calibration.ground_z])


def frame(count: int, noise: float, tilt: float, generator: torch.Generator) -> tuple:
    """True positions and noisy keypoints."""
    x = 4 + 10 * torch.rand(count, generator=generator)
    truth = torch.stack([x, 0.6 * x * (torch.rand(count, generator=generator) - 0.5)], dim=-1)
    roll, pitch = (tilt * torch.randn(2, generator=generator)).tolist()
    dip = mounting_matrix(torch.zeros(3), roll, pitch, 0.0)
    seen_from = CALIBRATION.camera_from_lidar @ rigid_inverse(dip)
    pixels, _ = project(places_of(truth).reshape(-1, 3), seen_from, CALIBRATION.camera)
    pixels = pixels.reshape(-1, 7, 2)
    pixels = pixels + noise * torch.randn(pixels.shape, generator=generator)
    return truth, Keypoints(pixels, torch.full((count, 7), math.log(noise)))


def detections_of(keypoints: Keypoints) -> Detections:
    """Boxes of one sure class."""
    pixels = keypoints.positions
    logits = torch.full((len(pixels), 4), -6.0)
    logits[:, KIND] = 4.0
    return Detections(torch.cat([pixels.amin(1), pixels.amax(1)], dim=-1), logits)


def scalars() -> SolverScalars:
    """Those that ship, for keypoints that are drawn where they are."""
    values = SolverScalars()
    values.set_values({"seen_height": 1.0, "seen_width": 1.0})
    return values


def own(keypoints: Keypoints) -> Tensor:
    """Our solver, operation by operation."""
    with torch.no_grad():
        found = solve_positions(keypoints, detections_of(keypoints), CALIBRATION, scalars()())
    return found.positions


def own_recorded() -> Solver:
    """Our solver as the car runs it."""
    traced = TracedSolver(scalars())
    return lambda keypoints: traced(keypoints, detections_of(keypoints), CALIBRATION).positions


def opencv(flag: str) -> Solver:
    """A solver of OpenCV, cone by cone, of the flat silhouette."""
    cv2 = importlib.import_module("cv2")
    places = places_of(EYE[None, :2] + torch.tensor([[5.0, 0.0]]))[0]
    model = (places - places.mean(0))[:, [1, 2, 0]].numpy().astype(np.float64)
    model[:, 2] = 0.0
    foot = float(places[:, 2].mean()) - CALIBRATION.ground_z

    def solve(keypoints: Keypoints) -> Tensor:
        rays = undistort_pixels(keypoints.positions, CALIBRATION.camera).numpy().astype(np.float64)
        found = []
        for points in rays:
            _, _, shift = cv2.solvePnP(
                model, points, np.eye(3), None, flags=getattr(cv2, f"SOLVEPNP_{flag}")
            )
            found.append(shift[:, 0])
        lidar_from_camera = rigid_inverse(CALIBRATION.camera_from_lidar)
        centres = torch.from_numpy(np.array(found)).float()
        assert foot > 0
        return transform_points(lidar_from_camera, centres)[:, :2]

    return solve


def kornia_dlt(keypoints: Keypoints) -> Tensor:
    """kornia.geometry.solve_pnp_dlt, which wants points that are not in one plane."""
    kornia = importlib.import_module("kornia")
    rays = undistort_pixels(keypoints.positions, CALIBRATION.camera).double()
    places = places_of(EYE[None, :2] + torch.tensor([[5.0, 0.0]])).double()
    model = (places - places.mean(1, keepdim=True))[..., [1, 2, 0]].repeat(len(rays), 1, 1)
    model[..., 2] += 1e-3 * torch.randn(7, generator=torch.Generator().manual_seed(0))
    unit = torch.eye(3, dtype=torch.float64).repeat(len(rays), 1, 1)
    pose = kornia.geometry.solve_pnp_dlt(model, rays, unit, svd_eps=1e-12)
    lidar_from_camera = rigid_inverse(CALIBRATION.camera_from_lidar).double()
    return transform_points(lidar_from_camera, pose[:, :, 3])[:, :2].float()


def pypose_lm(keypoints: Keypoints) -> Tensor:
    """Levenberg-Marquardt of pypose on positions on flat ground: no tilt, no covariance."""
    pypose = importlib.import_module("pypose")

    class Reprojection(torch.nn.Module):
        def __init__(self, start: Tensor) -> None:
            super().__init__()
            self.positions = torch.nn.Parameter(start)

        def forward(self, pixels: Tensor) -> Tensor:
            places = places_of(self.positions).reshape(-1, 3)
            found, _ = project(places, CALIBRATION.camera_from_lidar, CALIBRATION.camera)
            return found.reshape(pixels.shape) - pixels

    module = Reprojection(own_start(keypoints))
    optimizer = pypose.optim.LM(module)
    for _ in range(LM_STEPS):
        optimizer.step(input=(keypoints.positions,))
    return module.positions.detach()


def own_start(keypoints: Keypoints) -> Tensor:
    """Range by the height in the image, bearing by the tip."""
    rays = undistort_pixels(keypoints.positions, CALIBRATION.camera)
    height = rays[:, 5:, 1].mean(1) - rays[:, 0, 1]
    depth = 0.9 * HEIGHTS[KIND] / height.clamp(min=1e-3)
    points = depth[:, None] * torch.nn.functional.pad(rays[:, 0], (0, 1), value=1.0)
    return transform_points(rigid_inverse(CALIBRATION.camera_from_lidar), points)[:, :2]


def main() -> None:
    """Print a row per solver."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=40, help="cones of a frame")
    parser.add_argument("--frames", type=int, default=20)
    parser.add_argument("--noise", type=float, default=0.5, help="of a keypoint [px]")
    parser.add_argument("--tilt", type=float, default=0.004, help="of the car [rad]")
    options = parser.parse_args()
    torch.set_num_threads(1)
    solvers: dict[str, Solver] = {"ours": own, "ours, recorded": own_recorded()}
    solvers |= {f"OpenCV {flag}": opencv(flag) for flag in ("IPPE", "SQPNP", "ITERATIVE")}
    for name, solver in (("kornia", kornia_dlt), ("pypose", pypose_lm)):
        if importlib.util.find_spec(name):
            solvers[name] = solver
        else:
            print(f"{name} is not installed: not measured")
    generator = torch.Generator().manual_seed(0)
    frames = [
        frame(options.count, options.noise, options.tilt, generator) for _ in range(options.frames)
    ]
    print("| solver | median range error [%] | 90 % below [%] | ms |\n|---|---|---|---|")
    for name, solver in solvers.items():
        solver(frames[0][1])
        errors, start = [], time.process_time()
        for _, keypoints in frames:
            errors.append(solver(keypoints))
        elapsed = 1e3 * (time.process_time() - start) / len(frames)
        relative = torch.cat(
            [
                (found - EYE[:2]).norm(dim=-1) / (truth - EYE[:2]).norm(dim=-1) - 1
                for found, (truth, _) in zip(errors, frames, strict=True)
            ]
        ).abs()
        median, most = (100 * float(relative.quantile(q)) for q in (0.5, 0.9))
        print(f"| {name} | {median:.2f} | {most:.2f} | {elapsed:.1f} |", flush=True)


if __name__ == "__main__":
    main()
