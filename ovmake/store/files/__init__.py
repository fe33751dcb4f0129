"""Files and folders: our own, opened by handle so that no link leads out, and the user's, read and published.

beneath.py       Our own folders, `.ovmake/` and the build folder: opened by directory
handle, so that no link in a repo leads out
build_folder.py  Whether outputs can go into the build folder: seen before anything is built,
and not after
cleaning.py      `ovmake clean`: remove what ovmake published, and nothing that somebody else
put there
disk.py          The disk, as the engine sees it: a small protocol, and the real thing
handles.py       Entries of an open folder: looked at, opened, made, swapped and removed by
the folder's handle, and never followed
ignoring.py      The `.gitignore` beside an Ovfile: what is built is not committed
links.py         What the links in a folder lead to: files that belong to it, and lie
elsewhere
nearby.py        Of a path that leads nowhere: what may have been meant
publishing.py    Publish: put copies of stored files into a folder of the build folder, all
together
sources.py       Digests of files and folders, through the stat cache
tracked.py       Which files git tracks, read from its index: `.ovmake` must not come with a
repo
"""
