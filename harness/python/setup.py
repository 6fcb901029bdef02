"""What pyproject.toml cannot say: a wheel with the library in it is of one machine, and of any Python 3."""

import pathlib

from setuptools import Distribution, setup
from wheel.bdist_wheel import bdist_wheel

HAS_LIBRARY = (pathlib.Path(__file__).parent / "callgate" / "libcallgate.so.0").exists()


class OfOneMachine(Distribution):
    def has_ext_modules(self):
        return HAS_LIBRARY


class Wheel(bdist_wheel):
    def get_tag(self):
        python, abi, platform = super().get_tag()
        return ("py3", "none", platform) if HAS_LIBRARY else (python, abi, platform)


setup(distclass=OfOneMachine, cmdclass={"bdist_wheel": Wheel})
