"""Estimates of a build's time and progress, from earlier runs. Pure but for outlook.py.

costs.py     likely costs of actions: seconds and memory
estimate.py  estimated time of a build: its plan, simulated with the real scheduler
forecast.py  progress and remaining time of a running build
outlook.py   the three of them for one build, with the world that they look at
"""
