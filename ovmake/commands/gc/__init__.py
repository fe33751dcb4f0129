"""`ovmake gc`: drop what nothing refers to, and what was not used for long or takes too much space.

plan.py     PURE: what is there -> what goes
words.py    PURE: what went, for people and as JSON
command.py  looks, and removes: rows first, then files
"""
