"""The org's set-up: which features are on, what the integration user may see, which fields an administrator made.

`visible` is what the API shows: a hidden field, a hidden object and everything of a feature that is off are simply
not in it. `full` is what the rules work with. Both are rebuilt on a change and never changed in place.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from ikaroa_sandbox.salesforce.schema.load import base_schema, expand
from ikaroa_sandbox.salesforce.schema.model import Field, ObjectType, Schema

FEATURES = ("multi_currency", "products", "orders", "person_accounts")


@dataclass
class Org:
    """Set-up that an administrator can change while clients look on."""

    modified: datetime
    features: dict[str, bool] = field(default_factory=lambda: dict.fromkeys(FEATURES, True))
    hidden_fields: set[tuple[str, str]] = field(default_factory=set)
    hidden_objects: set[str] = field(default_factory=set)
    full: Schema = field(default_factory=base_schema)
    visible: Schema = field(default_factory=base_schema)

    def on(self, feature: str | None) -> bool:
        """Whether a feature is switched on; what needs none is there always."""
        return feature is None or self.features[feature]

    def rebuild(self, now: datetime) -> None:
        """Works out `visible` after a change."""
        self.modified = now
        self.visible = Schema(
            {
                key: self._seen(item)
                for key, item in self.full.objects.items()
                if self.on(item.feature) and key not in self.hidden_objects
            }
        )

    def _seen(self, item: ObjectType) -> ObjectType:
        key = item.name.lower()
        fields = {
            name: self._seen_field(found)
            for name, found in item.fields.items()
            if self.on(found.feature) and (key, name) not in self.hidden_fields
        }
        hidden = {name: found for name, found in item.fields.items() if (key, name) in self.hidden_fields}
        return replace(item, fields=fields, hidden=hidden)

    def _seen_field(self, found: Field) -> Field:
        target = self.full.get(found.refers_to) if found.refers_to else None
        gone = target is not None and (
            not self.on(target.feature) or target.name.lower() in self.hidden_objects
        )
        return replace(found, relationship=None, children=None) if gone else found

    def object(self, name: str) -> ObjectType:
        """An object of `full`. Raises ValueError with the known names."""
        found = self.full.get(name)
        if found is None:
            raise ValueError(f"no object {name!r}; there are {', '.join(item.name for item in self.full)}")
        return found

    def field(self, object_name: str, field_name: str) -> Field:
        """A field of `full`. Raises ValueError naming what is there."""
        item = self.object(object_name)
        found = item.field(field_name)
        if found is None:
            raise ValueError(f"{item.name} has no field {field_name!r}")
        return found

    def add_field(self, object_name: str, name: str, facts: dict[str, Any]) -> list[Field]:
        """Makes a custom field (an address or a currency code make several)."""
        item = self.object(object_name)
        if not name.endswith("__c"):
            raise ValueError(f"a custom field's name ends in __c, {name!r} does not")
        if item.field(name) is not None:
            raise ValueError(f"{item.name} has a field {name} already")
        made = expand(name, facts)
        self._put(item, {**item.fields, **{found.name.lower(): found for found in made}})
        return made

    def remove_field(self, object_name: str, name: str) -> Field:
        """Deletes a custom field for good."""
        found = self.field(object_name, name)
        if not found.custom:
            raise ValueError(f"{found.name} is a standard field; hide it instead")
        item = self.object(object_name)
        self._put(item, {key: one for key, one in item.fields.items() if one.name != found.name})
        return found

    def _put(self, item: ObjectType, fields: dict[str, Field]) -> None:
        self.full = Schema({**self.full.objects, item.name.lower(): replace(item, fields=fields)})

    def copy(self) -> Org:
        """An independent copy: the schemas are shared, they never change."""
        return replace(
            self,
            features=dict(self.features),
            hidden_fields=set(self.hidden_fields),
            hidden_objects=set(self.hidden_objects),
        )
