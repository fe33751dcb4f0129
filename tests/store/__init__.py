"""Tests of what is kept between runs: on real files, real SQLite and real processes."""
