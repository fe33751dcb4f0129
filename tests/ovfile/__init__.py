"""Tests of reading an Ovfile."""
