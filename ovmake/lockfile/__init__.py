"""Ovfile.lock: the inputs and outputs of each target, in git beside the Ovfile.

For other rooms:

    read_lock(root) -> Lock | None                                      file.py; None: the file does not exist
    write_lock(root, lock)                                              file.py
    input_digest(graph, target, source_digest) -> TargetInputs     inputs.py
    present_inputs(graph, targets, files) -> {target: TargetInputs}      present.py
    check(lock, present) -> findings, empty if up to date               checking.py

The modules:

text.py         render and parse a lock, strictly
writing.py      the text of a block, and its digest
reading.py      the lines of a lock -> blocks and problems
values.py       checks of digests, names, paths and numbers
file.py         read and write the file, without following a link
inputs.py       the input digest of a target: its settings and sources only
present.py      the present inputs, from the files of the repo
checking.py     compare a lock with the present inputs
conflicts.py    split a text with git's conflict markers into its sides
merging.py      three-way merge, block by block
making.py       a block from a target's traces and its record

*Present inputs* are the settings and sources in the working tree now. This room does not use the engine: its callers
say which targets are built and fresh.
"""
