"""Make models that are scored, with their samples and labels: `python make_scored.py` writes into the current folder.

mail        [n, 6] -> spam [n, 1], a probability, of 40 samples
houses      [n, 6] -> prices [n, 2] and heat [n, 1]
detector    [1, 32, 48, 3] -> the four outputs of TensorFlow's Object Detection API
street      [n, 8, 8, 3] -> scores [n, 8, 8, 3], of masks
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import tensorflow as tf

SAMPLES = 40
RNG = np.random.default_rng(0)


def save(name: str, function: object, **inputs: list[int | None]) -> None:
    module = tf.Module()
    module.call = tf.function(
        function, input_signature=[tf.TensorSpec(shape, tf.float32, name=key) for key, shape in inputs.items()]
    )
    tf.saved_model.save(module, f"models/{name}", signatures=module.call)


def constant(*shape: int) -> tf.Tensor:
    return tf.constant(RNG.normal(size=shape).astype(np.float32))


def mail_and_houses() -> None:
    x = RNG.normal(size=(SAMPLES, 6)).astype(np.float32)
    weight, prices, heat = constant(6, 1), constant(6, 2), constant(6, 1)
    save("mail", lambda x: {"spam": tf.sigmoid(tf.matmul(x, weight))}, x=[None, 6])
    save("houses", lambda x: {"prices": tf.matmul(x, prices) * 100, "heat": tf.matmul(x, heat)}, x=[None, 6])
    spam = (x @ weight.numpy())[:, 0] + RNG.normal(size=SAMPLES) > 0
    paid = x @ prices.numpy() * 100 + RNG.normal(size=(SAMPLES, 2)) * 10
    np.savez("mail.npz", x=x, spam=spam.astype(np.int64))
    np.savez("houses.npz", x=x, paid=paid.astype(np.float32))


def detector() -> None:
    """Find the two brightest of eight fixed boxes: what is in the image does not matter, only that it is stable."""
    boxes = np.array([[0.1 * i, 0.05 * i, 0.1 * i + 0.3, 0.05 * i + 0.4] for i in range(6)], np.float32)
    weight = constant(3, 6)

    def detect(image: tf.Tensor) -> dict[str, tf.Tensor]:
        scores = tf.sigmoid(tf.matmul(tf.reduce_mean(image, axis=[1, 2]), weight))
        return {
            "detection_boxes": tf.constant(boxes[np.newaxis]) + scores[..., tf.newaxis] * 0.02,
            "detection_scores": scores,
            "detection_classes": tf.round(scores) + 1,
            "num_detections": tf.reduce_sum(tf.round(scores + 0.2), axis=1),
        }

    save("detector", detect, image=[1, 32, 48, 3])
    images, ids = RNG.normal(size=(SAMPLES, 32, 48, 3)).astype(np.float32) * 4, np.arange(SAMPLES) + 7
    np.savez("images.npz", image=images, ids=ids)
    truth = [
        {
            "id": place + 1,
            "image_id": int(ids[place]),
            "category_id": 1 + place % 2,
            "bbox": [48 * 0.05 * (place % 4) + 1, 32 * 0.1 * (place % 4), 48 * 0.4, 32 * 0.3],
        }
        for place in range(SAMPLES)
    ]
    known = [{"id": int(image), "height": 32, "width": 48} for image in ids]
    body = {"images": known, "annotations": truth, "categories": [{"id": 1}, {"id": 2}]}
    Path("instances.json").write_text(json.dumps(body))


def street() -> None:
    kernel = constant(1, 1, 3, 3)
    save("street", lambda image: {"scores": tf.nn.conv2d(image, kernel, 1, "SAME")}, image=[None, 8, 8, 3])
    images = RNG.normal(size=(SAMPLES, 8, 8, 3)).astype(np.float32)
    masks = (images @ kernel.numpy()[0, 0] + RNG.normal(size=images.shape)).argmax(-1)
    masks[:, 0] = 255
    np.savez("street.npz", image=images, masks=masks.astype(np.uint8))


if __name__ == "__main__":
    mail_and_houses()
    detector()
    street()
