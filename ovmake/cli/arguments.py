"""The parser of the command line: `ovmake COMMAND`, and the options of each command.

parse(parser(run), argv).command(arguments) -> exit status
"""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

TYPE_CHECKING = False  # importing typing takes 2 ms
Command = Callable[[argparse.Namespace], int]
if TYPE_CHECKING:
    Commands = argparse._SubParsersAction["Parser"]  # noqa: SLF001 - argparse has no public name for it

# Names of our commands in different tools.
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
    """A parser that suggests a command for an unknown one."""

    def _check_value(self, action: argparse.Action, value: object) -> None:
        """Check a word against the allowed ones. For commands, argparse would list a dozen and suggest none."""
        if action.dest == COMMAND and isinstance(value, str) and action.choices and value not in action.choices:
            hint = _meant(value, action.choices)
            self.error(f"there is no command `{_printable(value)}`\nhelp: {hint}")
        super()._check_value(action, value)


COMMAND = "name of the command"


def parse(top: argparse.ArgumentParser, words: Sequence[str]) -> argparse.Namespace:
    """Parse the command line. Unlike argparse's own `parse_args`, it suggests an option for an unknown one."""
    arguments, rest = top.parse_known_args(words)
    if rest:
        from ovmake.diagnostics import did_you_mean

        known = re.findall(r"--[a-z][a-z-]+", getattr(arguments, "own", top).format_help())
        hint = next((hint for word in rest if (hint := did_you_mean(word.partition("=")[0], known))), "")
        said = f"unrecognized arguments: {' '.join(map(_printable, rest))}"
        top.error("\nhelp: ".join(filter(None, (said, hint))))
    if getattr(arguments, "remote_only", False) and arguments.check:
        top.error("argument --check: not allowed with argument --remote-only\nhelp: --check runs all actions again")
    return arguments


def _meant(word: str, choices: Iterable[str]) -> str:
    """Return a suggestion for an unknown command `word`."""
    from ovmake.diagnostics import did_you_mean

    commands = list(choices)
    if ALSO_CALLED.get(word) in commands:
        return f"did you mean `{ALSO_CALLED[word]}`?"
    if "build" in commands and os.path.exists(word):  # noqa: PTH110
        return (
            f"`ovmake inspect {_printable(word)}` describes a model, `ovmake init {_printable(word)}` writes an Ovfile"
        )
    if "build" in commands and ":" in word:
        return f"`ovmake build {_printable(word)}` builds a target"
    return did_you_mean(word, commands) or "`ovmake help` lists the commands"


def _printable(word: str) -> str:
    from ovmake.diagnostics import harmless

    return harmless(word)


def parser(run: Mapping[str, Command]) -> argparse.ArgumentParser:
    """Return the parser; `arguments.command` is the function in `run` for the command, "" without a command."""
    top = Parser(prog="ovmake", description="make for OpenVINO models")
    top.add_argument("--version", action="store_true", help="print the version")
    top.add_argument("-C", dest="folder", metavar="DIR", default=".", help="the folder of the Ovfile")
    top.add_argument("-f", dest="file", metavar="FILE", default="Ovfile", help="the Ovfile; default: Ovfile")
    top.set_defaults(command=run[""], parser=top)
    commands = top.add_subparsers(title="commands", metavar="COMMAND", dest=COMMAND)

    for add in (_build_command, _report_command, _commands_that_look, _commands_that_keep, _commands_to_read):
        add(commands, run)
    return top


def _build_command(commands: Commands, run: Mapping[str, Command]) -> None:
    build = _command(commands, "build", run["build"], "bring IRs up to date")
    _target_arguments(build)
    _run_arguments(build)
    _timeline_argument(build)
    mode = build.add_mutually_exclusive_group()
    mode.add_argument("-n", "--dry-run", action="store_true", help="print what would run, and why; run nothing")
    mode.add_argument("--watch", action="store_true", help="build again after every change, until Ctrl-C")
    runs = build.add_mutually_exclusive_group()
    runs.add_argument("--force", action="store_true", help="run all actions that the targets need, even fresh ones")
    check_help = "then build them again from nothing, in a scratch folder, and compare byte by byte"
    mode.add_argument("--check", action="store_true", help=check_help)
    locked_help = "require that settings, sources and IRs are those of Ovfile.lock, byte for byte"
    mode.add_argument("--locked", action="store_true", help=locked_help)
    frozen_help = "run nothing: publish the files that Ovfile.lock names, from this machine or the remote cache"
    mode.add_argument("--frozen", action="store_true", help=frozen_help)
    upgrade_help = "build the locked inputs with today's tools, publish nothing, and compare; exit 1: a gate is missed"
    mode.add_argument("--upgrade-check", action="store_true", help=upgrade_help)
    only_help = "fail at the first action that no cache has, rather than run it"
    runs.add_argument("--remote-only", action="store_true", help=only_help)


def _report_command(commands: Commands, run: Mapping[str, Command]) -> None:
    report = _command(commands, "report", run["report"], "build, update stale measurements, write the report")
    _target_arguments(report)
    _run_arguments(report)
    _timeline_argument(report)
    report.add_argument("--no-measure", action="store_true", help="show existing measurements, and make no new ones")
    report.add_argument("--force", action="store_true", help="repeat all measurements, even fresh ones")
    _report_arguments(report)


def _commands_that_look(commands: Commands, run: Mapping[str, Command]) -> None:
    explain = _command(commands, "explain", run["explain"], "print why targets are stale")
    _target_arguments(explain)
    explain.add_argument("--json", action="store_true", help="print events as JSON lines on stdout")

    debug = _command(commands, "debug", run["debug"], "find the first layer whose output differs from TensorFlow's")
    _debug_arguments(debug)

    status = _command(commands, "status", run["status"], "a line per target: fresh, stale, failed, never built")
    _target_arguments(status)
    status.add_argument("--json", action="store_true", help="print a JSON object per target on stdout")

    inspect = _command(commands, "inspect", run["inspect"], "print inputs, outputs, layers, and what OpenVINO lacks")
    _inspect_arguments(inspect)


def _commands_that_keep(commands: Commands, run: Mapping[str, Command]) -> None:
    init = _command(commands, "init", run["init"], "write a starter Ovfile for the models that it finds")
    _init_arguments(init)

    clean = _command(commands, "clean", run["clean"], "remove published files; the cache stays")
    clean.add_argument("--all", action="store_true", help="also remove the cache, .ovmake")
    gc = _command(commands, "gc", run["gc"], "remove unreferenced files, and results over a limit of age or size")
    _gc_arguments(gc)

    lock = _command(commands, "lock", run["lock"], "write Ovfile.lock for the built targets; check it, merge it")
    _lock_arguments(lock)

    cache = _command(commands, "cache", run["cache"], "a remote cache: trust it, list, check, fill and clean it")
    _cache_commands(cache, run)


def _commands_to_read(commands: Commands, run: Mapping[str, Command]) -> None:
    about = commands.add_parser("help", help="read about a topic, an error, a key of the Ovfile, or a command")
    about.set_defaults(command=run["help"], commands=commands.choices)
    about.add_argument("about", nargs="?", metavar="TOPIC", help="default: list the commands and the topics")

    graph = _command(commands, "graph", run["graph"], "print the action graph, for drawing or reading")
    _target_arguments(graph)
    graph.add_argument("--format", choices=("dot", "mermaid", "json"), default="dot", help="default: dot")


def _command(
    commands: Commands,
    name: str,
    run: Command,
    summary: str,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=summary, description=summary)
    parser.set_defaults(command=run, own=parser)
    # Allowed before and after the command, as in git and make. SUPPRESS: the default must not overwrite the first.
    hidden = argparse.SUPPRESS
    parser.add_argument("-C", dest="folder", metavar="DIR", default=hidden, help="the folder of the Ovfile")
    parser.add_argument("-f", dest="file", metavar="FILE", default=hidden, help="the Ovfile; default: Ovfile")
    parser.add_argument("--allow-outside", action="store_true", help="allow paths of the Ovfile outside of the repo")
    parser.add_argument("--no-wait", action="store_true", help="fail if another ovmake is running here")
    return parser


def _report_arguments(parser: argparse.ArgumentParser) -> None:
    against_help = "compare with an earlier report.json: a file, or git:REV for a revision of this repo"
    parser.add_argument("--against", metavar="REPORT", default="", help=against_help)
    parser.add_argument("--markdown", action="store_true", help="print the report as Markdown, for a pull request")
    parser.add_argument("--junit", metavar="FILE", default="", help="write FILE for JUnit, with a test case per gate")
    parser.add_argument("--open", action="store_true", help="open the page in a browser")
    parser.add_argument("--schema", action="store_true", help="print the JSON Schema of report.json, and exit")


def _target_arguments(parser: argparse.ArgumentParser) -> None:
    help_text = "`model:precision`, or `model` for all of its precisions; default: all"
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=help_text)


def _run_arguments(parser: argparse.ArgumentParser) -> None:
    _jobs_argument(parser)
    _limit_arguments(parser)
    _code_argument(parser)
    _remote_arguments(parser)
    parser.add_argument("-k", "--keep-going", action="store_true", help="continue with the rest after a failure")
    parser.add_argument("--explain", action="store_true", help="print why each action runs")
    parser.add_argument("--json", action="store_true", help="print events as JSON lines on stdout")


def _debug_arguments(parser: argparse.ArgumentParser) -> None:
    help_text = "`model:precision`, or `model` for all of its precisions"
    parser.add_argument("targets", nargs="+", metavar="TARGET", help=help_text)
    _jobs_argument(parser)
    _limit_arguments(parser)
    parser.add_argument("--all", action="store_true", help="show all layers, not only the worst")
    _code_argument(parser)
    _remote_arguments(parser)
    parser.add_argument("--explain", action="store_true", help="print why each action runs")
    parser.add_argument("--json", action="store_true", help="print a JSON object per target on stdout")


def _inspect_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL-OR-PATH", help="a model of the Ovfile, or the path of any model")
    parser.add_argument("--all", action="store_true", help="show all layers, also of a large model")
    allow_help = "allow the model these operations, which do more than compute: WriteFile,ReadFile"
    parser.add_argument("--allow-ops", metavar="OPS", default="", help=allow_help)
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")


def _init_arguments(parser: argparse.ArgumentParser) -> None:
    try_help = "write settings that fit without trying a build; a gate may fail then"
    parser.add_argument("--no-try", action="store_true", help=try_help)
    parser.add_argument("--schema", action="store_true", help="print the JSON Schema of an Ovfile, and do nothing")
    parser.add_argument("paths", nargs="*", metavar="PATH", help="models, or folders with models; default: DIR")


def _gc_arguments(parser: argparse.ArgumentParser) -> None:
    size_help = "drop results, the least recently used first, until the store is at most this large: 5GB, 500MB"
    parser.add_argument("--max-size", type=_size, metavar="SIZE", help=size_help)
    age_help = "drop results that were not used for this long: 30d, 12h, 2w"
    parser.add_argument("--max-age", type=_age, metavar="AGE", help=age_help)
    parser.add_argument("-n", "--dry-run", action="store_true", help="print what would be removed; remove nothing")
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")


def _lock_arguments(parser: argparse.ArgumentParser) -> None:
    _target_arguments(parser)
    mode = parser.add_mutually_exclusive_group()
    check_help = "print what is out of date, and exit with 1 if anything is; write nothing"
    mode.add_argument("--check", action="store_true", help=check_help)
    merge_help = "git's merge driver: merge three files into OURS, and exit with 1 if a conflict is left"
    mode.add_argument("--merge", nargs=3, metavar=("BASE", "OURS", "THEIRS"), help=merge_help)
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")


def _cache_commands(cache: argparse.ArgumentParser, run: Mapping[str, Command]) -> None:
    words = cache.add_subparsers(title="commands", metavar="COMMAND", dest=COMMAND, parser_class=Parser)
    trust = _command(words, "trust", run["cache trust"], "accept the Ovfile's remote, or a different user's .ovmake")
    which = trust.add_mutually_exclusive_group()
    which.add_argument("--remote", action="store_true", help="accept the remote and the keys that the Ovfile names")
    which.add_argument("--state", action="store_true", help="import a different user's .ovmake, after checking it")
    trust.add_argument("--yes", action="store_true", help="accept without a question; needed in scripts")
    keygen = _command(words, "keygen", run["cache keygen"], "print a new pair of keys; no file is written")
    listing = _command(words, "ls", run["cache ls"], "print how many results the remote has for each target")
    _target_arguments(listing)
    verify = _command(words, "verify", run["cache verify"], "fetch and check every result and blob of the targets")
    _target_arguments(verify)
    verify.add_argument("--all", action="store_true", help="check everything that the remote lists")
    push = _command(words, "push", run["cache push"], "upload the results of fresh targets that the remote lacks")
    _target_arguments(push)
    gc = _command(words, "gc", run["cache gc"], "drop results by age or size, and blobs that no result needs")
    _cache_gc_arguments(gc)
    for one in (keygen, listing, verify, push, gc):
        one.add_argument("--json", action="store_true", help="print JSON objects on stdout")


def _cache_gc_arguments(parser: argparse.ArgumentParser) -> None:
    age_help = "drop results that were uploaded longer ago: 30d, 12h, 2w"
    parser.add_argument("--older-than", type=_age, metavar="AGE", help=age_help)
    size_help = "drop results, the oldest first, until the remote has at most this size: 50GB, 500MB"
    parser.add_argument("--max-size", type=_size, metavar="SIZE", help=size_help)
    grace_help = "keep uploads of this time; longer than any upload takes; default: 1d"
    parser.add_argument("--grace", type=_age, metavar="AGE", help=grace_help)
    parser.add_argument("-n", "--dry-run", action="store_true", help="print what would be dropped; drop nothing")


def _jobs_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-j", "--jobs", type=_positive, metavar="N", help="actions at a time; default: cores, up to 4")


def _limit_arguments(parser: argparse.ArgumentParser) -> None:
    minutes, memory = "time limit of one action", 'memory limit of one action, such as "8 GB" or "512 MiB"'
    ours = "default: the Ovfile's"
    parser.add_argument("--timeout", type=_minutes, metavar="MINUTES", help=f"{minutes}; {ours}, else no limit")
    parser.add_argument("--memory", type=_memory, metavar="SIZE", help=f"{memory}; {ours}, else nine tenths of all")


def _timeline_argument(parser: argparse.ArgumentParser) -> None:
    help_text = "write a timeline of the actions to FILE, in Chrome's trace format"
    parser.add_argument("--timeline", metavar="FILE", help=help_text)


def _code_argument(parser: argparse.ArgumentParser) -> None:
    help_text = "refuse an Ovfile that names functions to run, such as a `loader`"
    parser.add_argument("--no-user-code", action="store_true", help=help_text)
    allow_help = "allow models the operations of `allow-ops` in the Ovfile, which do more than compute"
    parser.add_argument("--allow-ops", action="store_true", help=allow_help)


def _remote_arguments(parser: argparse.ArgumentParser) -> None:
    flag = argparse.BooleanOptionalAction
    parser.add_argument("--push", action=flag, help="upload results to the remote cache; default: `push` in [cache]")
    parser.add_argument("--no-remote", action="store_true", help="do not use the remote cache of the Ovfile")


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
        raise argparse.ArgumentTypeError(f"{text!r} is not a size such as 5GB or 500MB") from None


def _age(text: str) -> int:
    from ovmake.units import age_of

    try:
        return age_of(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not an age such as 30d, 12h or 2w") from None


def _minutes(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of minutes above 0")
    return value


def _memory(text: str) -> int:
    from ovmake.units import memory_of

    size = memory_of(text)
    if size is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size such as '8 GB' or '512 MiB'")
    return size
