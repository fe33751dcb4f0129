"""The text of an Ovfile: positions of keys, limits, and help for syntax errors.

cures.py     help for common mistakes in TOML
edits.py     the models that an edit of an Ovfile changes
limits.py    limits on the size of an Ovfile
locate.py    the position of every key path in the text
pointing.py  carets for problems and for errors of tomli
"""
