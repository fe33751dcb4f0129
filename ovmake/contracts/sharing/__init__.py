"""What leaves a machine: the lock in git, and results in a remote cache.

lock.py           Ovfile.lock: what each target was made of, and what came out
remote_result.py  a result in a remote cache, and the envelope that it is signed in
"""
