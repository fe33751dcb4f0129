"""Tests of the verdicts: accuracy, speed, requirements."""
