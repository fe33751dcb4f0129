"""How ovmake and its workers talk, and what holds a worker: protocol, processes, cages. Standard library only.

cage.py           A cage for a worker: what an action may read and write, and no connection
to anywhere. Linux only; from inside
client.py         The parent's end of a worker: start it, send it a request, read its
response, end it
forking.py        Do one action apart: in a process that is forked for it, in a cage of its
own, and gone after it
helper_worker.py  A worker that another worker keeps at hand: for what its own process must
not, or should not, do
helpers.py        The workers that a worker keeps for its forks: TensorFlow's, which
OpenVINO's asks now and then
progress.py       How far an action is: counts that its worker writes down, for whoever
watches
protocol.py       The protocol between ovmake and its workers: one JSON object a line,
requests on stdin, responses on stdout
serving.py        A worker's loop: requests on stdin, responses on stdout, each action in a
fork and a cage
user_code.py      A user's function at work: a note in the action's folder names it,
whatever becomes of its process
"""
