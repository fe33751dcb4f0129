"""Tests of what runs in, or reads for, a worker process."""
