"""Files and folders: our own, opened by directory handle so that no link leads out, and the user's.

build_folder.py  check of the build folder before a build: can outputs go there?
cleaning.py      `ovmake clean`: remove published files, and only those
disk.py          the Disk protocol, which the engine uses, and the real disk
handles.py       system calls on the entries of an open folder; links are never followed
ignoring.py      `.gitignore` and `.gitattributes` beside an Ovfile
links.py         targets of the links in a source folder
nearby.py        "did you mean" for a path that does not exist
own_folders.py   our own folders, `.ovmake/` and the build folder: no link in them is followed
publishing.py    publishing: copies of stored files appear in the build folder, all together
sources.py       digests of source files and folders, through the stat cache
tracked.py       files that git tracks, read from its index: `.ovmake` must not come with a repo
"""
