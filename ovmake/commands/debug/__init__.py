"""`ovmake debug`: the first layer whose output differs from TensorFlow's beyond the tolerance, and by how much.

findings.py  the comparison of the layers, and the layer that causes the difference (pure)
words.py     the findings as text and JSON (pure)
command.py   the command
"""
