"""What passes between actions, and between processes: types that both sides import.

values.py   values that JSON and the digest of an action both hold
problem.py  what is wrong with an action, or with what it made
"""
