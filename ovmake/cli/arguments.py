"""What the command line takes: `ovmake COMMAND`, and the options of each.

parse(parser(run), argv).command(arguments) -> exit status
"""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

Command = Callable[[argparse.Namespace], int]

# What people who know other tools call our commands.
ALSO_CALLED = {
    **dict.fromkeys(("make", "all", "convert", "compile", "quantize", "run"), "build"),
    **dict.fromkeys(("bench", "benchmark", "measure", "compare"), "report"),
    **dict.fromkeys(("list", "ls", "targets"), "status"),
    **dict.fromkeys(("info", "show", "describe"), "inspect"),
    **dict.fromkeys(("new", "create"), "init"),
    **dict.fromkeys(("remove", "rm"), "clean"),
    **dict.fromkeys(("why", "reasons"), "explain"),
}


class Parser(argparse.ArgumentParser):
    """A parser that meets an unknown command with the one that was meant."""

    def _check_value(self, action: argparse.Action, value: object) -> None:
        """See that a word is among those allowed; of commands, argparse lists a dozen and names none."""
        if action.dest == COMMAND and isinstance(value, str) and action.choices and value not in action.choices:
            hint = _meant(value, action.choices)
            self.error(f"there is no command `{_printable(value)}`\nhelp: {hint}")
        super()._check_value(action, value)


COMMAND = "name of the command"


def parse(top: argparse.ArgumentParser, words: Sequence[str]) -> argparse.Namespace:
    """Return what the command line says; argparse's own `parse_args` names no option that was meant."""
    arguments, rest = top.parse_known_args(words)
    if rest:
        from ovmake.diagnostics import did_you_mean

        known = re.findall(r"--[a-z][a-z-]+", getattr(arguments, "own", top).format_help())
        hint = next((hint for word in rest if (hint := did_you_mean(word.partition("=")[0], known))), "")
        said = f"unrecognized arguments: {' '.join(map(_printable, rest))}"
        top.error("\nhelp: ".join(filter(None, (said, hint))))
    return arguments


def _meant(word: str, commands: Iterable[str]) -> str:
    """Return what somebody who wrote `word` for a command may want."""
    from ovmake.diagnostics import did_you_mean

    if word in ALSO_CALLED:
        return f"did you mean `{ALSO_CALLED[word]}`?"
    if os.path.exists(word):  # noqa: PTH110
        return (
            f"`ovmake inspect {_printable(word)}` describes a model, `ovmake init {_printable(word)}` writes an Ovfile"
        )
    if ":" in word:
        return f"`ovmake build {_printable(word)}` builds a target"
    return did_you_mean(word, list(commands)) or "`ovmake help` lists the commands"


def _printable(word: str) -> str:
    from ovmake.diagnostics import harmless

    return harmless(word)


def parser(run: Mapping[str, Command]) -> argparse.ArgumentParser:
    """Return the parser; `arguments.command` is the function in `run` of the command asked for, "" for none."""
    top = Parser(prog="ovmake", description="make for OpenVINO models")
    top.add_argument("--version", action="store_true", help="print the version and end")
    top.add_argument("-C", dest="folder", metavar="DIR", default=".", help="the folder of the Ovfile")
    top.add_argument("-f", dest="file", metavar="FILE", default="Ovfile", help="the Ovfile; default: Ovfile")
    top.set_defaults(command=run[""], parser=top)
    commands = top.add_subparsers(title="commands", metavar="COMMAND", dest=COMMAND)

    build = _command(commands, "build", run["build"], "bring IRs up to date")
    _target_arguments(build)
    _run_arguments(build)
    _timeline_argument(build)
    mode = build.add_mutually_exclusive_group()
    mode.add_argument("-n", "--dry-run", action="store_true", help="say what would run, and why, and run nothing")
    mode.add_argument("--watch", action="store_true", help="build again whenever something changes, until Ctrl-C")
    build.add_argument("--force", action="store_true", help="run everything that the targets need, fresh or not")
    check_help = "then build them again from nothing, in a scratch place, and compare byte by byte"
    mode.add_argument("--check", action="store_true", help=check_help)

    report = _command(commands, "report", run["report"], "build, measure what is stale, write the report")
    _target_arguments(report)
    _run_arguments(report)
    _timeline_argument(report)
    report.add_argument("--no-measure", action="store_true", help="show measurements there are, and make none")
    report.add_argument("--force", action="store_true", help="measure again, fresh or not")
    _report_arguments(report)

    explain = _command(commands, "explain", run["explain"], "say why targets are stale, or that they are not")
    _target_arguments(explain)
    explain.add_argument("--json", action="store_true", help="events as JSON lines on stdout")

    debug = _command(commands, "debug", run["debug"], "find the first layer whose output leaves TensorFlow's")
    _debug_arguments(debug)

    status = _command(commands, "status", run["status"], "a line per target: fresh, stale, failed, never built")
    _target_arguments(status)
    status.add_argument("--json", action="store_true", help="a JSON object per target on stdout")

    inspect = _command(commands, "inspect", run["inspect"], "inputs, outputs, layers to cut at, what OpenVINO lacks")
    _inspect_arguments(inspect)

    init = _command(commands, "init", run["init"], "write a starter Ovfile by looking at the models")
    try_help = "write what fits without building it first; then a gate may be missed"
    init.add_argument("--no-try", action="store_true", help=try_help)
    init.add_argument("paths", nargs="*", metavar="PATH", help="models, or folders of some; default: the Ovfile's")

    clean = _command(commands, "clean", run["clean"], "remove what was published; the cache stays")
    clean.add_argument("--all", action="store_true", help="remove the cache, .ovmake, as well")
    gc = _command(commands, "gc", run["gc"], "drop what nothing refers to, and what was not used for long")
    _gc_arguments(gc)

    cache = _command(commands, "cache", run["cache"], "take over a copied cache: `ovmake cache trust`")
    cache.add_argument("action", choices=("trust",), help="believe an .ovmake that another user made, once checked")

    about = commands.add_parser("help", help="read about a topic, an error, a key of the Ovfile, or a command")
    about.set_defaults(command=run["help"], commands=commands.choices)
    about.add_argument("about", nargs="?", metavar="TOPIC", help="default: list the commands and the topics")

    graph = _command(commands, "graph", run["graph"], "the action graph, to draw it or to read it")
    _target_arguments(graph)
    graph.add_argument("--format", choices=("dot", "mermaid", "json"), default="dot", help="default: dot")
    return top


def _command(
    commands: argparse._SubParsersAction[Parser],
    name: str,
    run: Command,
    summary: str,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=summary, description=summary)
    parser.set_defaults(command=run, own=parser)
    # Before the command or after it, as git and make have it: without SUPPRESS this default would undo the former.
    hidden = argparse.SUPPRESS
    parser.add_argument("-C", dest="folder", metavar="DIR", default=hidden, help="the folder of the Ovfile")
    parser.add_argument("-f", dest="file", metavar="FILE", default=hidden, help="the Ovfile; default: Ovfile")
    parser.add_argument("--allow-outside", action="store_true", help="let paths of the Ovfile leave the repo")
    parser.add_argument("--no-wait", action="store_true", help="fail if another ovmake is at work here")
    return parser


def _report_arguments(parser: argparse.ArgumentParser) -> None:
    against_help = "compare with an earlier report.json: a file, or git:REV for this one's at a revision"
    parser.add_argument("--against", metavar="REPORT", default="", help=against_help)
    parser.add_argument("--markdown", action="store_true", help="print the report as Markdown, for a pull request")
    parser.add_argument("--junit", metavar="FILE", default="", help="write a test case per gate to FILE, as JUnit does")
    parser.add_argument("--open", action="store_true", help="open the page in a browser")
    parser.add_argument("--schema", action="store_true", help="print the JSON Schema of report.json, and do nothing")


def _target_arguments(parser: argparse.ArgumentParser) -> None:
    help_text = "`model:precision`, or `model` for all of its precisions; default: all"
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=help_text)


def _run_arguments(parser: argparse.ArgumentParser) -> None:
    _jobs_argument(parser)
    _limit_arguments(parser)
    _code_argument(parser)
    parser.add_argument("-k", "--keep-going", action="store_true", help="go on with other targets after a failure")
    parser.add_argument("--explain", action="store_true", help="say why each action runs")
    parser.add_argument("--json", action="store_true", help="events as JSON lines on stdout")


def _debug_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("targets", nargs="+", metavar="TARGET", help="`model:precision`, or `model` for all of its")
    _jobs_argument(parser)
    _limit_arguments(parser)
    parser.add_argument("--all", action="store_true", help="show every layer, not only the worst ones")
    _code_argument(parser)
    parser.add_argument("--explain", action="store_true", help="say why each action runs")
    parser.add_argument("--json", action="store_true", help="a JSON object per target on stdout")


def _inspect_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL-OR-PATH", help="a model of the Ovfile, or any model's path")
    parser.add_argument("--all", action="store_true", help="show all layers, however many there are")
    allow_help = "let the model run these operations, though they do more than compute: WriteFile,ReadFile"
    parser.add_argument("--allow-ops", metavar="OPS", default="", help=allow_help)
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def _gc_arguments(parser: argparse.ArgumentParser) -> None:
    size_help = "then drop results, the least recently used first, until the store is no larger: 5GB, 500MB"
    parser.add_argument("--max-size", type=_size, metavar="SIZE", help=size_help)
    age_help = "drop results that were not used for so long: 30d, 12h, 2w"
    parser.add_argument("--max-age", type=_age, metavar="AGE", help=age_help)
    parser.add_argument("-n", "--dry-run", action="store_true", help="say what would go, and remove nothing")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def _jobs_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-j", "--jobs", type=_positive, metavar="N", help="actions at a time; default: cores, up to 4")


def _limit_arguments(parser: argparse.ArgumentParser) -> None:
    minutes, memory = "minutes that one action may take", 'memory that one action may need, such as "8 GB" or "512 MiB"'
    ours = "default: the Ovfile's"
    parser.add_argument("--timeout", type=_minutes, metavar="MINUTES", help=f"{minutes}; {ours}, else no limit")
    parser.add_argument("--memory", type=_memory, metavar="SIZE", help=f"{memory}; {ours}, else nine tenths of all")


def _timeline_argument(parser: argparse.ArgumentParser) -> None:
    help_text = "write what ran when to FILE, in Chrome's trace format"
    parser.add_argument("--timeline", metavar="FILE", help=help_text)


def _code_argument(parser: argparse.ArgumentParser) -> None:
    help_text = "refuse an Ovfile that names functions to run, such as a `loader`"
    parser.add_argument("--no-user-code", action="store_true", help=help_text)
    allow_help = "let models run the operations that the Ovfile allows them, `allow-ops`, which do more than compute"
    parser.add_argument("--allow-ops", action="store_true", help=allow_help)


def _positive(text: str) -> int:
    value = int(text) if text.isdecimal() else 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return value


def _size(text: str) -> int:
    from ovmake.units import size_of

    try:
        return size_of(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no size such as 5GB or 500MB") from None


def _age(text: str) -> int:
    from ovmake.units import age_of

    try:
        return age_of(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no age such as 30d, 12h or 2w") from None


def _minutes(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of minutes above 0")
    return value


def _memory(text: str) -> int:
    from ovmake.units import memory_of

    size = memory_of(text)
    if size is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no size such as '8 GB' or '512 MiB'")
    return size
