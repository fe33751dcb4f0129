"""One package or module per command that is more than a few lines.

check.py  `ovmake build --check`: build the same targets again from nothing, and compare byte by
byte
debug/    `ovmake debug`: the first layer whose output leaves TensorFlow's, and by how much
gc/       `ovmake gc`: drop what nothing refers to, and what was not used for long or takes too much
space
help/     `ovmake help`: the documentation that comes with ovmake, read in a terminal
inspect/  `ovmake inspect` and `ovmake init`: look at models before anything is built
report/   The report: what was built and measured, as HTML, JSON, Markdown and JUnit
watch/    `ovmake build --watch`: build again when something changed
"""
