"""The few messages of ONNX that our graphs are made of, as protobuf classes.

A file may hold more than these: subgraphs, functions, sparse tensors, strings, training. Those fields are not declared here, so
that protobuf keeps them apart as unknown ones, and :func:`surplus` finds them: nothing that is not understood is used.
Numbers are those of ``onnx.proto`` (IR version 10); enums are declared as the integers that they are on the wire.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet

PACKAGE = "audiocycle.onnx"
FIELDS: dict[str, dict[int, str]] = {
    "Model": {
        1: "int64 ir_version", 2: "string producer_name", 3: "string producer_version", 4: "string domain", 5: "int64 model_version",
        6: "string doc_string", 7: "Graph graph", 8: "OperatorSet* opset_import", 14: "Entry* metadata_props",
    },
    "OperatorSet": {1: "string domain", 2: "int64 version"},
    "Entry": {1: "string key", 2: "string value"},
    "Graph": {
        1: "Node* node", 2: "string name", 5: "Tensor* initializer", 10: "string doc_string", 11: "ValueInfo* input", 12: "ValueInfo* output",
        13: "ValueInfo* value_info", 16: "Entry* metadata_props",
    },
    "Node": {
        1: "string* input", 2: "string* output", 3: "string name", 4: "string op_type", 5: "Attribute* attribute", 6: "string doc_string",
        7: "string domain", 9: "Entry* metadata_props",
    },
    "Attribute": {1: "string name", 2: "float f", 3: "int64 i", 4: "bytes s", 8: "int64* ints", 13: "string doc_string", 20: "int32 type"},
    "Tensor": {
        1: "int64* dims", 2: "int32 data_type", 8: "string name", 9: "bytes raw_data", 12: "string doc_string", 13: "Entry* external_data",
        14: "int32 data_location", 16: "Entry* metadata_props",
    },
    "ValueInfo": {1: "string name", 2: "Type type", 3: "string doc_string", 4: "Entry* metadata_props"},
    "Type": {1: "TensorType tensor_type"},
    "TensorType": {1: "int32 elem_type", 2: "Shape shape"},
    "Shape": {1: "Dimension* dim"},
    "Dimension": {1: "int64 dim_value", 2: "string dim_param"},
}  # fmt: skip
"""By message and number: type, ``*`` for a repeated field, and name."""
FLOAT32, INT64, FLOAT16 = 1, 7, 10
"""Of ``TensorProto.DataType``."""
EXTERNAL = 1
"""Of ``TensorProto.DataLocation``."""
A_FLOAT, AN_INT, A_STRING, INTS = 1, 2, 3, 7
"""Of ``AttributeProto.AttributeType``."""


@cache
def message(name: str) -> Any:
    """The class of a message in :data:`FIELDS`."""
    pool = descriptor_pool.DescriptorPool()
    pool.Add(described())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.{name}"))


def described() -> descriptor_pb2.FileDescriptorProto:
    """The table in protobuf's own terms."""
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="audiocycle_onnx.proto", package=PACKAGE)
    for name, fields in FIELDS.items():
        kind = file.message_type.add(name=name)
        for number, text in fields.items():
            type_name, _, field_name = text.partition(" ")
            base = type_name.rstrip("*")
            added = kind.field.add(
                name=field_name,
                number=number,
                label=field.LABEL_REPEATED if type_name != base else field.LABEL_OPTIONAL,
            )
            if base in FIELDS:
                added.type, added.type_name = field.TYPE_MESSAGE, f".{PACKAGE}.{base}"
            else:
                added.type = getattr(field, f"TYPE_{base.upper()}")
    return file


def surplus(part: Message) -> str:
    """Where in a message something lies that the table does not know, as ``Attribute field 6``; empty where all is known."""
    kind = part.DESCRIPTOR.name
    for unknown in UnknownFieldSet(part):
        return f"{kind} field {unknown.field_number}"
    for field, value in part.ListFields():
        values = [value] if isinstance(value, Message | str | bytes | int | float) else value
        if field.type == field.TYPE_STRING and not all(
            isinstance(text, str) for text in values
        ):  # protobuf hands these out as bytes
            return f"{kind} field {field.number}, which is no text"
        if field.message_type is not None:
            for inner in values:
                if found := surplus(inner):
                    return found
    return ""
