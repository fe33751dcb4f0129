"""Ovfile.lock: what each target was made of and what came out, in git beside the Ovfile.

For other rooms:

    read_lock(root) -> Lock | None                                      file.py; None: there is no lock
    write_lock(root, lock)                                              file.py
    input_digest(graph, target, source_digest) -> TargetInputs     inputs.py
    present_inputs(graph, targets, files) -> {target: TargetInputs}      present.py
    check(lock, present) -> findings, empty if up to date               checking.py

The modules:

text.py         blocks to text and back, strictly
writing.py      the text of a block, and the digest in it
reading.py      the lines of a lock -> blocks and problems
values.py       which digests, names, paths and numbers a lock may hold
file.py         read and write the file, without following a link
inputs.py       a target's own input digest: its settings and sources, and nothing else
present.py      the present inputs, from the files of the repo
checking.py     a lock against the present inputs
conflicts.py    a text with git's conflict markers -> the texts that it is of
merging.py      three-way merge, block by block
making.py       a block from a target's traces and its record

The room knows no engine: whoever calls it says which targets are built and fresh.
"""
