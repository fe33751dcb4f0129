"""The text of an Ovfile: where its keys stand, how large it may be, and what to say where it is no TOML.

cures.py     What people write that is no TOML, and how it is written: for the help of a syntax
error. Pure
edits.py     What an edit of an Ovfile can have changed, without asking what it means
limits.py    How large an Ovfile may be: far more than anybody writes, and little enough to be
read within seconds
locate.py    Find where every key path stands in an Ovfile's text
pointing.py  From key paths to places in the text: carets for problems, and for what tomli
refuses
"""
