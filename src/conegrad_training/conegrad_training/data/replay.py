"""Replays bags for learning: the samples of a drive by index, decoded as the nodes decode."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import Dataset

from conegrad_core.cones import TrueCones
from conegrad_core.geometry.odometry import path_around
from conegrad_core.lidar.reduction import ReductionConfig
from conegrad_core.lidar.scan import Scan
from conegrad_core.lidar.sweep import SweepConfig, sweep_span, with_motions
from conegrad_core.timing.pairing import PairingConfig
from conegrad_core.vehicle import Vehicle
from conegrad_data.bags.reader import BagReader, RawMessage
from conegrad_data.decode import image_from_msg, truth_from_msg
from conegrad_data.errors import ReplayError
from conegrad_data.recording.bag_index import BagIndex, MessageReference, index_bag
from conegrad_data.recording.motion import moved_truth
from conegrad_data.recording.scan_reading import ScanReader
from conegrad_data.recording.truth import Truth
from conegrad_data.recording.truth_sources import NoTruth, ScanView, map_targets, recorded_targets
from conegrad_evaluation.drives.map_fit import check_in_view
from conegrad_training.data.sample import Sample, SampleKey


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
        self.index: BagIndex = index_bag(
            Path(path), pairing=pairing, vehicle=vehicle, topics=topics
        )
        self._reader = ScanReader(reduction, sweep)
        self._longest = (reduction or ReductionConfig()).max_range
        self._track = Path(track) if track is not None else None
        self._bag: BagReader | None = None
        self._opened_by = 0  # process that opened the file
        self._view = self._scan_view()
        self._truth: Truth | None = None if needs_truth else NoTruth()
        self.rows = [row for row in range(len(self.index.frames)) if self._has_truth(row)]
        if not self.rows:
            raise ReplayError(f"{path}: none of its {len(self.index.frames)} frames has truth")
        if self._track is not None and needs_truth:
            check_in_view(self.truths(), self._track, self.index.path)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, position: int) -> Sample:
        """Sample at a position among the frames with truth."""
        row = self.rows[position]
        frame, index = self.index.frames[row], self.index
        image, scan = self._messages([frame.image, frame.scan])
        truth = self._truth_source().at(frame.scan.stamp_ns, frame.image.stamp_ns)
        if truth is None:
            raise ReplayError(f"{index.path}: frame {row} has no truth")
        return Sample(
            image_from_msg(image),
            self._moving_scan(frame.scan, scan),
            index.calibration,
            frame.motion,
            truth,
            SampleKey(index.path.name, row, frame.scan.stamp_ns),
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
            frame = self.index.frames[row]
            truth = self._truth_source().at(frame.scan.stamp_ns, frame.image.stamp_ns)
            if truth is not None:
                yield truth

    def _has_truth(self, row: int) -> bool:
        stamp = self.index.frames[row].scan.stamp_ns
        return stamp in self.index.truth or self._truth_source().at(stamp) is not None

    def _truth_source(self) -> Truth:
        if self._truth is None:
            self._truth = (
                recorded_targets(self.index, self._recorded_truth)
                if self._track is None
                else map_targets(self.index, self._track, self._view)
            )
        return self._truth

    def _recorded_truth(self, stamp_ns: int) -> TrueCones:
        reference = self.index.truth[stamp_ns]
        truth = truth_from_msg(self._messages([reference])[0])
        lidar_frame = self.index.frames[0].scan.frame
        if reference.frame == lidar_frame:
            return truth
        lidar_from_truth = torch.from_numpy(self.index.static.lookup(lidar_frame, reference.frame))
        return moved_truth(truth, lidar_from_truth)

    def _moving_scan(self, reference: MessageReference, msg: Any) -> Scan:
        """The scan, with the motion of the LiDAR within it."""
        scan, index = self._reader.read(msg).scan, self.index
        first, last = sweep_span(scan)
        if first == last:
            return scan
        time_ns = reference.stamp_ns + index.lidar_offset_ns
        path = path_around(index.poses.near, time_ns, first, last)
        return with_motions(scan, path, index.base_from_lidar)

    def _scan_view(self) -> ScanView:
        msg = self._messages([self.index.frames[0].scan])[0]
        angles = self._reader.read(msg).scan.angles
        longest = float(getattr(msg, "range_max", self._longest))
        return float(angles[0]), float(angles[-1]), longest

    def _open(self) -> BagReader:
        # A forked worker inherits the open file, and with it the place where others read.
        if self._bag is None or self._opened_by != os.getpid():
            self._bag, self._opened_by = BagReader(self.index.path), os.getpid()
        return self._bag

    def _messages(self, references: Sequence[MessageReference]) -> list[Any]:
        """Decoded messages, found through the index of the file."""
        bag, times = self._open(), [reference.receive_ns for reference in references]
        wanted = {(r.topic, r.receive_ns): place for place, r in enumerate(references)}
        topics = {reference.topic for reference in references}
        found: dict[int, RawMessage] = {}
        for raw in bag.raw_messages(topics, min(times), max(times) + 1):
            place = wanted.get((raw.topic, raw.receive_ns))
            if place is not None:
                found.setdefault(place, raw)
        if len(found) != len(references):
            raise ReplayError(f"{self.index.path} changed while it was read")
        return [bag.decode(found[place]) for place in range(len(references))]


def split_by_sequence(
    bags: Sequence[Path], test_share: float, seed: int
) -> tuple[list[Path], list[Path]]:
    """Whole recordings for training and for testing: frames of one drive are never parted.

    Args:
        bags: at least two for a share above 0.
        test_share: of the recordings, at least one of them.
        seed: of the draw.

    Raises:
        ReplayError: if nothing would be left to train on.
    """
    count = max(1, round(test_share * len(bags))) if test_share > 0 else 0
    if count >= len(bags):
        raise ReplayError(
            f"{len(bags)} bags cannot be split: expected more than {count}, frames of one "
            "drive see the same cones and are never parted"
        )
    order = torch.randperm(len(bags), generator=torch.Generator().manual_seed(seed)).tolist()
    tests = {order[place] for place in range(count)}
    return (
        [bag for place, bag in enumerate(bags) if place not in tests],
        [bag for place, bag in enumerate(bags) if place in tests],
    )
