"""`ovmake build --watch`: build again when something changed.

command.py      Build, and build again on every change of what the build depends on: `ovmake
build --watch`
watch_paths.py  Where to look so that no change of some files and folders goes unseen
"""
