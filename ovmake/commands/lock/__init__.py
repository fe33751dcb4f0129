"""`ovmake lock`: write Ovfile.lock, check it, and merge it for git.

command.py         `ovmake lock` and `ovmake lock --check`
built.py           the blocks of the targets that are built and fresh
stages.py          both sides of an unfinished merge, from git's index
which_settings.py  the names of settings that changed since a block
driver.py          `ovmake lock --merge`: git's merge driver
words.py           the output
"""
