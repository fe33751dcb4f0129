"""How long a build may take, and how far it is. Pure.

costs.py     What actions are likely to take, from earlier runs. Pure
estimate.py  How long a build would take: its plan, played with the real scheduler and a clock
that is only counted. Pure
forecast.py  How far a build is, and how long it may still take, by what earlier runs took. It
asks no clock but for its own pace
"""
