"""The models of every kind that the tests of workers make: readers of model files read them too."""

from tests.workers.conftest import sources

__all__ = ["sources"]
