"""`ovmake cache`: accept a remote, and look after what it holds.

trusting.py    `trust`: what a user is asked to accept, and accepting it
reaching.py    open the accepted remote for a command; its failures as errors
present.py     the results of the present targets: their keys, and what the remote has under them
listing.py     `ls`: how much of it is there
verifying.py   `verify`: fetch and check every result and blob
pushing.py     `push`: send what fresh targets need and the remote lacks
plan.py        `gc`: decide what is dropped (pure)
collecting.py  `gc`: list, read, and drop in the right order
words.py       what these commands print, as text and JSON (pure)

Rule: nothing here touches a remote before `remote.acceptance` allows it. Unlike a build, a command fails if the remote
      does: exit status 1, never a traceback.
"""
