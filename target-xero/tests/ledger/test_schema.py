"""The tables on both databases."""

from __future__ import annotations

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex
from target_xero.ledger import schema


def test_indexes_on_postgresql_have_the_conditions_that_they_have_on_sqlite() -> None:
    schema.share_conditions("postgresql")
    indexes = [index for table in schema.metadata.tables.values() for index in table.indexes]
    on = {
        dialect: sorted(str(CreateIndex(index).compile(dialect=dialect.dialect())) for index in indexes)
        for dialect in (sqlite, postgresql)
    }
    assert on[postgresql] == on[sqlite]
    assert sum("WHERE" in text for text in on[postgresql]) == 4
