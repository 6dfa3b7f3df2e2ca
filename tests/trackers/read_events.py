"""Reads a folder of event files with TensorBoard's own reader, in a process of its own, and prints what it holds as JSON.

`tensorboard.compat.notf` is TensorBoard's own switch for an installation without TensorFlow, which would take ten seconds to import.
"""

from __future__ import annotations

import json
import sys
import types

sys.modules["tensorboard.compat.notf"] = types.ModuleType("tensorboard.compat.notf")

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # noqa: E402

events = EventAccumulator(sys.argv[1], size_guidance=dict.fromkeys(("scalars", "images", "tensors"), 0))
events.Reload()
tags = events.Tags()
print(
    json.dumps(
        {
            "scalars": {tag: [(one.step, one.value) for one in events.Scalars(tag)] for tag in tags["scalars"]},
            "images": {
                tag: [
                    (one.step, one.width, one.height, one.encoded_image_string[:6].decode())
                    for one in events.Images(tag)
                ]
                for tag in tags["images"]
            },
            "texts": {
                tag: [one.tensor_proto.string_val[0].decode() for one in events.Tensors(tag)] for tag in tags["tensors"]
            },
            "plugins": {tag: events.SummaryMetadata(tag).plugin_data.plugin_name for tag in tags["tensors"]},
            "tensorflow": "tensorflow" in sys.modules,
        }
    )
)
