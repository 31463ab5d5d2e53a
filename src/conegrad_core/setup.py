"""Build of the ament_python package."""

from setuptools import find_packages, setup

NAME = "conegrad_core"

setup(
    name=NAME,
    version="0.1.0",
    description="Detection, segmentation and differentiable fusion of cones; no ROS.",
    license="AGPL-3.0-or-later",
    author="ConeGrad contributors",
    packages=find_packages(exclude=["tests"]),
    package_data={NAME: ["weights/*", "presets/*/*.yaml"]},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{NAME}"]),
        (f"share/{NAME}", ["package.xml"]),
    ],
    python_requires=">=3.10",
    install_requires=[
        "setuptools",
        "numpy",
        "onnx",
        "onnxruntime",
        "open3d",
        "opencv-python",
        "openvino",
        "pyyaml",
        "safetensors",
        "scipy",
        "torch",
        "torchvision",
        "ultralytics",
    ],
    zip_safe=False,
    entry_points={
        "conegrad.stages": [
            "cone_fusion = conegrad_core.fusion.stage:FusionStage",
            "scan_cnn = conegrad_core.lidar.stage:SegmenterStage",
            "yolov5_detector = conegrad_core.camera.stage:DetectorStage",
        ],
        "conegrad.ports": [
            "Cones = conegrad_core.pipeline.ports:CONES",
            "Detections = conegrad_core.pipeline.ports:DETECTIONS",
            "Image = conegrad_core.pipeline.ports:IMAGE",
            "Scan = conegrad_core.pipeline.ports:SCAN",
            "SegmentedScan = conegrad_core.pipeline.ports:SEGMENTED_SCAN",
        ],
    },
)
