"""`ovmake debug`: the first layer whose output leaves TensorFlow's, and by how much.

findings.py  what the comparison of the layers found, and which layer is to blame (pure)
words.py     the same for people (pure)
command.py   what the command does
"""
