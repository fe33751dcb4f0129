"""Tests of what runs, why and when: on a fake disk and a fake runner, but for no fake of the engine itself."""
