"""Run-time engines of the scan network: the same logits as torch, for any scan."""

import math
from dataclasses import replace

import pytest
import torch

from conegrad_core.engines.errors import EngineError
from conegrad_core.lidar.engines import COMPILED_SHAPES
from conegrad_core.lidar.height_profile import PROFILE_CHANNELS
from conegrad_core.lidar.scan import Scan
from conegrad_core.lidar.segmenter import NO_RETURN_LOGIT, SegmenterConfig, load_segmenter

TORCH = SegmenterConfig(engine="torch")


def scan_of(beams: int, view: float) -> Scan:
    """A wall with three cones before it, and every kind of reading that is no return."""
    generator = torch.Generator().manual_seed(beams)
    angles = (torch.arange(beams) - beams / 2) * view / beams
    ranges = 6 / angles.cos().abs().clamp(min=0.4) + 0.02 * torch.randn(beams, generator=generator)
    for place, distance in ((0.3, 2.0), (0.5, 3.5), (0.7, 5.0)):
        width = max(1, round(0.2 / distance / (view / beams)))
        start = int(place * beams)
        ranges[start : start + width] = distance
    for index, reading in enumerate((torch.nan, torch.inf, -torch.inf, 0.0, -1.0, 25.0)):
        ranges[index :: beams // 2 + 7] = reading
    return Scan(ranges, angles)


@pytest.fixture(scope="module")
def reference():
    return load_segmenter(TORCH)


@pytest.fixture(scope="module", params=["onnx", "openvino"])
def segmenter(request):
    return load_segmenter(replace(TORCH, engine=request.param))


@pytest.mark.parametrize(
    ("beams", "view"),
    [
        pytest.param(1081, math.radians(270), id="0.25 degrees"),
        pytest.param(541, math.radians(270), id="half as many beams"),
        pytest.param(1800, 2 * math.pi, id="full turn"),
        pytest.param(360, 2 * math.pi, id="coarse full turn"),
        pytest.param(20, 2 * math.pi, id="full turn of very few beams"),
        pytest.param(7, 2.0, id="very few beams"),
        pytest.param(900, -math.pi, id="clockwise"),
    ],
)
def test_gives_the_logits_of_torch(segmenter, reference, beams, view):
    scan = scan_of(beams, view)
    with torch.inference_mode():
        expected, found = reference([scan])[0], segmenter([scan])[0]
    torch.testing.assert_close(found.logits, expected.logits, rtol=0, atol=1e-4)
    torch.testing.assert_close(found.ranges, expected.ranges, equal_nan=True)


def test_gives_the_logits_of_torch_for_a_cloud_of_several_turns(segmenter, reference):
    scan = scan_of(720, 4 * math.pi)
    scan = scan._replace(profile=torch.rand(PROFILE_CHANNELS, 720))
    with torch.inference_mode():
        expected, found = reference([scan])[0], segmenter([scan])[0]
    torch.testing.assert_close(found.logits, expected.logits, rtol=0, atol=1e-4)


def test_sees_cones_and_no_wall(segmenter):
    logits = segmenter([scan_of(1081, math.radians(270))])[0].logits
    assert logits[int(0.5 * 1081) + 5] > 0
    assert logits[400:500].max() < 0


def test_a_scan_without_any_return_is_judged(segmenter):
    scan = scan_of(90, 2.0)._replace(ranges=torch.full((90,), torch.nan))
    assert (segmenter([scan])[0].logits == NO_RETURN_LOGIT).all()


def test_a_result_is_not_overwritten_by_the_next(segmenter):
    first = segmenter([scan_of(500, 3.0)])[0].logits
    before = first.clone()
    segmenter([scan_of(500, 3.0)._replace(ranges=torch.ones(500))])[0]
    torch.testing.assert_close(first, before, rtol=0, atol=0)


def test_a_beam_count_that_always_changes_keeps_few_shapes_compiled(reference):
    segmenter = load_segmenter(replace(TORCH, engine="openvino"))
    for beams in range(40, 40 + COMPILED_SHAPES + 2):
        scan = scan_of(beams, 2.0)
        expected = reference([scan])[0].logits.detach()
        torch.testing.assert_close(segmenter([scan])[0].logits, expected, rtol=0, atol=1e-4)
    assert len(segmenter.engine._requests) == COMPILED_SHAPES


def test_says_that_it_has_no_gradient(segmenter):
    scan = scan_of(100, 2.0)
    scan.ranges.requires_grad_()
    with pytest.raises(EngineError, match="has no gradient, expected engine 'torch'"):
        segmenter([scan])[0]
    with torch.inference_mode():
        assert segmenter([scan])[0].logits.shape == (100,)


def test_refuses_to_be_trained():
    segmenter = load_segmenter(replace(TORCH, engine="onnx")).train()
    with pytest.raises(EngineError, match="OnnxScanEngine has no gradient"):
        segmenter([scan_of(100, 2.0)])[0]
    assert not any(weight.requires_grad for weight in segmenter.parameters())


def test_auto_runs_exported_on_a_cpu():
    assert load_segmenter(SegmenterConfig()).engine is not None
    assert load_segmenter(TORCH).engine is None


def test_the_export_is_made_once(export_cache):
    load_segmenter(SegmenterConfig(engine="onnx"))
    files = {path: path.stat().st_mtime_ns for path in export_cache.rglob("open_scan.onnx")}
    load_segmenter(SegmenterConfig(engine="openvino"))
    assert files
    assert files == {path: path.stat().st_mtime_ns for path in export_cache.rglob("open_scan.onnx")}


def test_refuses_an_unknown_engine():
    with pytest.raises(ValueError, match=r"SegmenterConfig\.engine is 'caffe', expected one of"):
        SegmenterConfig(engine="caffe")


def test_names_the_device_that_an_engine_cannot_use():
    with pytest.raises(EngineError, match="device is 'meta' for engine 'onnx', expected 'cpu'"):
        load_segmenter(SegmenterConfig(engine="onnx", device="meta"))
