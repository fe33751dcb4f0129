"""The action graph, without effects: what an action is, its digests, what its last success saw, and lowering to it.

Everything here is pure; effects begin in `ovmake.engine`. The modules:

    digest.py   sha-256 and size of bytes, trees and JSON
    action.py   Action, Input, Output, Graph
    trace.py    Seen (what an action would see now) and Trace (what its last success saw and made)
    lower.py    spec.Ovfile -> Graph, by the rules handed to it
    query.py    targets by name or pattern, and what an action needs
    drawing.py  the graph as text, for Graphviz, for Mermaid, and as JSON
"""
