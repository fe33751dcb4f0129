"""Name figures and facts about a machine, and put the facts in words. Pure.

figure_name("latency_p95_us") -> "Latency, 95 % of inferences"
machine(measured) -> (("Processor", "..."), ...)
"""

from __future__ import annotations

from ovmake.commands.report import words
from ovmake.commands.report.facts.measurement import Measured

FIGURES = {
    "latency_median_us": "Latency, median",
    "latency_p90_us": "Latency, 90 % of inferences",
    "latency_p95_us": "Latency, 95 % of inferences",
    "latency_p99_us": "Latency, 99 % of inferences",
    "latency_p999_us": "Latency, 99.9 % of inferences",
    "throughput_per_second": "Throughput, samples",
    "peak_memory_bytes": "Peak memory",
    "import_memory_bytes": "Memory of the import alone",
    "import_ms": "Time to import",
    "load_ms": "Time to load and compile",
    "first_inference_ms": "First inference",
    "energy_joules": "Energy per inference",
    "inferences": "Inferences timed",
    "operations": "Operations",
    "speedup.median": "Speed-up",
    "throughput_ratio.median": "Throughput against TensorFlow's",
    "drop": "Drop",
    "max_abs_difference": "Largest difference",
    "openvino.size_bytes": "Size of the IR",
}


def figure_name(key: str) -> str:
    """Return a figure's name in words; a metric keeps its own."""
    return FIGURES.get(key, key)


def machine(measured: Measured) -> tuple[tuple[str, str], ...]:
    """Return a name and a text for each known fact about the machine of a measurement."""
    facts = measured.machine_facts
    found = [(name, _fact(getattr(facts, key), facts.missing.get(key, ""))) for key, name in MACHINE.items()]
    tools = ", ".join(f"{tool} {version}" for tool, version in measured.versions.items())
    identity = measured.machine or "the measurement does not say"
    return (*(pair for pair in found if pair[1]), ("Measured with", tools), ("Identity for comparisons", identity))


MACHINE = {
    "processor": "Processor",
    "instruction_sets": "Instruction sets",
    "int8_instructions": "Instructions for INT8 products",
    "bf16_instructions": "Instructions for bf16",
    "cores": "Usable cores",
    "cores_online": "Cores in total",
    "threads_per_core": "Threads per core",
    "governor": "Frequency governor",
    "boost": "Frequency boost",
    "cpu_limit": "Limit on cores",
    "memory_bytes": "Memory",
    "memory_limit_bytes": "Limit on memory",
    "system": "System",
    "kernel": "Kernel",
    "virtual": "Virtual machine",
    "python": "Python",
}


def _fact(value: object, why: str) -> str:
    """Return a fact in words, or why it is unknown; "" for a limit that does not exist."""
    if value is None:
        return f"not known: {why}" if why else ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    return words.size(value) if isinstance(value, int) and value >= LEAST_BYTES else f"{value}"


# A larger number is a size in bytes.
LEAST_BYTES = 1 << 20
