"""`ovmake gc`: remove unreferenced files, and results over a limit of age or size.

plan.py     decide what to remove (pure)
words.py    the removed files and rows as text and JSON (pure)
command.py  list the state, decide, and remove
"""
