"""TLS for clients that cannot speak plain HTTP: a certificate made for this one run, signed by a CA made for it too."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import NamedTuple

import trustme

from ikaroa_sandbox.errors import StartError

NAMES = (
    "127.0.0.1",
    "localhost",
    # For clients with hard-coded hosts whose name look-up the user redirects to this machine.
    "login.salesforce.com",
    "test.salesforce.com",
    "*.my.salesforce.com",
    "identity.xero.com",
    "login.xero.com",
    "api.xero.com",
    "api.pubsub.salesforce.com",
)


class Identity(NamedTuple):
    """Who the servers say they are."""

    context: ssl.SSLContext
    key: bytes
    """PEM, for servers that do not take a context."""
    chain: bytes


def server_identity(ca_file: Path) -> Identity:
    """A new identity; its CA's certificate is written to `ca_file` for clients. Raises StartError if it cannot be."""
    authority = trustme.CA(organization_name="ikaroa sandbox")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own = authority.issue_cert(*NAMES)
    own.configure_cert(context)
    try:
        authority.cert_pem.write_to_path(str(ca_file))
    except OSError as error:
        raise StartError(f"cannot write the CA certificate to {ca_file}: {error.strerror}") from error
    chain = b"".join(part.bytes() for part in own.cert_chain_pems)
    return Identity(context, own.private_key_pem.bytes(), chain)
