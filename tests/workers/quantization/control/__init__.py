"""Accuracy control: what is given back, in which order, and that a killed search goes on."""
