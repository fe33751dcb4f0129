"""One package or module per larger command.

cache/    `ovmake cache`: accept a remote, and look after what it holds
check.py  `ovmake build --check`: rebuild the targets from nothing, and compare byte by byte
debug/    `ovmake debug`: the first layer whose output differs from TensorFlow's
gc/       `ovmake gc`: remove unreferenced files, and results over a limit of age or size
help/     `ovmake help`: the documentation that comes with ovmake, read in a terminal
inspect/  `ovmake inspect` and `ovmake init`: read models, and write a starter Ovfile
lock/     `ovmake lock`: Ovfile.lock, its check, and git's merge driver
locked/   `ovmake build --locked`, `--frozen`, `--upgrade-check`: builds that a lock decides
report/   `ovmake report`: results and measurements as HTML, JSON, Markdown and JUnit
watch/    `ovmake build --watch`: build again after every change
"""
