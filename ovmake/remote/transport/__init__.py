"""Requests to a remote, for `remote/objects.py`: deadlines, credentials and uploads on top of obstore, and its errors.

stores.py       the store of obstore for a URL, with credentials from the environment
loop.py         requests that end at their deadline
http_upload.py  a large PUT to a web server
failures.py     RemoteError: the kinds of failures
"""
