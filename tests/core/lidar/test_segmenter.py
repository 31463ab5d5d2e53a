"""The scan segmenter: any scan in, one logit per beam out; weights that say what they are."""

import math

import pytest
import torch
from safetensors.torch import save_file

from conegrad_core.engines.errors import EngineError
from conegrad_core.lidar.beam_features import CHANNELS
from conegrad_core.lidar.height_profile import PROFILE_CHANNELS
from conegrad_core.lidar.scan import Scan
from conegrad_core.lidar.scan_network import (
    ARCHITECTURE,
    PLANAR_ARCHITECTURE,
    ScanNetwork,
)
from conegrad_core.lidar.segmenter import (
    NO_RETURN_LOGIT,
    ScanSegmenter,
    SegmenterConfig,
    load_segmenter,
    save_segmenter,
)


def scan_of(beams: int, view: float, seed: int = 0) -> Scan:
    torch.manual_seed(seed)
    return Scan(3 + torch.rand(beams), torch.linspace(-view / 2, view / 2, beams))


@pytest.fixture
def segmenter():
    torch.manual_seed(1)
    return ScanSegmenter().eval()


@pytest.mark.parametrize("beams", [2, 7, 360, 1081, 2048])
def test_judges_scans_of_any_number_of_beams(segmenter, beams):
    segmented = segmenter([scan_of(beams, math.pi)])[0]
    assert segmented.logits.shape == (beams,)
    assert segmented.logits.isfinite().all()


def test_invalid_readings_are_nan_in_the_result_and_surely_no_cone(segmenter):
    scan = scan_of(50, 2.0)
    scan.ranges[:5] = torch.tensor([torch.nan, torch.inf, -torch.inf, 0.0, 20.1])
    before = scan.ranges.clone()
    segmented = segmenter([scan])[0]
    assert segmented.ranges.isnan().nonzero().flatten().tolist() == [0, 1, 2, 3, 4]
    assert (segmented.logits[:5] == NO_RETURN_LOGIT).all()
    torch.testing.assert_close(scan.ranges, before, equal_nan=True)  # the argument is untouched


def test_a_scan_without_any_return_is_judged(segmenter):
    scan = scan_of(20, 2.0)._replace(ranges=torch.full((20,), torch.nan))
    (segmented,) = segmenter([scan])
    assert (segmented.logits == NO_RETURN_LOGIT).all()


def test_a_full_turn_may_start_anywhere(segmenter):
    beams = 256
    scan = Scan(3 + torch.rand(beams), torch.arange(beams) * 2 * math.pi / beams)
    turned = scan._replace(ranges=scan.ranges.roll(77))
    expected = segmenter([scan])[0].logits.roll(77)
    torch.testing.assert_close(segmenter([turned])[0].logits, expected, rtol=1e-4, atol=1e-4)


def test_gradients_reach_every_weight_and_the_ranges(segmenter):
    scan = scan_of(200, 3.0)
    scan.ranges.requires_grad_()
    segmenter([scan])[0].logits.square().sum().backward()
    assert scan.ranges.grad.abs().sum() > 0
    assert all(p.grad.abs().sum() > 0 for p in segmenter.parameters())


def test_weights_survive_saving_with_their_origin(segmenter, tmp_path):
    path = tmp_path / "net.safetensors"
    save_segmenter(segmenter.network, path, {"git_revision": "abc"})
    loaded = load_segmenter(SegmenterConfig(weights=str(path)))
    assert loaded.metadata == {"git_revision": "abc", "architecture": ARCHITECTURE}
    scan = scan_of(300, 4.0)
    torch.testing.assert_close(loaded([scan])[0].logits, segmenter([scan])[0].logits)


def test_weights_from_before_the_profile_give_the_same_logits(segmenter, tmp_path):
    planar = {name: value.clone() for name, value in segmenter.network.state_dict().items()}
    encoder = planar["encode.0.weight"]
    encoder[:, CHANNELS:] = 0
    segmenter.network.load_state_dict(planar)
    planar["encode.0.weight"] = encoder[:, :CHANNELS].contiguous()
    save_file(planar, tmp_path / "old.safetensors", {"architecture": PLANAR_ARCHITECTURE})
    old = load_segmenter(SegmenterConfig(weights=str(tmp_path / "old.safetensors"), engine="torch"))
    scan = scan_of(300, 3.0)._replace(profile=torch.rand(PROFILE_CHANNELS, 300))
    torch.testing.assert_close(old([scan])[0].logits, segmenter([scan])[0].logits)


def test_scans_with_and_without_profile_are_judged_together(segmenter):
    planar = scan_of(200, 3.0)
    tall = planar._replace(profile=torch.rand(PROFILE_CHANNELS, 200))
    together = segmenter([planar, tall])
    for scan, found in zip((planar, tall), together, strict=True):
        torch.testing.assert_close(found.logits, segmenter([scan])[0].logits)
    assert not torch.equal(together[0].logits, together[1].logits)


def test_refuses_a_profile_of_other_channels(segmenter):
    scan = scan_of(200, 3.0)._replace(profile=torch.rand(2, 200))
    with pytest.raises(ValueError, match=r"profile has shape \(1, 2, 200\)"):
        segmenter([scan])


def test_refuses_weights_of_another_architecture_naming_both(tmp_path):
    path = tmp_path / "net.safetensors"
    save_file(ScanNetwork().state_dict(), path, metadata={"architecture": "yolov5n"})
    with pytest.raises(ValueError, match=f"'yolov5n', expected '{ARCHITECTURE}'"):
        load_segmenter(SegmenterConfig(weights=str(path)))


def test_refuses_weights_of_another_shape(tmp_path):
    path = tmp_path / "net.safetensors"
    save_file({"weight": torch.zeros(2)}, path, metadata={"architecture": ARCHITECTURE})
    with pytest.raises(ValueError, match=rf"net\.safetensors does not fit {ARCHITECTURE}"):
        load_segmenter(SegmenterConfig(weights=str(path)))


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_refuses_weights_that_are_not_finite(segmenter, tmp_path, value):
    name, weight = next(iter(segmenter.network.named_parameters()))
    with torch.no_grad():
        weight.view(-1)[0] = value
    save_segmenter(segmenter.network, tmp_path / "net.safetensors", {})
    with pytest.raises(ValueError, match=rf"net\.safetensors hold 1 values in {name} that"):
        load_segmenter(SegmenterConfig(weights=str(tmp_path / "net.safetensors")))


@pytest.mark.parametrize(
    "device",
    [
        "gpu",
        pytest.param(
            "cuda", marks=pytest.mark.skipif(torch.cuda.is_available(), reason="CUDA is here")
        ),
    ],
)
def test_names_a_device_that_is_not_there(device):
    with pytest.raises(EngineError, match=f"device is '{device}', expected cpu, or cuda"):
        load_segmenter(SegmenterConfig(engine="torch", device=device))


def test_never_runs_code_of_a_file_that_is_a_pickle(tmp_path):
    path, trace = tmp_path / "net.safetensors", tmp_path / "executed"

    class Evil:
        def __reduce__(self):
            return (open, (str(trace), "w"))

    torch.save(Evil(), path)
    with pytest.raises(ValueError, match="not a safetensors file"):
        load_segmenter(SegmenterConfig(weights=str(path)))
    assert not trace.exists()


def test_names_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        load_segmenter(SegmenterConfig(weights=str(tmp_path / "nowhere.safetensors")))


def test_refuses_a_scan_whose_angles_do_not_fit(segmenter):
    with pytest.raises(ValueError, match=r"\(5,\) and angles of shape \(4,\)"):
        segmenter([Scan(torch.ones(5), torch.ones(4))])[0]
    with pytest.raises(ValueError, match="B >= 2"):
        segmenter([Scan(torch.ones(1), torch.ones(1))])[0]


def test_the_network_has_the_size_the_design_asks_for():
    assert 30_000 <= sum(p.numel() for p in ScanNetwork().parameters()) <= 100_000
