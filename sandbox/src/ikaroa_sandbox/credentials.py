"""The credentials of the demo users of both systems: fixed, public, worth nothing outside the sandbox."""

from __future__ import annotations

from functools import lru_cache

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from ikaroa_sandbox.limits import JWT_KEY_BITS

SALESFORCE_CLIENT_ID = "sandbox-salesforce-client"
SALESFORCE_CLIENT_SECRET = "sandbox-salesforce-secret"  # noqa: S105  a constant everyone may know
SALESFORCE_REFRESH_TOKEN = "sandbox-salesforce-refresh"  # noqa: S105
SALESFORCE_USERNAME = "integration@sandbox.example"

XERO_CLIENT_ID = "sandbox-xero-client"
XERO_CLIENT_SECRET = "sandbox-xero-secret"  # noqa: S105
XERO_REFRESH_TOKEN = "sandbox-xero-refresh"  # noqa: S105


@lru_cache(maxsize=1)
def _jwt_key() -> rsa.RSAPrivateKey:
    # Made once a process and only when asked for: 2,048 bits cost a tenth of a second and more.
    return rsa.generate_private_key(public_exponent=65537, key_size=JWT_KEY_BITS)


@lru_cache(maxsize=1)
def jwt_private_key_pem() -> str:
    """The key a client signs its JWT bearer assertion with (PKCS #8 PEM)."""
    pem = _jwt_key().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return pem.decode("ascii")


@lru_cache(maxsize=1)
def jwt_public_key_pem() -> str:
    """The certificate's public key that the Salesforce half checks the assertion with (PEM)."""
    pem = (
        _jwt_key()
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return pem.decode("ascii")


def demo_credentials(base_url: str) -> dict[str, dict[str, str]]:
    """What a client needs to sign in to either system at `base_url` (no slash at its end)."""
    return {
        "salesforce": {
            "login_url": base_url,
            "instance_url": base_url,
            "token_url": f"{base_url}/services/oauth2/token",
            "client_id": SALESFORCE_CLIENT_ID,
            "client_secret": SALESFORCE_CLIENT_SECRET,
            "refresh_token": SALESFORCE_REFRESH_TOKEN,
            "username": SALESFORCE_USERNAME,
        },
        "xero": {
            "api_url": f"{base_url}/api.xro/2.0",
            "token_url": f"{base_url}/connect/token",
            "connections_url": f"{base_url}/connections",
            "client_id": XERO_CLIENT_ID,
            "client_secret": XERO_CLIENT_SECRET,
            "refresh_token": XERO_REFRESH_TOKEN,
        },
    }
