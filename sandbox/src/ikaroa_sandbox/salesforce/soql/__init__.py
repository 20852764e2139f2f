"""SOQL: from a query's text to JSON.

In the order of the work:

    lexer, parser, where      text to tokens to the tree of `ast`
    scope                     names to columns: what the user may see, and the parents that are joined
    conditions, dates         WHERE and HAVING to SQL
    shape                     the SELECT list to columns and to what turns a row into JSON
    compile                   tree to `plan`; grouped: aggregates; flat: the rows of text of the Bulk APIs; sql: the text of a SELECT
    run                       plans to rows, and rows to pages under locators
"""
