"""The params of actions: what a rule writes, a reason names, a digest covers and a worker reads.

promise.py   MaxDrop, and what a gate asks of an IR
judging.py   what the other judges ask: speed, size, what a measurement must show
"""
