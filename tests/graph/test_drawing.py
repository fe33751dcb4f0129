"""The action graph in each format: whole outputs, and names that want to break out of them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from ovmake.graph.action import Graph, Input, Source
from ovmake.graph.drawing import dot, draw, mermaid, to_json
from tests.engine.small import action, graph
from tests.real import ovmake

HOSTILE = [
    'a"]; evil [label="x',
    "back\\slash\\N",
    "ends with \\",
    "two\nlines",
    "<b>bold</b>",
    "&lt;entity&amp;",
    'a"] --> evil["x',
    "#quot;",
    "end",
    "%% comment",
    "esc\x1b[31m",
    "ünïcode 模型",
    "click a href",
    "convert end",
]


def small() -> Graph:
    """Two targets: one reads what the other made, and waits for a check."""
    convert = action("convert m", "models/m.pb")
    check = replace(action("check-samples m", "data/val.npz"), worker="tensorflow")
    evaluate = action("evaluate m:fp32", "convert m", "data/val.npz", after=("check-samples m",))
    publish = replace(
        action("publish m:fp32", "convert m", "evaluate m:fp32", place="build/m/m.xml"), worker="in-process"
    )
    other = action("convert n", "models/n.pb")
    made = graph(convert, check, evaluate, publish, other)
    return replace(made, targets={"m:fp32": "publish m:fp32", "n:fp32": "convert n"})


def hostile() -> Graph:
    """A graph in which every name is hostile."""
    actions = []
    for number, name in enumerate(HOSTILE):
        source = Input(role="in0", origin=Source(f"models/{name}"))
        convert = replace(action(f"convert {name}"), inputs=(source,))
        actions += [convert, action(f"publish {number} {name}", convert.name, place=f"build/{number}/{name}")]
    return graph(*actions)


def test_dot() -> None:
    assert dot(small(), ["m:fp32"]) == (
        "digraph ovmake {\n"
        "  rankdir = LR;\n"
        "  node [shape = box, fontname = sans];\n"
        '  "source models/m.pb" [label = "models/m.pb", shape = folder];\n'
        '  "source data/val.npz" [label = "data/val.npz", shape = folder];\n'
        '  "action convert m" [label = "convert\\nm\\nopenvino"];\n'
        '  "action check-samples m" [label = "check-samples\\nm\\ntensorflow"];\n'
        '  "action evaluate m:fp32" [label = "evaluate\\nm:fp32\\nopenvino"];\n'
        '  "action publish m:fp32" [label = "publish\\nm:fp32\\nin-process"];\n'
        '  "file build/m/m.xml" [label = "build/m/m.xml", shape = note];\n'
        '  "source models/m.pb" -> "action convert m" [label = "in0"];\n'
        '  "source data/val.npz" -> "action check-samples m" [label = "in0"];\n'
        '  "action convert m" -> "action evaluate m:fp32" [label = "out"];\n'
        '  "source data/val.npz" -> "action evaluate m:fp32" [label = "in1"];\n'
        '  "action convert m" -> "action publish m:fp32" [label = "out"];\n'
        '  "action evaluate m:fp32" -> "action publish m:fp32" [label = "out"];\n'
        '  "action check-samples m" -> "action evaluate m:fp32" [style = dashed];\n'
        '  "action publish m:fp32" -> "file build/m/m.xml";\n'
        "}"
    )


def test_mermaid() -> None:
    assert mermaid(small(), ["m:fp32"]) == (
        "flowchart LR\n"
        '  s1[("models/m.pb")]\n'
        '  s2[("data/val.npz")]\n'
        '  a1["convert<br>m<br>openvino"]\n'
        '  a2["check-samples<br>m<br>tensorflow"]\n'
        '  a3["evaluate<br>m:fp32<br>openvino"]\n'
        '  a4["publish<br>m:fp32<br>in-process"]\n'
        '  f1>"build/m/m.xml"]\n'
        '  s1 -->|"in0"| a1\n'
        '  s2 -->|"in0"| a2\n'
        '  a1 -->|"out"| a3\n'
        '  s2 -->|"in1"| a3\n'
        '  a1 -->|"out"| a4\n'
        '  a3 -->|"out"| a4\n'
        "  a2 -.-> a3\n"
        "  a4 --> f1"
    )


def test_json() -> None:
    assert to_json(small(), ["n:fp32"]) == {
        "format": 2,
        "targets": {"n:fp32": "convert n"},
        "actions": [
            {
                "name": "convert n",
                "kind": "convert",
                "subject": "n",
                "worker": "openvino",
                "inputs": [{"role": "in0", "source": "models/n.pb"}],
                "after": [],
                "outputs": [{"role": "out"}],
            }
        ],
    }


def test_json_says_what_is_waited_for_and_what_is_published() -> None:
    made = json.loads(json.dumps(to_json(small(), ["m:fp32"])))

    by_name = {one["name"]: one for one in made["actions"]}
    assert ["check-samples m"] == by_name["evaluate m:fp32"]["after"]
    assert {"role": "in0", "action": "convert m", "output": "out"} == by_name["publish m:fp32"]["inputs"][0]
    assert [{"role": "out", "published": "build/m/m.xml"}] == by_name["publish m:fp32"]["outputs"]


# graphviz itself


def test_a_drawing_in_a_format_is_the_one_that_is_asked_for() -> None:
    graph = small()
    targets = list(graph.targets)

    assert dot(graph, targets) == draw("dot", graph, targets)
    assert mermaid(graph, targets) == draw("mermaid", graph, targets)
    assert json.dumps(to_json(graph, targets)) == draw("json", graph, targets)


def graphviz(text: str, form: str) -> str:
    """Run `dot`; warnings are errors."""
    if shutil.which("dot") is None:
        pytest.skip("`dot` is not installed: apt-get install graphviz")
    done = subprocess.run(["dot", f"-T{form}"], input=text, capture_output=True, text=True, check=False)
    # fontconfig speaks of its own cache where there is no home.
    assert (0, "") == (done.returncode, done.stderr.replace("Fontconfig error: No writable cache directories\n", ""))
    return done.stdout


def test_graphviz_draws_it() -> None:
    made = json.loads(graphviz(dot(small(), ["m:fp32", "n:fp32"]), "json"))

    names = [node["name"] for node in made["objects"]]
    assert ["action convert n", "action convert m"] == [name for name in names if "convert" in name][::-1]
    edges = {(names[edge["tail"]], names[edge["head"]]): edge.get("style", "") for edge in made["edges"]}
    assert "dashed" == edges["action check-samples m", "action evaluate m:fp32"]
    assert "" == edges["action publish m:fp32", "file build/m/m.xml"]


def test_graphviz_sees_hostile_names_as_names() -> None:
    text = dot(hostile(), list(hostile().targets))

    made = json.loads(graphviz(text, "json"))

    # A source, two actions and a file for each name, an edge between each two: nothing more, nothing lost.
    assert (4 * len(HOSTILE), 3 * len(HOSTILE)) == (len(made["objects"]), len(made["edges"]))
    svg = graphviz(text, "svg")
    assert "<b>" not in svg
    for shown in ("models/a&quot;]; evil [label=&quot;x", "models/back\\slash\\N", "models/&amp;lt;entity&amp;amp;"):
        assert shown in svg


# mermaid


def test_mermaid_gets_hostile_names_as_codes_only() -> None:
    text = mermaid(hostile(), list(hostile().targets))

    nodes = r'  (s\d+\[\("LABEL"\)\]|a\d+\["LABEL<br>LABEL<br>openvino"\]|f\d+>"LABEL"\])'
    edges = r'  ([sa]\d+ -->\|"LABEL"\| a\d+|a\d+ --> f\d+)'
    label = r"(?:[A-Za-z0-9 _\-./:@]|#\d+;)+"
    line = re.compile(f"{nodes}|{edges}".replace("LABEL", label))
    assert [] == [one for one in text.split("\n")[1:] if not line.fullmatch(one)]
    decoded = re.sub(r"#(\d+);", lambda code: chr(int(code[1])), text)
    assert all(f"models/{name}" in decoded for name in HOSTILE)


def test_source_that_is_named_as_an_action_is_a_source() -> None:
    source = Input(role="in0", origin=Source("convert n"))
    made = graph(action("convert n", "models/n.pb"), replace(action("convert m"), inputs=(source,)))

    assert '  "source convert n" -> "action convert m" [label = "in0"];' in dot(made, list(made.targets)).split("\n")
    assert '  s2 -->|"in0"| a2' in mermaid(made, list(made.targets)).split("\n")


# the command


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    (tmp_path / "Ovfile").write_text('[models.m]\nsource = "m.pb"\naccuracy = false\n')
    (tmp_path / "m.pb").write_text("no graph")
    return tmp_path


def test_command_draws_dot_unless_told_otherwise(repo: Path) -> None:
    default, named = ovmake(repo, "graph"), ovmake(repo, "graph", "--format", "dot", "m:fp32", "m:fp16")

    assert (0, "", default.stdout) == (default.returncode, default.stderr, named.stdout)
    assert default.stdout.startswith("digraph ovmake {\n")
    assert "flowchart LR\n" == ovmake(repo, "graph", "--format", "mermaid").stdout[:13]


def test_command_draws_the_targets_asked_for_and_leaves_nothing_behind(repo: Path) -> None:
    done = ovmake(repo, "graph", "m:fp32", "--format", "json")

    actions = [one["name"] for one in json.loads(done.stdout)["actions"]]
    assert ["convert m", "publish m:fp32"] == actions
    assert ["Ovfile", "m.pb"] == sorted(path.name for path in repo.iterdir())


def test_command_knows_no_other_target(repo: Path) -> None:
    done = ovmake(repo, "graph", "n")

    assert (2, "") == (done.returncode, done.stdout)
    assert done.stderr.startswith("error[unknown-target]: unknown target `n`\n")
