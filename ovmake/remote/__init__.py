"""A cache of results that a team shares: in an object store, in a folder, or behind a web server.

settings.py   where the remote is, who may write to it, and whose results are believed
layout.py     the path of each object on a remote
objects.py    read and write objects: S3, Google, Azure, a folder, HTTP; the only module that loads obstore
signing.py    Ed25519 keys, and signed envelopes (DSSE)
results.py    results as signed bytes, and back, with every check of what a remote says
blobs.py      download and upload of blobs, hashed on the way
breaker.py    when a remote is given up for a build
traffic.py    counts what a build had of a remote
cache.py      SharedCache: what the engine asks

Words: a *remote* is the place that `[cache] remote` names. A *blob* is an output, under its digest. A *result* is a
signed `RemoteResult`, under the action digest; it names blobs.

Rule 1: blobs are written first, the result last. So a result that is there has its blobs, unless they were removed.
Rule 2: nothing that a remote sends is used before it is checked: results by signature and key, blobs by digest.
Rule 3: no failure of a remote fails a build, and none takes longer than its deadline.
"""
