"""The fusion: a segmented scan and detections in, cones on the ground out; differentiable."""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from conegrad_core.camera.image import Detections
from conegrad_core.colours.cone_colours import ConeColours
from conegrad_core.cones import ConePositions, Cones
from conegrad_core.fusion import packed_matrices as gaussians
from conegrad_core.fusion.association import Association, associate
from conegrad_core.fusion.config import FuserConfig
from conegrad_core.fusion.existence import (
    box_existence,
    box_log_odds,
    segment_existence,
    should_be_seen,
)
from conegrad_core.fusion.extrinsic_correction import ExtrinsicCorrection
from conegrad_core.fusion.given_positions import carried_positions, compensated, with_positions
from conegrad_core.fusion.monocular import BoxRays, CameraCandidates, box_candidates, box_rays
from conegrad_core.fusion.positions import box_positions, segment_positions
from conegrad_core.fusion.provenance import lidar_evidence, lidar_share
from conegrad_core.fusion.scalars import FusionScalars
from conegrad_core.fusion.segments import (
    LidarCandidates,
    SegmentBeams,
    group_beams,
    segment_candidates,
)
from conegrad_core.fusion.weights import load_learned, save_learned
from conegrad_core.geometry.calibration import Calibration, moved_calibration
from conegrad_core.lidar.scan import SegmentedScan
from conegrad_core.shapes import check_shape

CAMERA, LIDAR = 1, 2  # Cones.source: who vouches for the cone; 3 where both do


class Fuser(nn.Module):
    """Fuses the candidates of one scan and one image.

    Every segment and every box gives one row of the result; rows that are no cones have low
    existence. Gradients reach box coordinates, class logits, beam logits, ranges, the calibration,
    the scalars of :class:`conegrad_core.fusion.scalars.ScalarValues` and the corrections of
    :class:`conegrad_core.fusion.extrinsic_correction.ExtrinsicCorrection`; which beams form a
    segment is constant.
    """

    def __init__(self, config: FuserConfig | None = None) -> None:
        super().__init__()
        self.config = config or FuserConfig()
        self.scalars = FusionScalars()
        self.mounting = ExtrinsicCorrection()
        if self.config.weights:
            load_learned(self.scalars, self.mounting, Path(self.config.weights))

    def forward(
        self,
        segmented: SegmentedScan | None,
        detections: Detections | None,
        calibration: Calibration | None,
        motion: Tensor | None = None,
        positions: ConePositions | None = None,
        colours: ConeColours | None = None,
    ) -> Cones:
        """Cones in the LiDAR frame at the stamp of the scan; without a scan, of the image.

        Args:
            segmented: scan with beam logits, or None: the camera's cones alone.
            detections: boxes with class logits, or None: the LiDAR's cones alone, without
                colour.
            calibration: geometry of the vehicle; None will do for the LiDAR alone.
            motion: ego-motion ``lidar_at_scan_from_lidar_at_image`` as ``(3,)`` x, y [m], yaw
                [rad] or ``(4, 4)``; None where both stamps coincide or it is not known. Not used
                without a scan.
            positions: of the boxes, at the stamp of the image by the calibration as given; they
                take the place of the monocular estimate. Not used without detections.
            colours: of the boxes by a classifier, joined with the class logits of the detector.
                Not used without detections.

        Returns:
            The S segments first, in the order of their beams, then the C boxes.

        Raises:
            ValueError: if both inputs are None, or the calibration is missing, or a shape is wrong.
        """
        if detections is None:
            if segmented is None:
                raise ValueError("segmented and detections are None, expected one of them at least")
            return self._lidar_alone(segmented)
        if calibration is None:
            raise ValueError("calibration is None, expected one for the detections")
        check_rows(detections, positions, colours)
        rays = box_rays(detections, calibration.camera)
        if segmented is None:
            return self._camera_alone(rays, calibration, positions, colours)
        beams = group_beams(segmented, self.config)
        return self.fuse(beams, rays, calibration, motion, positions, colours)

    def fuse(
        self,
        beams: SegmentBeams,
        rays: BoxRays,
        calibration: Calibration,
        motion: Tensor | None,
        positions: ConePositions | None = None,
        colours: ConeColours | None = None,
    ) -> Cones:
        """Cones of grouped beams and boxes: tensors only, no step depends on their values.

        Args:
            beams: of the scan.
            rays: of the image.
            calibration: geometry of the vehicle.
            motion: as in :meth:`forward`.
            positions: likewise.
            colours: likewise.
        """
        given, calibration = calibration, self.mounting.corrected(calibration)
        beams = beams._replace(motions=self.mounting.carried_beams(beams.motions))
        if motion is not None:
            calibration = moved_calibration(calibration, self.mounting.carried(motion))
        scalars = self.scalars()
        lidar = segment_candidates(beams, scalars, self.config)
        camera = box_candidates(rays, calibration, scalars, self.config, colours)
        if positions is not None:
            carried = _carried(positions, given, calibration)
            camera = with_positions(camera, carried, self.config)
        if motion is not None and self.config.odometry_error > 0:
            camera = compensated(camera, motion, self.config)
        association = associate(lidar, camera, scalars, self.config.rounds)
        should_see = should_be_seen(lidar.positions, calibration, self.config)
        of_segments = segment_existence(lidar, camera, association, should_see, scalars)
        of_boxes = box_existence(camera, association, of_segments, beams.view, scalars)
        existence = torch.cat([of_segments, of_boxes])
        evidence = lidar_evidence(lidar, camera, of_boxes, scalars)
        return self.mounting.placed(_joined(lidar, camera, association, existence, evidence))

    def values(self) -> dict[str, float]:
        """What is learned, by name, in physical units."""
        return {**self.scalars.values(), **self.mounting.values()}

    def save(self, path: Path) -> None:
        """Write what is learned, to be loaded as ``FuserConfig.weights``."""
        save_learned(self.scalars, self.mounting, path)

    def _lidar_alone(self, segmented: SegmentedScan) -> Cones:
        beams = group_beams(segmented, self.config)
        beams = beams._replace(motions=self.mounting.carried_beams(beams.motions))
        lidar = segment_candidates(beams, self.scalars(), self.config)
        covariances = gaussians.oriented(lidar.directions, *lidar.variances.unbind(-1))
        colours = lidar.positions.new_tensor([0.0, 0.0, 0.0, 0.0, 1.0]).expand(
            len(lidar.positions), 5
        )
        source = torch.full((len(colours),), LIDAR, device=colours.device)
        covariances = gaussians.as_matrices(gaussians.conditioned(covariances))
        return self.mounting.placed(
            Cones(
                lidar.positions,
                covariances,
                colours,
                lidar.log_odds,
                source,
                lidar_evidence=lidar.log_odds.detach(),
                lidar_share=torch.ones_like(lidar.log_odds),
            )
        )

    def _camera_alone(
        self,
        rays: BoxRays,
        calibration: Calibration,
        positions: ConePositions | None,
        colours: ConeColours | None,
    ) -> Cones:
        scalars, given = self.scalars(), calibration
        calibration = self.mounting.corrected(calibration)
        camera = box_candidates(rays, calibration, scalars, self.config, colours)
        if positions is not None:
            carried = _carried(positions, given, calibration)
            camera = with_positions(camera, carried, self.config)
        source = torch.full((len(camera.colours),), CAMERA, device=camera.colours.device)
        none = torch.zeros_like(camera.evidence)
        return self.mounting.placed(
            Cones(
                camera.positions,
                gaussians.as_matrices(gaussians.conditioned(camera.covariances)),
                pad(camera.colours, (0, 1)),
                box_log_odds(camera, scalars),
                source,
                lidar_evidence=none,
                lidar_share=none,
            )
        )


def check_rows(
    detections: Detections, positions: ConePositions | None, colours: ConeColours | None
) -> None:
    """Refuse positions and colours that are not those of the detections.

    Raises:
        ValueError: naming the shape and that expected.
    """
    count = len(detections.boxes_xyxy)
    if positions is not None:
        check_shape(positions.positions, count, 2, name="positions of the detections")
        check_shape(positions.covariances, count, 2, 2, name="covariances of the detections")
    if colours is not None:
        check_shape(colours.logits, count, 4, name="colours of the detections")


def _carried(positions: ConePositions, given: Calibration, used: Calibration) -> ConePositions:
    return positions if used is given else carried_positions(positions, given, used)


def _joined(
    lidar: LidarCandidates,
    camera: CameraCandidates,
    association: Association,
    existence: Tensor,
    evidence: Tensor,
) -> Cones:
    """Rows of the segments, then of the boxes; existence and evidence of the LiDAR are of both."""
    positions, covariances = segment_positions(lidar, camera, association)
    box_means, box_covariances = box_positions(camera, association, positions, covariances)
    matches = association.matches
    colours = torch.cat([matches @ camera.colours, association.unmatched[:, None]], dim=-1)
    with torch.no_grad():
        segment_source = LIDAR + (association.unmatched < 0.5).long()
        box_source = torch.full_like(camera.evidence, CAMERA, dtype=torch.int64)
    packed = gaussians.conditioned(torch.cat([covariances, box_covariances]))
    return Cones(
        torch.cat([positions, box_means]),
        gaussians.as_matrices(packed),
        torch.cat([colours, pad(camera.colours, (0, 1))]),
        existence,
        torch.cat([segment_source, box_source]),
        lidar_evidence=evidence,
        lidar_share=lidar_share(lidar, covariances, association),
    )
