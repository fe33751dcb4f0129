"""The tables that both sides of the process border import."""

from __future__ import annotations

import pytest

from ovmake.contracts.codec import fields
from ovmake.contracts.forms import WORDS, DatasetForm, form_of
from ovmake.contracts.metrics import METRICS, OWN, SUGGESTED, metric_kind
from ovmake.contracts.params.evaluation import MetricParams
from ovmake.contracts.source_kinds import BY_SUFFIX, SOURCE_KINDS, in_words, title_of


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("f1", "f1"),
        ("top-12", "top-K"),
        ("lib/metrics.py:recall_2", OWN),
        ("top-0", None),
        ("top-K", None),
        (OWN, None),
        ("F1", None),
        ("metrics.py:", None),
    ],
)
def test_a_metric_is_known_by_its_name_or_its_family(name: str, kind: str | None) -> None:
    found = metric_kind(name)

    assert kind == (found and found.name)


def test_every_suggested_metric_exists() -> None:
    assert [] == [name for name in SUGGESTED if metric_kind(name) is None]


def test_every_option_of_a_metric_is_a_param_or_a_file() -> None:
    params = {one.name for one in fields(MetricParams)} - {"metric", "more"}
    options = {option for kind in METRICS.values() for option in kind.options}

    assert options == params | {"annotations"}


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("data/val.npz", "arrays"),
        ("x.NPY", "arrays"),
        ("val.csv", "csv"),
        ("mnist-test.tfrecord-00000-of-00001", "tfrecord"),
        ("val.tfrec.gz", "tfrecord"),
        ("images", "folder"),
        ("data.npz/images", "folder"),
        ("val.csv.d", "folder"),
    ],
)
def test_the_path_decides_the_form(path: str, form: DatasetForm) -> None:
    assert form == form_of(path)
    assert form in WORDS


def test_a_kind_of_source_has_a_name_and_a_suffix_belongs_to_one_kind() -> None:
    suffixes = [suffix for kind in SOURCE_KINDS.values() for suffix in kind.suffixes]

    assert sorted(BY_SUFFIX) == sorted(suffixes)
    assert ("a Keras .h5 file", "Keras .h5 model") == (in_words("keras-h5"), title_of("keras-h5"))
    assert ("onnx", "onnx") == (in_words("onnx"), title_of("onnx"))
