"""Promises of accuracy, kept and broken."""
