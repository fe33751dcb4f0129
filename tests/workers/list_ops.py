"""Print the registry of the installed TensorFlow as JSON: `python list_ops.py`.

{"WriteFile": {"stateful": true, "functions": false}, ...}      functions: whether it has a function for an attribute
"""

from __future__ import annotations

import json

from tensorflow.core.framework.op_def_pb2 import OpList
from tensorflow.python.client import pywrap_tf_session


def main() -> None:
    """Print all of it."""
    ops = OpList.FromString(pywrap_tf_session.TF_GetBuffer(pywrap_tf_session.TF_GetAllOpList()))
    registry = {
        op.name: {
            "stateful": op.is_stateful,
            "functions": any(attribute.type in {"func", "list(func)"} for attribute in op.attr),
        }
        for op in ops.op
    }
    print(json.dumps(registry))


if __name__ == "__main__":
    main()
