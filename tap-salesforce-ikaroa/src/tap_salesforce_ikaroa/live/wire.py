"""The messages of the Pub/Sub API (`eventbus.v1`), as far as a subscriber needs them.

They are described here in a table and built at run time in a descriptor pool of their own, so that nothing clashes with
another copy of the same interface in the process. Source: Pub/Sub API docs.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PACKAGE = "eventbus.v1"
SERVICE = f"/{PACKAGE}.PubSub"
LATEST, CUSTOM = 0, 2  # ReplayPreset; EARLIEST (1) is never asked for

_MESSAGES: dict[str, dict[str, tuple[int, str]]] = {
    "TopicRequest": {"topic_name": (1, "string")},
    "TopicInfo": {
        "topic_name": (1, "string"),
        "tenant_guid": (2, "string"),
        "can_publish": (3, "bool"),
        "can_subscribe": (4, "bool"),
        "schema_id": (5, "string"),
        "rpc_id": (6, "string"),
    },
    "SchemaRequest": {"schema_id": (1, "string")},
    "SchemaInfo": {"schema_json": (1, "string"), "schema_id": (2, "string"), "rpc_id": (3, "string")},
    "FetchRequest": {
        "topic_name": (1, "string"),
        "replay_preset": (2, "ReplayPreset"),
        "replay_id": (3, "bytes"),
        "num_requested": (4, "int32"),
        "auth_refresh": (5, "string"),
    },
    "EventHeader": {"key": (1, "string"), "value": (2, "bytes")},
    "ProducerEvent": {
        "id": (1, "string"),
        "schema_id": (2, "string"),
        "payload": (3, "bytes"),
        "headers": (4, "repeated EventHeader"),
    },
    "ConsumerEvent": {"event": (1, "ProducerEvent"), "replay_id": (2, "bytes")},
    "FetchResponse": {
        "events": (1, "repeated ConsumerEvent"),
        "latest_replay_id": (2, "bytes"),
        "rpc_id": (3, "string"),
        "pending_num_requested": (4, "int32"),
    },
}
_PRESETS = ("LATEST", "EARLIEST", "CUSTOM")
_Kind = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    "string": _Kind.TYPE_STRING,
    "bytes": _Kind.TYPE_BYTES,
    "bool": _Kind.TYPE_BOOL,
    "int32": _Kind.TYPE_INT32,
}


def _described() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name="pubsub.proto", package=PACKAGE, syntax="proto3")
    presets = file.enum_type.add(name="ReplayPreset")
    for number, name in enumerate(_PRESETS):
        presets.value.add(name=name, number=number)
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            _add_field(message, field, number, kind)
    return file


def _add_field(message: descriptor_pb2.DescriptorProto, name: str, number: int, kind: str) -> None:
    repeated, plain = kind.startswith("repeated "), kind.removeprefix("repeated ")
    field = message.field.add(name=name, number=number)
    field.label = _Kind.LABEL_REPEATED if repeated else _Kind.LABEL_OPTIONAL
    if plain in _SCALARS:
        field.type = _SCALARS[plain]
    else:
        field.type = _Kind.TYPE_ENUM if plain == "ReplayPreset" else _Kind.TYPE_MESSAGE
        field.type_name = f".{PACKAGE}.{plain}"


_pool = descriptor_pool.DescriptorPool()
_pool.Add(_described())


def _message(name: str) -> Any:
    return message_factory.GetMessageClass(_pool.FindMessageTypeByName(f"{PACKAGE}.{name}"))


TopicRequest, TopicInfo = _message("TopicRequest"), _message("TopicInfo")
SchemaRequest, SchemaInfo = _message("SchemaRequest"), _message("SchemaInfo")
FetchRequest, FetchResponse = _message("FetchRequest"), _message("FetchResponse")
ConsumerEvent, ProducerEvent = _message("ConsumerEvent"), _message("ProducerEvent")
