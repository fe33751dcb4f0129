"""`python -m ovmake` is the command `ovmake`.

It ends as that does, with `os._exit`. Python would kill itself with SIGINT in place of exit status 130 if a Ctrl-C was
handled that came while `exec` ran, as it does for each dataclass of a module that is imported (CPython's
`run_eval_code_obj` remembers it as unhandled).
"""

from ovmake.cli import command

command()
