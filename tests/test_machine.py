"""What machine this is, read from made-up /proc and /sys trees, and once from the real ones."""

from __future__ import annotations

import json
from pathlib import Path

from ovmake.contracts.codec import encode_object, to_bytes
from ovmake.machine import UNKNOWN, cpu_limit, facts, instruction_sets, int8_instructions, processor

XEON = """\
processor\t: 0
model name\t: Intel(R) Xeon(R) Processor
flags\t\t: fpu smap avx2 fma avx512_vnni avx512_bf16 hypervisor

processor\t: 1
model name\t: something else
"""
ARM = "processor\t: 0\nFeatures\t: fp asimd asimddp i8mm bf16\n"


def tree(root: Path, files: dict[str, str]) -> str:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    return str(root)


def test_all_facts_of_a_server(tmp_path: Path) -> None:
    cpu = "sys/devices/system/cpu"
    root = tree(
        tmp_path,
        {
            "proc/cpuinfo": XEON,
            "proc/meminfo": "MemTotal:       24683520 kB\nMemFree: 1 kB\n",
            "etc/os-release": 'NAME="Debian"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
            "sys/fs/cgroup/cpu.max": "150000 100000\n",
            "sys/fs/cgroup/memory.max": "4294967296\n",
            f"{cpu}/cpu0/topology/thread_siblings_list": "0,4\n",
            f"{cpu}/cpu0/cpufreq/scaling_governor": "performance\n",
            f"{cpu}/cpu1/cpufreq/scaling_governor": "powersave\n",
            f"{cpu}/intel_pstate/no_turbo": "1\n",
        },
    )

    found = facts(root)

    assert "Intel(R) Xeon(R) Processor" == found.processor
    assert ("avx2", "avx512_bf16", "avx512_vnni", "fma") == found.instruction_sets
    assert (("avx512_vnni",), ("avx512_bf16",)) == (found.int8_instructions, found.bf16_instructions)
    assert (2, "performance, powersave", False) == (found.threads_per_core, found.governor, found.boost)
    assert (1.5, 4 << 30, 24_683_520 << 10) == (found.cpu_limit, found.memory_limit_bytes, found.memory_bytes)
    assert ("Debian GNU/Linux 12 (bookworm)", True) == (found.system, found.virtual)
    assert {} == found.missing


def test_an_unknown_fact_is_none_and_has_a_reason(tmp_path: Path) -> None:
    found = facts(str(tmp_path))

    unknown = {name for name, value in encode_object(found).items() if value is None}
    # A limit that is not there is no lack of knowledge.
    assert set(UNKNOWN) == set(found.missing) == unknown - {"cpu_limit", "memory_limit_bytes"}


def test_arm_has_other_names() -> None:
    block = {"Features": "fp asimd asimddp i8mm bf16"}

    assert ["asimd", "asimddp", "bf16", "i8mm"] == instruction_sets(block)
    assert ("asimddp", "i8mm") == int8_instructions(block)


def test_no_int8_instructions_differ_from_unknown_ones() -> None:
    assert () == int8_instructions({"flags": "avx2 fma"})
    assert int8_instructions({}) is None


def test_limits_of_both_versions_of_control_groups(tmp_path: Path) -> None:
    v1 = {"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "50000\n", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n"}

    assert 0.5 == cpu_limit(tree(tmp_path / "v1", v1))
    assert cpu_limit(tree(tmp_path / "v2", {"sys/fs/cgroup/cpu.max": "max 100000\n"})) is None
    assert cpu_limit(tree(tmp_path / "none", {"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n"})) is None


def test_only_the_first_processor_counts(tmp_path: Path) -> None:
    root = tree(tmp_path, {"proc/cpuinfo": XEON})

    assert "Intel(R) Xeon(R) Processor" == processor(root)["model name"]


def test_this_machine_becomes_json() -> None:
    found = facts()

    assert found.cores >= 1
    assert json.loads(to_bytes(found))["processor"] == found.processor
