"""`ovmake help`: the documentation that comes with ovmake, read in a terminal.

pages.py   read the pages in `ovmake/docs`: topics, and the sections of a page
asked.py   a user's word -> the page, the error or the keys with this name
"""
