"""Some faults, put into copies of the checkout one by one: does the suite find them? `python -m tests.mutations`.

    python -m tests.mutations                         all of them
    python -m tests.mutations racy-clock orphans-live  some
    python -m tests.mutations --checkout FOLDER       of another checkout's code and tests, say an older one's

For whoever makes the suite quicker: what was caught before has to be caught after. Each fault is a line that somebody
could write, and names the tests that should find it. They run in a copy, with `-x`, and the first failure is told.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
NOT_COPIED = shutil.ignore_patterns(".git", ".venv", "*_cache", "__pycache__", ".hypothesis", "build", ".ovmake")


@dataclass(frozen=True, slots=True)
class Mutation:
    """Replace `old` by `new` in a file of ovmake's; `tests` is what pytest is told to run."""

    file: str
    old: str
    new: str
    tests: str


ENGINE, STORE, RULES = "tests/engine -m not_heavy", "tests/store tests/engine -m not_heavy", "tests/rules -m not_heavy"
RESULTS, FAULTS = "tests/remote/test_results.py -m not_heavy", "tests/remote/test_faults.py -m not_heavy"

MUTATIONS: dict[str, Mutation] = {
    # engine
    "environment-ignored": Mutation(
        "engine/staleness.py",
        '    reasons += _changes("environment", before.environment, seen.environment)\n',
        "",
        ENGINE,
    ),
    "result-without-bytes": Mutation(
        "engine/results.py",
        "if cached and all(self._cas.has(digest) for digest in cached.outputs.values()):",
        "if cached:",
        ENGINE,
    ),
    "any-result-taken": Mutation(
        "engine/results.py",
        "        if not fits:\n            return False\n",
        "",
        ENGINE,
    ),
    "advice-decides": Mutation(
        "engine/observe.py",
        "return self._world.rebuilder(seen.without(action.advice), before, outputs, forced=forced)",
        "return self._world.rebuilder(seen, before, outputs, forced=forced)",
        ENGINE,
    ),
    "other-file-than-locked": Mutation(
        "engine/executor.py",
        "        elif wrong := self._not_as_locked(action, seen):\n            self._fail(action, scheduler, wrong)\n",
        "",
        "tests/engine -m not_heavy",
    ),
    "blob-of-any-digest": Mutation(
        "remote/blobs.py",
        "    if left or hashed.hexdigest() != digest.sha256:\n        raise RefusedError(MISMATCH)\n",
        "",
        "tests/remote -m not_heavy",
    ),
    "moved-source-kept": Mutation(
        "engine/executor.py",
        "if moved := self._looker.moved_source(action):",
        "if (moved := self._looker.moved_source(action)) and not moved:",
        ENGINE,
    ),
    "fresh-counted": Mutation("engine/forecasting/forecast.py", "self._of -= fresh", "self._of -= 0 * fresh", ENGINE),
    "progress-believed": Mutation("engine/runner.py", "UNIT.fullmatch(unit) and ", "", ENGINE),
    "gate-at-chance": Mutation(
        "commands/inspect/settling.py",
        "if score > use.common + CLEARLY * _error(use.common, count):",
        "if score >= 0:",
        "tests/commands/inspect -m not_heavy",
    ),
    "anybodys-state-looked-at": Mutation(
        "store/observing.py",
        'return None if connection.execute("SELECT seal FROM owner").fetchall() == [(sealer.owner,)] else NOT_OURS',
        "return None",
        STORE,
    ),
    "measured-beside-others": Mutation(
        "engine/scheduler.py",
        "alone = self._ready_alone if not (self._ready or self.running) else []",
        "alone = self._ready_alone if not self._ready else []",
        ENGINE,
    ),
    "grandchildren-live": Mutation(
        "engine/runner.py",
        "        self._selector.unregister(descriptor)\n        _end_all(busy.worker, parents())\n",
        "        self._selector.unregister(descriptor)\n        busy.worker.end()\n",
        "tests/e2e/test_limits.py",
    ),
    # store
    "racy-clock": Mutation(
        "store/files/sources.py",
        "if cached and cached.stat == found and found.mtime_ns + RACY_NS < cached.seen_ns:",
        "if cached and cached.stat == found:",
        STORE,
    ),
    "rot-believed": Mutation(
        "store/cas.py",
        "if self._disk.digest(self.path(digest)) == digest:",
        "if self.has(digest):",
        STORE,
    ),
    "lock-of-a-removed-file": Mutation(
        "store/lock.py",
        "if there is not None and os.path.samestat(os.fstat(file), there):",
        "if there is not None:",
        "tests/store",
    ),
    "copied-unchecked": Mutation(
        "store/files/publishing.py",
        "if hasher.hexdigest() != digest.sha256:",
        "if not hasher.hexdigest():",
        STORE,
    ),
    "old-folder-lost": Mutation(
        "store/files/publishing.py",
        'elif left.endswith(".old") and not exists(parent, name):',
        'elif left.endswith(".older"):',
        STORE,
    ),
    # rules
    "tags-not-frozen": Mutation(
        "rules/freeze.py",
        "as_it_is = target.signature == DEFAULT_SIGNATURE and target.tags == DEFAULT_TAGS",
        "as_it_is = target.signature == DEFAULT_SIGNATURE",
        RULES,
    ),
    "half-the-certainty": Mutation("verdicts/intervals.py", "<= MISSES / 2:", "<= MISSES:", "tests/verdicts"),
    "size-at-its-limit": Mutation(
        "verdicts/requirements.py", "PASSED if size_bytes <= most", "PASSED if size_bytes < most", "tests/verdicts"
    ),
    "samples-are-no-param": Mutation("ovfile/schema/compression.py", "        reaches=CALIBRATING,\n", "", RULES),
    "default-is-a-param": Mutation(
        "ovfile/schema/declaring.py", "self.stated or value != self.default", "True", "tests/ovfile"
    ),
    "cut-by-computation": Mutation(
        "rules/settings.py",
        "by_computation=followed and not is_cut)",
        "by_computation=followed)",
        RULES,
    ),
    "unloaded-twin-shared": Mutation(
        "rules/check_source.py",
        "if not any(given.by_computation for given in source):",
        "if source:",
        RULES,
    ),
    # workers
    "scaled-before-mean": Mutation(
        "workers/conversion/preprocessing.py",
        'for key, values in (("mean", plan.mean), ("scale", plan.scale)):',
        'for key, values in (("scale", plan.scale), ("mean", plan.mean)):',
        "tests/e2e/test_options.py tests/e2e/test_odd_options.py",
    ),
    "chance-unsure": Mutation(
        "verdicts/sanity.py", "if not (chance.above_low <= SLACK and above", "if not (above", "tests/verdicts"
    ),
    "absurd-by-luck": Mutation(
        "verdicts/sanity.py", "metric.interval.high >= 0", "metric.interval.high >= 1", "tests/verdicts"
    ),
    "nan-calibrates": Mutation(
        "workers/inputs/calibration_check.py",
        "if not finite.all():",
        "if finite.any() is None:",
        "tests/workers/inputs/test_calibration_check.py",
    ),
    "labels-unwatched": Mutation(
        "workers/inputs/datasets/yielded.py",
        '            ("labels", self.labels, before.labels),\n',
        "",
        "tests/workers/inputs/datasets/test_yielded.py",
    ),
    "user-code-unnamed": Mutation(
        "engine/runner.py",
        "ran is not None and (ran.running or busy.worker.garbled)",
        "ran is not None and busy.worker.garbled",
        "tests/engine/test_user_code.py",
    ),
    "interval-unpaired": Mutation(
        "workers/evaluation/metrics/bootstrap.py",
        "drawn.append((reference.scores(draws), candidate.scores(draws)))",
        "drawn.append((reference.scores(draws), candidate.scores(draws[::-1])))",
        "tests/workers/evaluation/metrics -m not_heavy",
    ),
    "orphans-live": Mutation(
        "workers/ipc/protocol.py",
        "ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)",
        "ctypes.CDLL(None)",
        "tests/workers/ipc/test_dying.py tests/e2e/crashes/test_kills.py tests/e2e/crashes/test_interrupts.py",
    ),
    "counter-in-the-ir": Mutation(
        "workers/conversion/ir.py",
        "if GENERATED.fullmatch(name):",
        "if not name:",
        "tests/e2e/test_minimal.py tests/e2e/crashes/test_broken_state.py",
    ),
    "attributes-unread": Mutation(
        "sources/fingerprint.py",
        'digest = _combine("node", node.op.encode(), self.attributes(node), *inputs)',
        'digest = _combine("node", node.op.encode(), *inputs)',
        "tests/sources/test_fingerprint.py",
    ),
    # walls against strangers
    "links-followed": Mutation(
        "store/files/handles.py",
        "FILE = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC",
        "FILE = os.O_NONBLOCK | os.O_CLOEXEC",
        "tests/store/files/test_own_folders.py",
    ),
    "seals-unread": Mutation(
        "store/sealing.py",
        "if found != self.seal(table, *values):",
        "if found is None:",
        "tests/store -m not_heavy",
    ),
    "links-in-sources": Mutation(
        "store/files/disk.py",
        'if entry.is_symlink() and not self._inside(f"{top}/{prefix}{entry.name}"):',
        "if entry.is_symlink() and not entry.name:",
        "tests/store/files/test_disk.py",
    ),
    "no-cage": Mutation(
        "workers/ipc/forking.py",
        "missing = cage.enter(inside)",
        'missing = ""',
        "tests/workers/ipc/test_cage.py -m not_heavy",
    ),
    "sockets-allowed": Mutation(
        "workers/ipc/cage.py",
        "(_RETURN, 0, 0, _REFUSE | errno.EACCES),",
        "(_RETURN, 0, 0, _ALLOW),",
        "tests/workers/ipc/test_cage.py -m not_heavy",
    ),
    # the gate
    "allowance-without-end": Mutation(
        "verdicts/agreement.py",
        "USEFUL_ERROR = 1e-2\n",
        "USEFUL_ERROR = 1e9\n",
        "tests/verdicts",
    ),
    "int8-judged-on-noise": Mutation(
        "rules/gate.py",
        "        real_data=_needs_real_data(target),\n",
        "        real_data=False,\n",
        RULES,
    ),
    "calibrating-samples-judge": Mutation(
        "workers/inputs/samples.py",
        "others = samples.shuffled(seed).after(asked.calibrating).first(HELD_OUT)",
        "others = samples.shuffled(seed).first(HELD_OUT)",
        "tests/workers/inputs/test_samples.py",
    ),
    "default-unasked": Mutation(
        "verdicts/by_default.py",
        "    found = evaluation.by_default\n",
        "    found = None\n",
        "tests/verdicts/test_by_default.py",
    ),
    "neighbours-unasked": Mutation(
        "verdicts/verdict.py",
        "    if (same := check_neighbours(neighbours, promise)) is not None and not same.kept:\n",
        "    if (same := check_neighbours(neighbours, promise)) is not None and same.kept:\n",
        "tests/verdicts/test_by_default.py",
    ),
    "unmeasured-silently": Mutation(
        "verdicts/judging.py",
        "        yield unmeasured(verdict.text, verdict.help)\n",
        "",
        "tests/engine/test_in_process.py",
    ),
    "unscreened": Mutation(
        "sources/screening/screen.py",
        "    named = frozenset(allowed)\n    match kind:\n",
        '    named = frozenset(allowed)\n    match "":\n',
        "tests/sources/screening/test_screening.py -m not_heavy",
    ),
    "unscreened-as-shipped": Mutation(
        "workers/loading/shipped.py",
        '    screen(source, "saved-model", allowed)\n',
        "",
        "tests/workers/loading/test_shipped.py",
    ),
    "states-forgotten": Mutation(
        "sources/integrity/stateful.py",
        "            self.assigned |= given[0]\n",
        "            self.assigned |= given[-1]\n",
        "tests/sources/integrity/test_stateful.py",
    ),
    "pointers-loaded": Mutation(
        "sources/integrity/fetched.py",
        "path.read_bytes().startswith(LFS)",
        "path.read_bytes().endswith(LFS)",
        "tests/sources/integrity/test_fetched.py",
    ),
    # a remote that lies
    "replayed-result": Mutation(
        "remote/results.py", "if key and result.key != key:", "if key == result.action:", RESULTS
    ),
    "unsigned-result": Mutation(
        "remote/signing.py", "    if trusted_keys:\n", "    if trusted_keys and envelope.signatures:\n", RESULTS
    ),
    "strangers-key": Mutation("remote/signing.py", " if one.keyid in trusted]", "]", RESULTS),
    "swapped-blob": Mutation(
        "remote/blobs.py",
        "if left or hashed.hexdigest() != digest.sha256:\n        raise RefusedError(MISMATCH)",
        "if left:\n        raise RefusedError(MISMATCH)",
        FAULTS,
    ),
    "changed-output-sent": Mutation(
        "remote/blobs.py",
        'if left or hashed.hexdigest() != digest.sha256:\n        raise ChangedError("an output has changed")',
        'if left:\n        raise ChangedError("an output has changed")',
        FAULTS,
    ),
    "result-without-blobs": Mutation(
        "remote/pushing.py",
        "            if self._error is not None:\n                raise self._error\n            self._write()",
        "            self._write()",
        FAULTS,
    ),
    "breaker-that-holds": Mutation("remote/breaker.py", "self._in_a_row >= IN_A_ROW or ", "", FAULTS),
    "deadline-without-end": Mutation(
        "remote/transport/loop.py", "wait_for(coroutine, deadline_s)", "wait_for(coroutine, None)", FAULTS
    ),
    "reader-that-pushes": Mutation(
        "remote/cache.py",
        "if self._settings.push:",
        "if self._settings.url:",
        "tests/remote/test_cache.py -m not_heavy",
    ),
}


def caught_by(mutation: Mutation, checkout: Path) -> str:
    """Return the first test that fails in a copy with the fault, and not without it; "" if none does."""
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        copy = Path(shutil.copytree(checkout, Path(folder) / "ovmake", ignore=NOT_COPIED, symlinks=True))
        file = copy / "ovmake" / mutation.file
        text = file.read_text()
        if text.count(mutation.old) != 1:
            return f"cannot be tried: {mutation.file} has {text.count(mutation.old)} places for it"
        words = [word.replace("not_heavy", "not heavy") for word in mutation.tests.split()]
        # An older checkout lacks some.
        tests = [word for word in words if not word.startswith("tests/") or (copy / word).exists()]
        file.write_text(text.replace(mutation.old, mutation.new))
        failed = first_failure(copy, *tests)
        file.write_text(text)
        if failed and first_failure(copy, failed):
            return f"cannot be tried: {failed} fails anyway"
        return failed


def first_failure(checkout: Path, *words: str) -> str:
    """Run tests until one fails; return its name, "" if none does."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--no-header", *words]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)
    found = re.search(r"^(?:FAILED|ERROR) (.*?)(?: - |$)", done.stdout, flags=re.MULTILINE)
    if done.returncode and found is None:
        raise SystemExit(f"the tests did not run:\n{done.stdout}{done.stderr}")
    return found[1] if found else ""


def main() -> int:
    """Try faults; return how many were not found."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(MUTATIONS)}")
    parser.add_argument("--checkout", type=Path, default=ROOT)
    words = parser.parse_args()
    missed = 0
    for name in words.names or MUTATIONS:
        found = caught_by(MUTATIONS[name], words.checkout)
        missed += not found.startswith("tests/")
        print(f"{name:24} {found or 'NOT CAUGHT'}", flush=True)
    return missed


if __name__ == "__main__":
    sys.exit(main())
