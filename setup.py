"""The packages: the folders of gantext/, and conf/ as gantext.conf; see pyproject.toml."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["gantext", "gantext.*"]), "gantext.conf"],
    package_dir={"gantext.conf": "conf"},
)
