"""`python -m ovmake` is the command `ovmake`.

It ends with `os._exit`, as the command does. Without it, a Ctrl-C that is handled while `exec` runs would kill Python
with SIGINT in place of exit status 130, because CPython's `run_eval_code_obj` remembers it as unhandled. `exec` runs
for each dataclass of an imported module.
"""

from ovmake.cli import command

command()
