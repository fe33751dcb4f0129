"""`ovmake lock`: write Ovfile.lock, check it, and merge it for git.

command.py         `ovmake lock` and `ovmake lock --check`
built.py           the blocks of the targets that are built and fresh
stages.py          both sides of an unfinished merge, as git's index has them
which_settings.py  which settings differ from those of a block
driver.py          `ovmake lock --merge`: git's merge driver
words.py           what is printed
"""
