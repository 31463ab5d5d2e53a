"""Replays bags for learning: the samples of a drive by index, decoded as the nodes decode."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from torch.utils.data import Dataset

from conegrad_core.cones import TrueCones
from conegrad_core.geometry.odometry import path_around
from conegrad_core.lidar.reduction import ReductionConfig
from conegrad_core.lidar.scan import Scan
from conegrad_core.lidar.sweep import SweepConfig, sweep_span, with_motions
from conegrad_core.pipeline.context import FrameContext
from conegrad_core.timing.pairing import SECOND, PairingConfig
from conegrad_core.vehicle import Vehicle
from conegrad_data.bags.reader import BagReader
from conegrad_data.bags.types import BagError
from conegrad_data.decode import image_from_msg
from conegrad_data.errors import ReplayError
from conegrad_data.recording.bag_index import MessageReference, read_messages
from conegrad_data.recording.own_car_search import with_own_car
from conegrad_data.recording.paired_drive import PairedDrive, PairedFrame, read_paired_drive
from conegrad_data.recording.recorded_calibration import recorded_view
from conegrad_data.recording.scan_reading import ScanReader
from conegrad_data.recording.truth import (
    NoTruth,
    RecordedTruth,
    Truth,
    map_truth,
    truth_in_frame,
)
from conegrad_evaluation.drives.map_fit import check_in_view
from conegrad_evaluation.samples.sample import Sample, SampleKey


class BagReplay(Dataset[Sample]):
    """The paired frames of one bag that have truth, by index; each worker opens its own file."""

    def __init__(
        self,
        path: str | Path,
        *,
        track: str | Path | None = None,
        vehicle: Vehicle | None = None,
        pairing: PairingConfig | None = None,
        reduction: ReductionConfig | None = None,
        sweep: SweepConfig | None = None,
        topics: Mapping[str, str] | None = None,
        needs_truth: bool = True,
    ) -> None:
        """Index the bag.

        Args:
            path: the bag.
            track: CSV of its cones in the frame of the odometry; None takes the truth topic.
            vehicle: preset that replaces the calibration of the bag.
            pairing: settings of the pairing, as of the fusion node.
            reduction: of point clouds to scans, as of the LiDAR node.
            sweep: what the driver says wrongly about the times of beams, likewise.
            topics: topics that the user chose, by role.
            needs_truth: False takes every paired frame, and no truth.

        Raises:
            ReplayError: if the bag lacks what training needs.
            BagError: if the bag cannot be read.
            AlignmentError: if no sensor could ever see a cone of the track.
            FileNotFoundError: if there is no bag or no track.
        """
        self.drive: PairedDrive = read_paired_drive(
            Path(path), pairing=pairing, vehicle=vehicle, topics=topics
        )
        self._camera_offset_ns = round((pairing or PairingConfig()).camera_offset * SECOND)
        with BagReader(self.drive.path) as bag:
            reduction = with_own_car(bag, self.drive.roles, reduction)
        self._reader = ScanReader(reduction, sweep)
        if self._reader.car is not None:
            self._reader.car.stop()
        self._track = Path(track) if track is not None else None
        self._bag: BagReader | None = None
        self._opened_by = 0  # process that opened the file
        self._truth: Truth | None = None if needs_truth else NoTruth()
        self.rows = [row for row in range(len(self.drive.frames)) if self._has_truth(row)]
        if not self.rows:
            raise ReplayError(f"{path}: none of its {len(self.drive.frames)} frames has truth")
        if self._track is not None and needs_truth:
            check_in_view(self.truths(), self._track, self.drive.path)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, position: int) -> Sample:
        """Sample at a position among the frames with truth."""
        row = self.rows[position]
        return self._sample(row, self.drive.frames[row])

    def with_late_stamps(self, position: int, seconds: float) -> Sample:
        """Sample as the pipeline gets it if stamps of images are late by some time.

        The image is the one whose wrong stamp is nearest to the stamp of the right one, and the
        motion the one that the odometry has between its wrong stamp and the scan. Truth is what it
        was: cones at the stamp of the scan, visible in the image that is given.

        Args:
            position: among the frames with truth.
            seconds: the stamps of images minus when they were taken [s]; negative: early.

        Raises:
            ReplayError: if the odometry does not know the motion.
        """
        row, late_ns = self.rows[position], round(seconds * SECOND)
        frame, drive = self.drive.frames[row], self.drive
        taken_ns = frame.image.stamp_ns - late_ns
        image = min((f.image for f in drive.frames), key=lambda i: abs(i.stamp_ns - taken_ns))
        motion = drive.motion.lidar_motion(
            frame.scan.stamp_ns + drive.lidar_offset_ns,
            image.stamp_ns + late_ns + self._camera_offset_ns,
        )
        if motion is None:
            raise ReplayError(
                f"{drive.path}: frame {row} has no odometry around its stamp, expected it to "
                f"shift stamps by {seconds} s"
            )
        return self._sample(row, PairedFrame(image, frame.scan, motion.float()))

    def _sample(self, row: int, frame: PairedFrame) -> Sample:
        drive = self.drive
        image, scan = self._messages([frame.image, frame.scan])
        truth = self._truth_source().at(frame.scan.stamp_ns, frame.image.stamp_ns)
        if truth is None:
            raise ReplayError(f"{drive.path}: frame {row} has no truth")
        return Sample(
            {"image": image_from_msg(image), "scan": self._moving_scan(frame.scan, scan)},
            FrameContext(drive.calibration, frame.motion),
            truth._replace(positions=truth.positions.float()),
            SampleKey(drive.path.name, row, frame.scan.stamp_ns),
        )

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the open file, for another process."""
        kept = self._truth if isinstance(self._truth, NoTruth) else None
        return {**self.__dict__, "_bag": None, "_truth": kept}

    def close(self) -> None:
        """Close the file; it opens again when a sample is asked for."""
        if self._bag is not None:
            self._bag.close()
        self._bag = None

    def truths(self) -> Iterable[TrueCones]:
        """Truth of every frame, without reading images and scans."""
        for row in self.rows:
            frame = self.drive.frames[row]
            truth = self._truth_source().at(frame.scan.stamp_ns, frame.image.stamp_ns)
            if truth is not None:
                yield truth

    def _has_truth(self, row: int) -> bool:
        stamp = self.drive.frames[row].scan.stamp_ns
        return stamp in self.drive.truth or self._truth_source().at(stamp) is not None

    def _truth_source(self) -> Truth:
        if self._truth is None:
            self._truth = (
                self._recorded_truth() if self._track is None else self._map_truth(self._track)
            )
        return self._truth

    def _recorded_truth(self) -> Truth:
        drive = self.drive
        if not drive.truth:
            raise ReplayError(
                f"{drive.path} holds no truth; give a map of its cones (x, y, colour) as track"
            )
        return RecordedTruth(drive.truth, self._read_truth, drive.motion.lidar_motion)

    def _map_truth(self, track: Path) -> Truth:
        drive = self.drive
        view = recorded_view(self._open(), drive.roles, reader=self._reader)
        try:
            return map_truth(track, drive.path, drive.motion, drive.calibration, view)
        except BagError as error:
            raise ReplayError(str(error)) from error

    def _read_truth(self, stamp_ns: int) -> TrueCones:
        msg = self._messages([self.drive.truth[stamp_ns]])[0]
        return truth_in_frame(msg, self.drive.frames[0].scan.frame, self.drive.static)

    def _moving_scan(self, reference: MessageReference, msg: Any) -> Scan:
        """The scan, with the motion of the LiDAR within it."""
        scan, drive = self._reader.read(msg).scan, self.drive
        first, last = sweep_span(scan)
        if first == last:
            return scan
        time_ns = reference.stamp_ns + drive.lidar_offset_ns
        path = path_around(drive.poses.near, time_ns, first, last)
        return with_motions(scan, path, drive.base_from_lidar)

    def _open(self) -> BagReader:
        # A forked worker inherits the open file, and with it the place where others read.
        if self._bag is None or self._opened_by != os.getpid():
            self._bag, self._opened_by = BagReader(self.drive.path), os.getpid()
        return self._bag

    def _messages(self, references: Sequence[MessageReference]) -> list[Any]:
        """Decoded messages, found through the index of the file."""
        bag = self._open()
        return [bag.decode(raw) for raw in read_messages(bag, references)]
