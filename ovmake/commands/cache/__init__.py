"""`ovmake cache`: accept a remote, list it, check it, fill it, clean it up.

trusting.py    `trust`: show and accept a remote; make keys
reaching.py    open the accepted remote for a command; turn failures into errors
present.py     the keys of the present targets' results, and the remote's answers
listing.py     `ls`: how many results the remote has for each target
verifying.py   `verify`: fetch and check every result and blob
pushing.py     `push`: upload the results of fresh targets that the remote lacks
plan.py        `gc`: decide what is dropped (pure)
collecting.py  `gc`: list, read, and drop in the right order
words.py       the output of these commands, as text and JSON (pure)

Rule: No command uses a remote before `remote.acceptance` allows it. A command fails if the remote fails, unlike a
      build: exit status 1, without a traceback.
"""
