"""openWakeWord's speech embedding, rewritten so that it takes 8 new mel frames instead of the last 76.

The network has no padding along time and strides over exactly 8 frames, so all that the 68 old frames would give was
computed before: it is enough to carry the last rows before each convolution that is tall in time.
"""

import struct
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

WINDOW_FRAMES = 76
HOP_FRAMES = 8

_INT64 = 7
_INT_ATTRIBUTE = 2
_END = 2**63 - 1

# The few fields of onnx.proto that are touched here; protobuf hands on the others as it found them.
_SCHEMA = {
    "Model": "graph=7:Graph",
    "Graph": "node=1:Node* initializer=5:Tensor* input=11:Value* output=12:Value*",
    "Node": "input=1:string* output=2:string* op_type=4:string attribute=5:Attribute*",
    "Attribute": "name=1:string i=3:int64 ints=8:int64* type=20:int32",
    "Tensor": "dims=1:int64* data_type=2:int32 name=8:string raw_data=9:bytes",
    "Value": "name=1:string type=2:Type",
    "Type": "tensor_type=1:TensorType",
    "TensorType": "elem_type=1:int32 shape=2:Shape",
    "Shape": "dim=1:Dim*",
    "Dim": "dim_value=1:int64",
}


def streaming(model: bytes) -> bytes:
    """The ONNX model that does for 8 new frames what `model` does for the 76 frames that end with them.

    `model` is openWakeWord 0.4.0's embedding_model.onnx: (1, 76, 32, 1) -> (1, 1, 1, 96), float32. The result takes
    (1, 8, 32, 1) and the inputs `state_0`, `state_1`, ...; after its first output come the states for the next call.
    Zeros for states are right after 76 frames have gone through. Raises KeyError or ValueError for another network.
    """
    file = _message("Model")
    file.ParseFromString(model)
    graph = file.graph
    weights = {tensor.name: tensor for tensor in graph.initializer}
    width = _shorten(graph, weights)
    nodes: list[Any] = []
    for node in graph.node:
        attributes = {attribute.name: list(attribute.ints) for attribute in node.attribute}
        if node.op_type == "Conv":
            tall, wide = attributes["kernel_shape"]
            if tall > 1:
                nodes += _carry(graph, node, [1, weights[node.input[1]].dims[1], tall - 1, width])
            pads = attributes.get("pads", [0, 0, 0, 0])
            width += pads[1] + pads[3] - (wide - 1)
        elif node.op_type == "MaxPool":
            width //= attributes["strides"][1]
        nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)
    return bytes(file.SerializeToString())


def _shorten(graph: Any, weights: Mapping[str, Any]) -> int:
    """Make the graph take 8 frames; returns how many values wide a frame is once it is padded."""
    graph.input[0].type.tensor_type.shape.dim[1].dim_value = HOP_FRAMES
    for name in (node.input[1] for node in graph.node if node.op_type == "Reshape"):
        batch, channels, frames, width = struct.unpack("<4q", weights[name].raw_data)
        if frames == WINDOW_FRAMES:
            weights[name].raw_data = struct.pack("<4q", batch, channels, HOP_FRAMES, width)
            return int(width)
    raise ValueError(f"the embedding model has no input of {WINDOW_FRAMES} frames")


def _carry(graph: Any, conv: Any, shape: list[int]) -> Iterator[Any]:
    """Put the rows kept from the call before in front of the convolution's input, and keep the last ones."""
    number = len(graph.output) - 1
    state, joined, kept = f"state_{number}", f"joined_{number}", f"next_state_{number}"
    bounds = [f"{end}_of_{kept}" for end in ("start", "end", "axis")]
    for name, value in zip(bounds, (-shape[2], _END, 2), strict=True):
        graph.initializer.add(name=name, dims=[1], data_type=_INT64, raw_data=struct.pack("<q", value))
    for values, name in ((graph.input, state), (graph.output, kept)):
        tensor = values.add(name=name).type.tensor_type
        tensor.elem_type = graph.input[0].type.tensor_type.elem_type
        for size in shape:
            tensor.shape.dim.add(dim_value=size)
    concat = _message("Node", op_type="Concat", input=[state, conv.input[0]], output=[joined])
    concat.attribute.add(name="axis", i=2, type=_INT_ATTRIBUTE)
    yield concat
    yield _message("Node", op_type="Slice", input=[joined, *bounds], output=[kept])
    conv.input[0] = joined


def _message(kind: str, **fields: object) -> Any:
    return _classes()[kind](**fields)


@cache
def _classes() -> dict[str, Any]:
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    file = descriptor_pb2.FileDescriptorProto(name="cooee/onnx.proto", package="cooee.onnx", syntax="proto2")
    for kind, fields in _SCHEMA.items():
        message = file.message_type.add(name=kind)
        for field in fields.split():
            name, number, type_name = field.replace("=", ":").split(":")
            entry = message.field.add(name=name, number=int(number))
            entry.label = entry.LABEL_REPEATED if type_name.endswith("*") else entry.LABEL_OPTIONAL
            type_name = type_name.rstrip("*")
            if type_name in _SCHEMA:
                entry.type, entry.type_name = entry.TYPE_MESSAGE, f".cooee.onnx.{type_name}"
            else:
                entry.type = getattr(entry, f"TYPE_{type_name.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {kind: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"cooee.onnx.{kind}")) for kind in _SCHEMA}
