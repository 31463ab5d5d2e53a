"""Weights of tiny untrained networks: they find something in noise, which is enough to run."""

from pathlib import Path

import torch

from conegrad_core.camera.checkpoint import save_network
from conegrad_core.camera.head import build_network
from conegrad_core.crops.network_stage import CropNetworkConfig, CropNetworkStage
from conegrad_core.lidar.scan_network import ScanNetwork
from conegrad_core.lidar.segmenter import save_segmenter

SIZE = (160, 96)  # of the network's input and of the images [px]


def write_camera_weights(folder: Path) -> str:
    """Path of the weights of a detector, always the same ones."""
    torch.manual_seed(0)
    path = folder / "cones.safetensors"
    save_network(build_network("yolov5n").eval(), path, architecture="yolov5n", input_size=SIZE)
    return str(path)


def write_crop_weights(folder: Path, stage: type[CropNetworkStage]) -> str:
    """Path of the weights of a network over crops, always the same ones."""
    torch.manual_seed(0)
    path = folder / stage.weights_file
    stage(CropNetworkConfig()).save(path)
    return str(path)


def write_lidar_weights(folder: Path) -> str:
    """Path of the weights of a segmenter, always the same ones."""
    torch.manual_seed(0)
    path = folder / "scan.safetensors"
    save_segmenter(ScanNetwork(), path, {})
    return str(path)
