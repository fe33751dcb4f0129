"""A cache of results that a team shares: in an object store, in a folder, or behind a web server.

cache.py        SharedCache: the remote as the engine asks it
fetching.py     one fetch: a result and its blobs
pushing.py      uploads: blobs first, the result last
results.py      results as signed bytes, and back, with every check of what a remote says
signing.py      Ed25519 keys, and signed envelopes (DSSE)
blobs.py        download and upload of blobs, hashed on the way

acceptance.py   whether the user, or CI's environment, has accepted a remote
settings.py     where the remote is, who may write to it, and whose results are believed
layout.py       the path of each object on a remote
objects.py      read and write objects: S3, Google, Azure, a folder, HTTP
transport/      time limits, credentials and errors of obstore
breaker.py      when a remote is given up for a build
line.py         a remote that is opened at its first use, behind its breakers
traffic.py      counts what a build had of a remote
pool.py         threads that a process never waits for

Words: a *remote* is the place that `[cache] remote` names. A *blob* is an output, under its digest. A *result* is a
signed `RemoteResult`, under the action digest; it names blobs.

Rule 1: blobs are written first, the result last. So a result that is there has its blobs, unless they were removed.
Rule 2: nothing that a remote sends is used before it is checked: results by signature and key, blobs by digest.
Rule 3: no failure of a remote fails a build, and none takes longer than its deadline.
"""
