import dataclasses

import torch
from lidar_system import described, recorded

from conegrad_core.system_record.difference import differences
from conegrad_core.system_record.lineage import lineage
from conegrad_core.system_record.record import write_record


def child_of(record, folder):
    """A record whose segmenter was trained on, without calibration."""
    pipeline = record.pipeline({"fuser": {"rounds": 6}}, trainable=True)
    with torch.no_grad():
        next(pipeline.stage("segmenter").parameters()).mul_(1.1)
    description = described(parents=(record.id,), metrics={"system": {"f1_colour": 0.95}})
    return write_record(folder, pipeline, description)


def test_equal_records_differ_in_nothing(record, pipeline, tmp_path):
    again = recorded(tmp_path / "again", pipeline, created=record.description.created)
    assert differences(record, again) == []


def test_differences_are_named_side_by_side_by_section(record, tmp_path):
    found = {(d.section, d.name): d for d in differences(record, child_of(record, tmp_path / "x"))}
    assert found["metrics", "system.f1_colour"][2:] == ("0.9", "0.95")
    assert found["metrics", "segmenter.beam_f1"][2:] == ("0.8", "-")
    assert found["settings", "fuser.rounds"][2:] == ("5", "6")
    assert found["origin", "parents"][2:] == ("[]", f'["{record.id}"]')
    assert found["calibration", "lidar_height"][3] == "-"
    assert ("weights", "segmenter") in found
    assert "in 1 of" in found["weights", "segmenter distance"].second
    assert ("weights", "fuser") not in found
    assert not any(section in ("scalars", "stages", "data") for section, _ in found)


def test_scalars_that_were_learned_are_named(record, tmp_path):
    pipeline = record.pipeline(trainable=True)
    pipeline.stage("fuser").module.scalars.set_values({"cone_radius": 0.06})
    other = write_record(tmp_path / "other", pipeline, record.description, record.calibration)
    found = [d[1:] for d in differences(record, other) if d.section == "scalars"]
    assert found == [("fuser.cone_radius", "0.049", "0.06")]


def test_a_lineage_goes_back_to_the_first_and_says_what_each_step_changed(record, store, tmp_path):
    child = child_of(record, tmp_path / "child")
    store.add(record.folder, "car")
    store.set_alias("car", "champion", 1)
    first, last = lineage(child, store)
    assert (first.id, first.names, first.changed) == (record.id, ("car/1", "car@champion"), ())
    assert (last.id, last.parents, last.names) == (child.id, (record.id,), ())
    assert last.changed == ("segmenter", "fuser")
    lost = dataclasses.replace(child.description, parents=("0123456789ab",))
    orphan = write_record(tmp_path / "orphan", child.pipeline(trainable=True), lost)
    assert [ancestor.record is None for ancestor in lineage(orphan, store)] == [True, False]
