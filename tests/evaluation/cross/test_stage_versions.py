"""Versions of stages are named in words."""

import pytest

from conegrad_evaluation.cross.stage_versions import read_versions

STAGES = ("detector", "segmenter", "fuser")


def test_versions_are_named_after_their_files(tmp_path):
    for name in ("old", "new"):
        (tmp_path / f"{name}.safetensors").touch()
    word = f"detector=default,{tmp_path}/old.safetensors,{tmp_path}/new.safetensors"
    versions = read_versions([word, "segmenter=car@champion"], STAGES)
    assert [version.label for version in versions["detector"]] == ["default", "old", "new"]
    assert versions["segmenter"][0].label == versions["segmenter"][0].source == "car@champion"


def test_files_of_one_name_get_their_folders(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "w.safetensors").touch()
    word = f"detector={tmp_path}/a/w.safetensors,{tmp_path}/b/w.safetensors"
    assert [v.label for v in read_versions([word], STAGES)["detector"]] == ["a/w", "b/w"]


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ([], "no versions are given"),
        (["detector"], "expected STAGE=VERSION"),
        (["detector=a,,b"], "expected STAGE=VERSION"),
        (["detektor=a"], "names the stage 'detektor', expected one of detector, segmenter, fuser"),
        (["fuser=a", "fuser=b"], "names 'fuser' twice"),
        (["fuser=a,b,a"], "--stage fuser has the version a twice"),
    ],
)
def test_refuses_other_words(words, fault):
    with pytest.raises(ValueError, match=fault):
        read_versions(words, STAGES)
