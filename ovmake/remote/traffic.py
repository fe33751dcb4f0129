"""Counts what a build had of a remote."""
