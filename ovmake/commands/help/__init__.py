"""`ovmake help`: the documentation that comes with ovmake, read in a terminal.

pages.py   what the pages in `ovmake/docs` say: topics, and the sections of a page
asked.py   a word of the user's -> the page, the error or the keys that it asks for
"""
