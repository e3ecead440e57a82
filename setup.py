"""What pyproject.toml cannot say: the extension modules of a build that is to be compiled."""

import sys

from setuptools import setup

import build_backend

# Setuptools runs this file for the metadata and for a source distribution, too, where there is nothing to compile.
setup(**build_backend.compiled() if build_backend.is_compiled_wanted() and "bdist_wheel" in sys.argv else {})
