"""The Pub/Sub API's server: gRPC streams of the org's change events, on a port of its own."""

from ikaroa_sandbox.salesforce.pubsub.server import PubSubServer, serve_pubsub_in_thread

__all__ = ["PubSubServer", "serve_pubsub_in_thread"]
