"""Requests to a remote: what obstore lacks, and how its errors are understood. `remote/objects.py` uses it.

stores.py       the store of obstore that a URL means, with credentials of the environment
loop.py         requests that end at their deadline
http_upload.py  a large PUT to a web server
failures.py     RemoteError: what can be wrong with a remote
"""
