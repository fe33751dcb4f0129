"""Make the model and the data of the README and the pages: handwritten digits of 8 x 8 pixels.

    python make_digits.py FOLDER      writes models/digits, data/val.npz and data/calibration.npz there

The network is scikit-learn's, of one hidden layer, on the digits that scikit-learn comes with; TensorFlow computes it.
"""

import sys
from pathlib import Path

import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

CALIBRATION, VALIDATION = slice(800, 1100), slice(1100, None)
MEAN, SCALE = 8.0, 8.0

folder = Path(sys.argv[1])
pixels, labels = load_digits(return_X_y=True)
pixels = pixels.astype(np.float32)
network = MLPClassifier((32,), max_iter=60, tol=1.0, n_iter_no_change=60, random_state=0)
network.fit((pixels[: CALIBRATION.start] - MEAN) / SCALE, labels[: CALIBRATION.start])
weights = [tf.constant(one, tf.float32) for one in (*network.coefs_, *network.intercepts_)]


def compute(image: tf.Tensor) -> dict[str, tf.Tensor]:
    """Compute image: float32 [batch, 8, 8, 1], (x - 8) / 8 of pixels 0..16, to float32 [batch, 10]."""
    hidden = tf.nn.relu(tf.reshape(image, [-1, 64]) @ weights[0] + weights[2])
    return {"scores": hidden @ weights[1] + weights[3]}


pixels_in = tf.TensorSpec([None, 8, 8, 1], tf.float32, name="image")
scores = tf.function(compute, input_signature=[pixels_in])
module = tf.Module()
module.scores = scores
tf.saved_model.save(module, str(folder / "models/digits"), signatures=scores)
images = pixels.reshape(-1, 8, 8, 1)
(folder / "data").mkdir()
np.savez(folder / "data/val.npz", x=images[VALIDATION], y=labels[VALIDATION])
np.savez(folder / "data/calibration.npz", x=images[CALIBRATION])
