"""The engine: it decides which actions run, for which reasons and in which order, and runs them.

Decisions are pure functions, in modules of their own. The modules:

    staleness.py        the only function that decides whether an action runs, with all reasons. Pure
    scheduler.py        the states of actions, and the next one to run. Pure
    explain.py          reasons as sentences. Pure
    forecasting/        estimates of build time, from earlier runs. Pure
    resource_limits.py  limits of one action: minutes, memory. Pure
    job.py              Job, Completion and the Runner protocol
    remote.py           the protocol of a cache behind a network, and what goes over it
    world.py            all effects behind one dataclass; tests pass fakes
    observe.py          the present inputs of an action, and whether its outputs are unchanged
    fetching.py         the part of a build that asks a remote cache
    results.py          outputs of actions: stored, published, restored from the action cache
    executor.py         the main loop of a build
    runner.py           the real Runner: worker processes
    in_process/         actions that run in this process: they compare a few numbers, or publish
    user_code.py        the user's function that ran when a worker died
    events.py           the events that the executor emits
    outcomes/           what came of a build: targets, scores, failures
"""
