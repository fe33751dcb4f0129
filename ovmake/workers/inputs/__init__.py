"""What a model is fed: samples from datasets or from a seed, brought to its inputs.

calibration_check.py  check-calibration: find out that samples cannot calibrate INT8, or
hardly, before they do
datasets/             Datasets of every form, behind one protocol: columns that are read
when they are asked for
feeding_plan.py       How the gate's samples are fed: what *reference* found out, and
whoever runs the same samples again follows
input_binding.py      A dataset's columns brought to a model's inputs: shapes compared,
types converted, out-of-range values refused
interface.py          The interface of an IR: what *convert* found out about inputs and
outputs, as a small JSON that other actions read
perturbation.py       What rounding does to a model: its inputs, moved by a unit in the
last place at most. Pure
preparing.py          What an IR does to its inputs inside, done outside with numpy for
TensorFlow, so that both see identical raw inputs
samples.py            Samples for TensorFlow and for OpenVINO: the same arrays on both
sides, from a dataset or from a seed
synthetic.py          Samples from a seed, where the Ovfile names no dataset
"""
