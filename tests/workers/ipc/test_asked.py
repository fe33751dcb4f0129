"""A request with the params of another action, or of another version: the answer names the field."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from ovmake.contracts.params.source import SourceParams
from ovmake.workers.ipc.protocol import Request
from ovmake.workers.ipc.serving import _answer


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"knid": "keras"}, "params of freeze has an unknown field `knid`"),
        ({"tags": "serve"}, "params of freeze: `tags` is a string, expected an array"),
    ],
)
def test_params_that_do_not_fit_fail_the_action_and_name_the_field(
    params: Mapping[str, object], said: str, tmp_path: Path
) -> None:
    def freeze(request: Request) -> Mapping[str, object]:
        return {"kind": request.asked(SourceParams).kind}

    response = _answer({"freeze": freeze}, Request(id=3, kind="freeze", params=params, scratch=str(tmp_path)))

    assert (3, False, "action-failed", said) == (response.id, response.ok, response.code, response.message)


def test_params_that_fit_are_read_with_their_defaults(tmp_path: Path) -> None:
    def freeze(request: Request) -> Mapping[str, object]:
        asked = request.asked(SourceParams)
        return {"kind": asked.kind, "tags": asked.tags}

    params = {"kind": "keras"}
    response = _answer({"freeze": freeze}, Request(id=3, kind="freeze", params=params, scratch=str(tmp_path)))

    assert {"kind": "keras", "tags": ("serve",)} == response.facts
