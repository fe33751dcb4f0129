"""Tests of `ovmake inspect` and `ovmake init`, less the workers."""
