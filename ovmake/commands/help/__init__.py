"""`ovmake help`: the documentation that comes with ovmake, read in a terminal.

pages.py   the pages in `ovmake/docs`: topics, and the sections of a page
asked.py   the user's word -> a page, an error, or keys
"""
