"""Salesforce and Xero on your own machine: both APIs, stateful, with their rules, limits and faults.

The way of a request, from either door:

    server            sockets, TLS (tls), the command line around it (cli)
    adapter           in process, for `requests`
    app               `Sandbox.handle`: to a control end point, or through the faults to the system that owns the path
    systems           which systems there are: `salesforce`, `xero`, each a `core.Backend`

What everything shares:

    core              request, response, clock, rules and their variants, and what a system is
    times, limits, credentials, errors, xmltext

What surrounds the systems:

    control           the end points under /_sandbox/: control_actions does them, control_page shows them to a browser
    fault_commands    from a command's JSON to the rules of fault_rules; faults says which request meets which
    mishaps           what each kind of fault does; late holds what is carried out later, pasts what stale reads answer from
    journal           every exchange as it was on the wire
    keeping           the data in a file, from one start to the next
    fidelity          FIDELITY.md, made of the rules of both systems
"""
