"""A cache of results that a team shares: in an object store, in a folder, or behind a web server.

cache.py        SharedCache: the remote as the engine asks it
fetching.py     one fetch: a result and its blobs
pushing.py      uploads: blobs first, the result last
results.py      encode, decode and check signed results
signing.py      Ed25519 keys, and signed envelopes (DSSE)
blobs.py        download and upload of blobs, hashed on the way

acceptance.py   whether the user, or CI's environment, has accepted a remote
settings.py     URL, keys, credentials and deadline of a remote
layout.py       the path of each object on a remote
objects.py      read and write objects: S3, Google, Azure, a folder, HTTP
transport/      time limits, credentials and errors of obstore
breaker.py      circuit breaker: gives a remote up after repeated failures
line.py         a remote behind its breakers, opened at first use
traffic.py      counters: results restored, missed, refused, uploaded
pool.py         daemon threads with a priority queue

Words: a *remote* is the place that `[cache] remote` names. A *blob* is an output, under its digest. A *result* is a
signed `RemoteResult`, under the action digest; it names blobs.

Rule 1: Blobs are written first, the result last. A result on the remote has all its blobs, unless they were removed.
Rule 2: Everything from a remote is checked before use: results by signature and key, blobs by digest.
Rule 3: A failure of a remote never fails a build. Each request has a deadline.
"""
