"""Build of the ament_python package; its metadata is in setup.cfg."""

from setuptools import setup

setup()
