"""The samples that a model is fed: read from datasets or generated from a seed, and adapted to its inputs.

calibration_check.py  check-calibration: check that samples can calibrate INT8, before they do
channels.py           Channels of an image input, and the axis that they are on
datasets/             Readers for all forms of datasets, behind one protocol: columns whose samples are read on
                      request
feeding_plan.py       How the gate's samples are fed: *reference* finds a plan that TensorFlow accepts, and
                      later actions follow it
input_binding.py      Bind a dataset's columns to a model's inputs: check shapes, convert types, refuse out-of-
                      range values
perturbation.py       Estimate a model's rounding error: perturb its inputs by at most one unit in the last
                      place. Pure
preparing.py          Redo an IR's preprocessing with numpy, for TensorFlow, so that both run on identical raw
                      inputs
samples.py            Samples from a dataset or from a seed: the same arrays for TensorFlow and for OpenVINO
synthetic.py          Generate synthetic samples from a seed, for models without a dataset in the Ovfile
"""
