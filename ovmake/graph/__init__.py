"""The action graph: actions, their digests and traces, and the lowering of an Ovfile to a graph.

All modules are pure; effects begin in `ovmake.engine`. The modules:

    action.py   Action, Input, Output, Graph
    digest.py   sha-256 and size of bytes, trees and JSON
    drawing.py  the graph as text: Graphviz, Mermaid, JSON
    lower.py    spec.Ovfile -> Graph, by a given rule
    query.py    the targets that a user names, and what an action needs
    trace.py    Seen (an action's present inputs) and Trace (inputs and outputs of its last success)
"""
