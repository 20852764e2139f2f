"""The answers of the describe calls, in Salesforce's own full shape."""

from __future__ import annotations

from typing import Any

from ikaroa_sandbox.salesforce.schema.model import NUMBER_TYPES, Child, Field, ObjectType, Schema

_SOAP = {
    "id": "tns:ID",
    "reference": "tns:ID",
    "boolean": "xsd:boolean",
    "int": "xsd:int",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "address": "urn:address",
}
_BYTES_A_CHAR = 3
_SAME_FOR_ALL: dict[str, Any] = {
    "aiPredictionField": False,
    "caseSensitive": False,
    "controllerName": None,
    "defaultValueFormula": None,
    "dependentPicklist": False,
    "deprecatedAndHidden": False,
    "encrypted": False,
    "filteredLookupInfo": None,
    "highScaleNumber": False,
    "htmlFormatted": False,
    "inlineHelpText": None,
    "mask": None,
    "maskType": None,
    "namePointing": False,
    "polymorphicForeignKey": False,
    "referenceTargetField": None,
    "writeRequiresMasterRead": False,
}
"""Facts of a field that no field of the sandbox has otherwise."""


def _urls(item: ObjectType, base: str) -> dict[str, str]:
    root = f"{base}/sobjects/{item.name}"
    return {
        "rowTemplate": f"{root}/{{ID}}",
        "describe": f"{root}/describe",
        "sobject": root,
    }


def summary(item: ObjectType, base: str) -> dict[str, Any]:
    """An object as the global describe lists it."""
    shown = "layout" in item.traits
    return {
        "activateable": False,
        "associateEntityType": None,
        "associateParentEntity": None,
        "createable": item.writable,
        "custom": item.custom,
        "customSetting": False,
        "deepCloneable": False,
        "deletable": item.deletable,
        "deprecatedAndHidden": False,
        "feedEnabled": "feed" in item.traits,
        "hasSubtypes": False,
        "isInterface": False,
        "isSubtype": False,
        "keyPrefix": item.prefix,
        "label": item.label,
        "labelPlural": item.plural,
        "layoutable": shown,
        "mergeable": "merge" in item.traits,
        "mruEnabled": shown,
        "name": item.name,
        "queryable": True,
        "replicateable": item.replicateable,
        "retrieveable": True,
        "searchable": "search" in item.traits,
        "triggerable": item.writable,
        "undeletable": item.deletable and item.has_bin,
        "updateable": item.writable,
        "urls": _urls(item, base),
    }


def full(schema: Schema, item: ObjectType, base: str) -> dict[str, Any]:
    """An object with its fields and child relationships."""
    head = summary(item, base)
    head["urls"] = {
        **head["urls"],
        "uiDetailTemplate": "/{ID}",
        "uiEditTemplate": "/{ID}/e",
        "uiNewRecord": f"/{item.prefix}/e",
    }
    return {
        **head,
        "actionOverrides": [],
        "childRelationships": [_child(link) for link in schema.children(item.name)],
        "compactLayoutable": head["layoutable"],
        "defaultImplementation": None,
        "extendedBy": None,
        "extendsInterfaces": None,
        "fields": [field_facts(field) for field in item.fields.values()],
        "implementedBy": None,
        "implementsInterfaces": None,
        "listviewable": None,
        "lookupLayoutable": None,
        "namedLayoutInfos": [],
        "networkScopeFieldName": None,
        "recordTypeInfos": [_master_record_type(base, item)],
        "searchLayoutable": head["searchable"],
        "sobjectDescribeOption": "FULL",
        "supportedScopes": [{"label": f"All {item.plural}", "name": "everything"}],
    }


def _master_record_type(base: str, item: ObjectType) -> dict[str, Any]:
    return {
        "active": True,
        "available": True,
        "defaultRecordTypeMapping": True,
        "developerName": "Master",
        "master": True,
        "name": "Master",
        "recordTypeId": "012000000000000AAA",
        "urls": {"layout": f"{base}/sobjects/{item.name}/describe/layouts/012000000000000AAA"},
    }


def _child(link: Child) -> dict[str, Any]:
    return {
        "cascadeDelete": link.cascade,
        "childSObject": link.object,
        "deprecatedAndHidden": False,
        "field": link.field,
        "junctionIdListNames": [],
        "junctionReferenceTo": [],
        "relationshipName": link.relationship,
        "restrictedDelete": link.restrict,
    }


def _picklist(field: Field) -> list[dict[str, Any]]:
    return [
        {
            "active": True,
            "defaultValue": value == field.default,
            "label": value,
            "validFor": None,
            "value": value,
        }
        for value in field.values
    ]


def _default(field: Field) -> Any:
    return False if field.type == "boolean" else None


def field_facts(field: Field) -> dict[str, Any]:
    """One field, key by key as Salesforce sorts them."""
    number = field.type in NUMBER_TYPES
    defaulted = (
        field.type == "boolean" or field.default is not None or field.name in {"OwnerId", "CurrencyIsoCode"}
    )
    system = field.name in {
        "CreatedDate",
        "CreatedById",
        "LastModifiedDate",
        "LastModifiedById",
        "SystemModstamp",
    }
    facts = {
        **_SAME_FOR_ALL,
        "aggregatable": field.filterable and field.type not in {"boolean", "multipicklist"},
        "autoNumber": field.autonumber is not None,
        "byteLength": field.length * (_BYTES_A_CHAR if field.type not in {"id", "reference"} else 1),
        "calculated": field.calculated,
        "calculatedFormula": field.formula,
        "cascadeDelete": field.cascade,
        "compoundFieldName": field.compound,
        "createable": field.createable,
        "custom": field.custom,
        "defaultValue": _default(field),
        "defaultedOnCreate": defaulted or field.type == "id" or system or field.autonumber is not None,
        "digits": field.digits,
        "displayLocationInDecimal": field.name.endswith(("Latitude", "Longitude")),
        "externalId": field.external,
        "extraTypeInfo": _extra_type(field),
        "filterable": field.filterable,
        "formulaTreatNullNumberAsZero": field.calculated and number,
        "groupable": field.groupable,
        "idLookup": field.idlookup
        or field.external
        or field.type == "id"
        or (field.name_field and not field.readonly),
        "label": field.label,
        "length": field.length,
        "name": field.name,
        "nameField": field.name_field,
        "nillable": field.nillable and not system and field.name != "OwnerId",
        "permissionable": not (system or field.required or field.type == "id" or field.name == "IsDeleted"),
        "picklistValues": _picklist(field),
        "precision": field.precision,
        "queryByDistance": field.type == "address",
        "referenceTo": [field.refers_to] if field.refers_to else [],
        "relationshipName": field.relationship,
        "relationshipOrder": 0 if field.master else None,
        "restrictedDelete": field.restrict,
        "restrictedPicklist": field.restricted,
        "scale": field.scale,
        "searchPrefilterable": field.type == "reference",
        "soapType": "xsd:double" if number else _SOAP.get(field.type, "xsd:string"),
        "sortable": field.sortable,
        "type": field.type,
        "unique": field.unique,
        "updateable": field.updateable,
    }
    return dict(sorted(facts.items()))


def _extra_type(field: Field) -> str | None:
    if field.name in {"FirstName", "LastName"} and field.compound:
        return "personname"
    if field.type == "textarea":
        return "plaintextarea"
    return "switchablepersonname" if field.name == "Name" and field.name_field and field.readonly else None
