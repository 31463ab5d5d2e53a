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
    package_data={NAME: ["weights/*"]},
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
)
