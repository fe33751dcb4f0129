"""The engine: which actions run, why, in which order, and by whom.

Deciding is pure and stands apart from doing. The modules:

    staleness.py   the one function that decides whether an action runs, and every reason for it. Pure
    scheduler.py   the states of actions and which one is next. Pure
    explain.py     reasons in words. Pure
    executor.py    the one loop that builds
    runner.py      the Runner protocol's real side: worker processes
    here.py        the few actions that run in this process: gate and publish
    events.py      what the executor tells whoever listens
"""
