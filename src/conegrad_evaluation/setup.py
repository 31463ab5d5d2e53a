"""Build of the ament_python package."""

from setuptools import find_packages, setup

NAME = "conegrad_evaluation"

setup(
    name=NAME,
    version="0.1.0",
    description="Evaluation of ConeGrad: metrics, recorded drives against truth, reports.",
    license="AGPL-3.0-or-later",
    author="ConeGrad contributors",
    packages=find_packages(exclude=["tests"]),
    package_data={NAME: ["*/templates/*"]},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{NAME}"]),
        (f"share/{NAME}", ["package.xml"]),
    ],
    python_requires=">=3.10",
    install_requires=[
        "setuptools",
        "conegrad_core",
        "conegrad_data",
        "jinja2",
        "matplotlib",
        "numpy",
        "opencv-python",
        "pillow",
        "scipy",
        "torch",
    ],
    zip_safe=False,
)
