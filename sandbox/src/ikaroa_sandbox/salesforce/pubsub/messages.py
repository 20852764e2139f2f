"""The messages of `eventbus.v1` (proto3), as far as subscribing needs them.

Field numbers as in the published interface of the Pub/Sub API. The descriptors live in a pool of their own, so that a
client in the same process may have its own copy.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PACKAGE = "eventbus.v1"
SERVICE = f"{PACKAGE}.PubSub"

LATEST, EARLIEST, CUSTOM = 0, 1, 2

_SCALARS = {
    "string": descriptor_pb2.FieldDescriptorProto.TYPE_STRING,
    "bytes": descriptor_pb2.FieldDescriptorProto.TYPE_BYTES,
    "int32": descriptor_pb2.FieldDescriptorProto.TYPE_INT32,
    "bool": descriptor_pb2.FieldDescriptorProto.TYPE_BOOL,
}
_ENUMS = {"ReplayPreset": ("LATEST", "EARLIEST", "CUSTOM")}
_MESSAGES: dict[str, tuple[tuple[str, str], ...]] = {
    "TopicRequest": (("topic_name", "string"),),
    "TopicInfo": (
        ("topic_name", "string"), ("tenant_guid", "string"), ("can_publish", "bool"), ("can_subscribe", "bool"),
        ("schema_id", "string"), ("rpc_id", "string"),
    ),
    "SchemaRequest": (("schema_id", "string"),),
    "SchemaInfo": (("schema_json", "string"), ("schema_id", "string"), ("rpc_id", "string")),
    "EventHeader": (("key", "string"), ("value", "bytes")),
    "ProducerEvent": (("id", "string"), ("schema_id", "string"), ("payload", "bytes"), ("headers", "*EventHeader")),
    "ConsumerEvent": (("event", "ProducerEvent"), ("replay_id", "bytes")),
    "FetchRequest": (
        ("topic_name", "string"), ("replay_preset", "ReplayPreset"), ("replay_id", "bytes"), ("num_requested", "int32"),
        ("auth_refresh", "string"),
    ),
    "FetchResponse": (
        ("events", "*ConsumerEvent"), ("latest_replay_id", "bytes"), ("rpc_id", "string"),
        ("pending_num_requested", "int32"),
    ),
}  # fmt: skip
"""Message -> its fields, numbered from 1 in this order; a star means repeated."""


def _file() -> descriptor_pb2.FileDescriptorProto:
    made = descriptor_pb2.FileDescriptorProto(name="pubsub.proto", package=PACKAGE, syntax="proto3")
    for name, values in _ENUMS.items():
        enum = made.enum_type.add(name=name)
        for number, value in enumerate(values):
            enum.value.add(name=value, number=number)
    for name, fields in _MESSAGES.items():
        message = made.message_type.add(name=name)
        for number, (field_name, starred) in enumerate(fields, 1):
            repeated, kind = starred.startswith("*"), starred.lstrip("*")
            field = message.field.add(name=field_name, number=number)
            field.label = field.LABEL_REPEATED if repeated else field.LABEL_OPTIONAL
            if kind in _SCALARS:
                field.type = _SCALARS[kind]
            else:
                field.type = field.TYPE_ENUM if kind in _ENUMS else field.TYPE_MESSAGE
                field.type_name = f".{PACKAGE}.{kind}"
    return made


_pool = descriptor_pool.DescriptorPool()
_pool.Add(_file())


def _message(name: str) -> Any:
    return message_factory.GetMessageClass(_pool.FindMessageTypeByName(f"{PACKAGE}.{name}"))


TopicRequest, TopicInfo = _message("TopicRequest"), _message("TopicInfo")
SchemaRequest, SchemaInfo = _message("SchemaRequest"), _message("SchemaInfo")
ProducerEvent, ConsumerEvent = _message("ProducerEvent"), _message("ConsumerEvent")
FetchRequest, FetchResponse = _message("FetchRequest"), _message("FetchResponse")
