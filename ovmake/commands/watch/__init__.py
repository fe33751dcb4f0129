"""`ovmake build --watch`: build again after every change.

command.py      the loop: watch, build, wait for a change
watch_paths.py  the folders and entries to watch for changes of given paths
"""
