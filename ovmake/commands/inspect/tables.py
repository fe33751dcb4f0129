"""A description as text that fits 80 columns, in a pipe too.

    for line in lines_of(description, width=80, all_layers=False): print(line)

Names are never shortened, because users copy them. Text that does not fit beside a name goes below it. If there are
more than MOST_LAYERS layers, only the first and the last are shown.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

from ovmake.commands.inspect.description import ConversionProblem, Description
from ovmake.contracts.files.inspected import LayerDescription, Port
from ovmake.contracts.source_kinds import title_of
from ovmake.units import size_in_words

MOST_LAYERS = 200
_KEPT = 60  # layers at either end of a longer list
_WIDEST_NAME = 36
_LEAST_OPERATIONS = 12

Row = tuple[str, str, str]


def lines_of(description: Description, *, width: int, all_layers: bool) -> list[str]:
    """Return the whole text, line by line."""
    return [
        *_head(description),
        "",
        "inputs",
        *_ports(description.inputs, width),
        "",
        "outputs",
        *_ports(description.outputs, width),
        *_signatures(description),
        *_layers(description.layers, width, all_layers=all_layers),
        *_operations(description.operations, width),
        "",
        *_verdict(description, width),
    ]


def shape_of(port: Port) -> str:
    """Return "f32 [-1, 224, 224, 3]"."""
    shape = "of unknown shape" if port.shape is None else str(list(port.shape))
    return f"{port.type} {shape}"


def harmless(text: str) -> str:
    """Return text from a model with control characters escaped, which a terminal would obey."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _head(description: Description) -> list[str]:
    kind = title_of(description.kind)
    parameters = "" if description.parameters is None else f", {description.parameters:,} parameters"
    return [
        harmless(description.source),
        f"  {kind}, {size_in_words(description.size_bytes)}{parameters}",
        f"  loaded by: {description.way}",
    ]


def _ports(ports: Sequence[Port], width: int) -> list[str]:
    rows = [(harmless(port.name), shape_of(port), _quantized(port)) for port in ports]
    return _table(rows, width) or ["  none"]


def _quantized(port: Port) -> str:
    if port.quantization is None:
        return ""
    scale, zero = port.quantization.scale, port.quantization.zero_point
    shifted = f"(x {'-' if zero > 0 else '+'} {abs(zero)})" if zero else "x"
    return f"= {scale:.6g} * {shifted}"


def _signatures(description: Description) -> list[str]:
    if not description.signatures:
        return []
    lines = ["", "signatures"]
    for signature in description.signatures:
        used = signature.name == description.signature and signature.tags == description.tags
        tags = f" (tags: {', '.join(signature.tags)})" if signature.tags else ""
        mark = ", shown here" if used and len(description.signatures) > 1 else ""
        takes, gives = ", ".join(signature.inputs) or "nothing", ", ".join(signature.outputs) or "nothing"
        lines += [harmless(f"  {signature.name}{tags}{mark}"), harmless(f"    {takes} -> {gives}")]
    return lines


def _layers(layers: Sequence[LayerDescription], width: int, *, all_layers: bool) -> list[str]:
    if not layers:
        return []
    lines = ["", f"layers to cut at: {len(layers)}, in the order of computation"]
    if all_layers or len(layers) <= MOST_LAYERS:
        return lines + _table([row for layer in layers for row in _rows(layer)], width)
    shown = [row for layer in (*layers[:_KEPT], *layers[-_KEPT:]) for row in _rows(layer)]
    split = sum(len(_rows(layer)) for layer in layers[:_KEPT])
    name_width = _name_width(shown)
    left_out = f"  … {len(layers) - 2 * _KEPT} more; `--all` shows them"
    first, last = (_table(part, width, name_width) for part in (shown[:split], shown[split:]))
    return [*lines, *first, left_out, *last]


def _rows(layer: LayerDescription) -> list[Row]:
    made = f"{layer.parts} layers" if layer.parts else ", ".join(layer.operations)
    if len(layer.outputs) == 1:
        return [(harmless(layer.name), made, shape_of(layer.outputs[0]))]
    # `cut.outputs` needs a tensor's name if the layer has several outputs.
    tensors = [(f"  {harmless(port.name)}", "", shape_of(port)) for port in layer.outputs]
    return [(harmless(layer.name), made, f"{len(layer.outputs)} outputs:"), *tensors]


def _name_width(rows: Sequence[Row]) -> int:
    fitting = [len(row[0]) for row in rows if len(row[0]) <= _WIDEST_NAME]
    return max(fitting, default=_WIDEST_NAME)


def _table(rows: Sequence[Row], width: int, name_width: int = 0) -> list[str]:
    name_width = name_width or _name_width(rows)
    last = max((len(row[2]) for row in rows), default=0)
    middle = max(_LEAST_OPERATIONS, width - 2 - name_width - 2 - 2 - last)
    middle = min(middle, max((len(row[1]) for row in rows), default=0))
    if 2 + name_width + 2 + middle + 2 + last > width:  # a terminal of 40 columns: the name to cut at, and its shape
        middle = 0
    apart = 2 + name_width + 2 + last > width
    lines = []
    for name, text, end in rows:
        rest = f"{_clipped(text, middle):<{middle}}  {end}" if middle else end
        if apart:
            lines += [f"  {name}", f"      {end}"]
        elif len(name) > name_width:
            lines += [f"  {name}", f"  {'':<{name_width}}  {rest}".rstrip()]
        else:
            lines.append(f"  {name:<{name_width}}  {rest}".rstrip())
    return lines


def _clipped(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _operations(counts: Mapping[str, int], width: int) -> list[str]:
    if not counts:
        return []
    lines = ["", f"operations: {sum(counts.values())}"]
    line = " "
    for name, count in counts.items():
        word = f" {harmless(name)} {count},"
        if len(line) + len(word) > width:
            lines.append(line)
            line = " "
        line += word
    return [*lines, line.removesuffix(",")]


def _verdict(description: Description, width: int) -> list[str]:
    if description.converted is not None and not description.problems:
        return [f"OpenVINO converts it, to {sum(description.converted.values())} operations"]
    lines = ["OpenVINO cannot convert it as it is" if description.converted is None else "OpenVINO converts it, but"]
    return lines + [line for problem in description.problems for line in _problem(problem, width)]


def _problem(problem: ConversionProblem, width: int) -> list[str]:
    lines = _wrapped(f"{problem.code}: {problem.message}", width, "  ", "    ")
    for line in (line for note in problem.notes for line in note.splitlines() if line.strip()):
        lines += _wrapped(line, width, "    | ", "    |   ")
    return lines


def _wrapped(text: str, width: int, first: str, later: str) -> list[str]:
    return textwrap.wrap(
        harmless(text),
        width,
        initial_indent=first,
        subsequent_indent=later,
        break_long_words=False,
        break_on_hyphens=False,
    )
