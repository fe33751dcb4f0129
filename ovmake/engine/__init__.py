"""The engine: which actions run, why, in which order, and by whom.

Deciding is pure and stands apart from doing. The modules:

    staleness.py        the one function that decides whether an action runs, and every reason for it. Pure
    scheduler.py        the states of actions and which one is next. Pure
    explain.py          reasons in words. Pure
    forecasting/        how long it may take, by what earlier runs took. Pure
    resource_limits.py  what one action may take: minutes, memory. Pure
    job.py              what is handed to a runner, and what comes back
    world.py            everything with effects in one place, so that tests can bring their own
    observe.py          what an action would see now, and whether its outputs are as it left them
    results.py          what an action made: into the store, under the build folder, and found again
    executor.py         the one loop that builds
    runner.py           the Runner protocol's real side: worker processes
    in_process/         the actions that run in this process: they compare a few numbers, or publish
    events.py           what the executor tells whoever listens
    target_outcome.py   what became of a target. Pure
    status.py           a line per target, from a dry run
    scores.py           both scores of a gate's metric, as facts hold them. Pure
    user_code.py        which function of the user's ran when a process died
"""
