"""Photographs with YOLO labels: reading, refusing, hiding what is unknown, and learning."""

import cv2
import numpy as np
import pytest
import torch

from conegrad_core.camera.checkpoint import save_network
from conegrad_core.camera.head import build_network
from conegrad_core.cones import ConeClass
from conegrad_training.supervised.camera_training import CameraTrainingConfig, train_camera
from conegrad_training.supervised.labelled_images import read_split

SIZE = (160, 96)
BLUE, GREY = (30, 60, 200), 90
NAMES = "names: [blue_cone, large_orange_cone, unknown_cone, yellow_cone]\n"


def made(folder, count=3, labels="0 0.5 0.5 0.2 0.4\n", names=NAMES, sequence=""):
    """Grey images of 80x80 px with a blue block in the middle."""
    images, texts = (folder / kind / sequence for kind in ("images", "labels"))
    for path in (images, texts):
        path.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        image = np.full((80, 80, 3), GREY, dtype=np.uint8)
        image[24:56, 32:48] = BLUE
        cv2.imwrite(str(images / f"{number:03d}.png"), image[..., ::-1])
        (texts / f"{number:03d}.txt").write_text(labels)
    if names:
        (folder / "data.yaml").write_text(names)
    return folder


def test_boxes_follow_their_pixels_into_the_padded_input(tmp_path):
    training, evaluated = read_split(made(tmp_path), "", "", SIZE)
    assert (len(training), len(evaluated)) == (2, 1)
    frame = training[0]
    assert frame.image.shape == (96, 160, 3)
    # 80 px become 96, in the middle of 160: 32 px of border on both sides.
    np.testing.assert_allclose(frame.boxes_xyxy, [[32 + 38.4, 28.8, 32 + 57.6, 67.2]], atol=1e-4)
    assert frame.image[48, 80].tolist() == list(BLUE)
    assert training.label_values == 2 * 5


@pytest.mark.parametrize(
    ("names", "option"),
    [
        pytest.param(NAMES, "", id="data.yaml"),
        pytest.param(
            "names: {1: big_orange, 0: blue, 3: yellow, 2: unknown}\n", "", id="by number"
        ),
        pytest.param("", "blue, large orange, unknown, yellow", id="option"),
    ],
)
def test_classes_are_mapped_by_name(tmp_path, names, option):
    labels = "".join(f"{number} 0.5 0.5 0.1 0.1\n" for number in range(4))
    _, evaluated = read_split(made(tmp_path, labels=labels, names=names), option, "", SIZE)
    expected = [ConeClass.BLUE, ConeClass.BIG_ORANGE, ConeClass.UNKNOWN, ConeClass.YELLOW]
    assert evaluated[0].classes.tolist() == expected


def test_classes_txt_names_one_class_per_line(tmp_path):
    made(tmp_path, labels="1 0.5 0.5 0.1 0.1\n", names="")
    (tmp_path / "classes.txt").write_text("orange_cone\nyellow_cone\n")
    assert read_split(tmp_path, "", "", SIZE)[0][0].classes.tolist() == [ConeClass.YELLOW]


def test_numbers_without_names_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"none of data\.yaml.*numbers alone say nothing"):
        read_split(made(tmp_path, names=""), "", "", SIZE)


def test_a_name_that_no_cone_has_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"data\.yaml has the class 'person', expected names"):
        read_split(made(tmp_path, names="names: [blue, person]\n"), "", "", SIZE)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        pytest.param("0 0.5 0.5 0.2", "has 4 values, expected 5", id="too few values"),
        pytest.param("7 0.5 0.5 0.2 0.4", "has the class '7', expected 0 to 3", id="class"),
        pytest.param("blue 0.5 0.5 0.2 0.4", "has the class 'blue', expected 0 to 3", id="name"),
        pytest.param("0 250 0.5 0.2 0.4", "has the box '250 0.5 0.2 0.4', expected", id="pixels"),
        pytest.param("0 0.5 0.5 0 0.4", "has the box '0.5 0.5 0 0.4', expected", id="no width"),
        pytest.param("0 a 0.5 0.2 0.4", "has the box 'a 0.5 0.2 0.4', expected", id="no number"),
    ],
)
def test_a_bad_row_is_named_with_file_line_and_value(tmp_path, row, message):
    made(tmp_path)
    (tmp_path / "labels" / "001.txt").write_text(f"0 0.5 0.5 0.2 0.4\n{row}\n")
    with pytest.raises(ValueError, match=rf"001\.txt, line 2 {message}"):
        read_split(tmp_path, "", "", SIZE)


def test_an_image_without_label_file_is_refused(tmp_path):
    made(tmp_path)
    (tmp_path / "labels" / "002.txt").unlink()
    with pytest.raises(ValueError, match=r"002\.txt is missing; an empty file says"):
        read_split(tmp_path, "", "", SIZE)


def test_sequences_are_kept_aside_by_name(tmp_path):
    made(tmp_path, count=2, sequence="sunny")
    made(tmp_path, count=1, sequence="rain")
    training, evaluated = read_split(tmp_path, "", "rain", SIZE)
    assert [file.path.parent.name for file in training.files] == ["sunny", "sunny"]
    assert [file.path.parent.name for file in evaluated.files] == ["rain"]


def test_cones_of_unknown_colour_teach_nothing_but_are_evaluated(tmp_path):
    # An unknown box around the blue one: what is outside the blue one is painted over.
    labels = "2 0.5 0.5 0.6 0.6\n0 0.5 0.5 0.2 0.4\n"
    training, evaluated = read_split(made(tmp_path, labels=labels), "", "", SIZE)
    frame = training[0]
    assert frame.classes.tolist() == [ConeClass.BLUE]
    assert frame.image[48, 80].tolist() == list(BLUE)
    assert frame.image[48, 60].tolist() == [114, 114, 114]
    assert evaluated[0].classes.tolist() == [ConeClass.UNKNOWN, ConeClass.BLUE]
    assert evaluated[0].image[48, 60].tolist() == [GREY] * 3


def test_training_on_photographs_starts_from_weights_and_evaluates_those_kept_aside(tmp_path):
    torch.manual_seed(0)
    network, start = build_network("yolov5n"), tmp_path / "start.safetensors"
    save_network(network, start, architecture="yolov5n", input_size=(640, 384), half=False)
    config = CameraTrainingConfig(
        output=str(tmp_path / "run"),
        images=str(made(tmp_path / "photographs")),
        weights=str(start),
        steps=2,
        batch=2,
        crop_width=64,
        crop_height=64,
        whole_share=0.0,
        precision="fp32",
        averaging=0.0,
    )
    card = train_camera(config)
    assert card["metrics"]["frames"] == 1
    assert set(card["metrics"]["AP50"]) == set(card["metrics"]["AP50 before"]) == {"blue", "mean"}
    assert card["data"] == "2 labelled images of photographs, 10 label values"
    assert f"Trained on {card['data']}." in (tmp_path / "run" / "yolov5n_cones.md").read_text()
