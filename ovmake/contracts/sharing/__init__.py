"""Files that leave a machine: the lock in git, and results in a remote cache.

lock.py           Ovfile.lock: the inputs and outputs of each target
remote_result.py  a result in a remote cache, and its signed envelope
"""
