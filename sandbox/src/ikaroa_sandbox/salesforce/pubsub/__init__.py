"""The Pub/Sub API's server: gRPC streams of the org's change events, on a port of its own.

Its modules:

    server                    the gRPC shell; subscription: one stream, without threads or sockets
    messages                  the messages of `eventbus.v1`
    refusals                  how a call is refused
"""

from ikaroa_sandbox.salesforce.pubsub.server import PubSubServer, serve_pubsub_in_thread

__all__ = ["PubSubServer", "serve_pubsub_in_thread"]
