"""The protocol between ovmake and its workers, their processes and their cages. Standard library only.

It carries requests, answers, files and counts, and ends what takes too much; no value of a result is computed here. So
it is in the digest of no action (`store.own_code`), but for environment.py: what a worker sees of the environment says
which kernels a framework runs.

cage.py           Cage a worker: limit the files that an action may read and write, and forbid all connections.
                  Linux only
client.py         The parent's side of a worker: start it, send it a request, read its response, end it
environment.py    The environment variables of a worker: those that ovmake sets, and those of the user that it gets
forking.py        Run one action in a forked process: in a cage of its own, and ended after the action
helper_worker.py  A worker that another worker starts, for tasks that must not run in its own process
helpers.py        The helper workers that a worker keeps for its forks: OpenVINO's worker sometimes needs
                  TensorFlow's
progress.py       Progress of an action: counts that its worker writes to a file, which ovmake shows
protocol.py       The protocol between ovmake and its workers: one JSON object per line, requests on stdin,
                  responses on stdout
serving.py        A worker's loop: read requests from stdin, run each action in a caged fork, write responses to
                  stdout
user_code.py      A note in the action's folder names the user's function that is running, even if its process
                  dies
"""
