"""The Pub/Sub API on a gRPC port of this machine: a thin shell around `Subscription` and the event log.

Each stream has two threads: one takes what the client asks, one sends what is due. Time is the sandbox's: advancing its
clock brings keep-alives and time-outs at once.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Generator, Iterator
from concurrent import futures
from typing import TYPE_CHECKING, Any

import grpc

from ikaroa_sandbox.core import Headers, Request, Response
from ikaroa_sandbox.errors import StartError
from ikaroa_sandbox.salesforce import limits
from ikaroa_sandbox.salesforce.backend import SalesforceBackend
from ikaroa_sandbox.salesforce.errors import SessionError
from ikaroa_sandbox.salesforce.events import avro
from ikaroa_sandbox.salesforce.pubsub import messages, refusals
from ikaroa_sandbox.salesforce.pubsub.subscription import Subscription, objects_of

if TYPE_CHECKING:
    from ikaroa_sandbox.app import Sandbox
    from ikaroa_sandbox.salesforce.state import State

SYSTEM = "salesforce"


class PubSubServer:
    """Serves GetTopic, GetSchema and Subscribe. `port` 0 takes a free one.

    Raises:
        StartError: the port cannot be used.
    """

    def __init__(
        self, sandbox: Sandbox, port: int = 0, *, credentials: grpc.ServerCredentials | None = None
    ) -> None:
        self._sandbox = sandbox
        self._arrived = threading.Condition()
        self._stopping = False
        self._streams = 0
        self._backend().on_events = self._wake
        self._server = grpc.server(
            futures.ThreadPoolExecutor(limits.STREAMS_MAX, thread_name_prefix="pubsub"),
            options=[("grpc.so_reuseport", 0)],
        )
        self._server.add_generic_rpc_handlers((self._handlers(),))
        address = f"127.0.0.1:{port}"
        try:
            self.port = (
                self._server.add_secure_port(address, credentials)
                if credentials
                else self._server.add_insecure_port(address)
            )
        except RuntimeError:
            self.port = 0
        if not self.port:
            raise StartError(f"port {port} on 127.0.0.1 cannot be used; choose another with --pubsub-port")
        self.endpoint = f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Takes calls from now on."""
        self._server.start()

    def stop(self) -> None:
        """Ends every stream and the server."""
        self._stopping = True
        self._backend().on_events = None
        self._wake()
        self._server.stop(grace=1).wait()

    def _backend(self) -> SalesforceBackend:
        backend = self._sandbox.backend(SYSTEM)
        if not isinstance(
            backend, SalesforceBackend
        ):  # pragma: no cover  only a test of the shell has another
            raise StartError("there is no Salesforce in this sandbox")
        return backend

    def _wake(self) -> None:
        with self._arrived:
            self._arrived.notify_all()

    def _handlers(self) -> grpc.GenericRpcHandler:
        def unary(method: Callable[..., Any], request: Any) -> grpc.RpcMethodHandler[Any, Any]:
            return grpc.unary_unary_rpc_method_handler(
                method, request.FromString, lambda answer: answer.SerializeToString()
            )

        return grpc.method_handlers_generic_handler(
            messages.SERVICE,
            {
                "GetTopic": unary(self._get_topic, messages.TopicRequest),
                "GetSchema": unary(self._get_schema, messages.SchemaRequest),
                "Subscribe": grpc.stream_stream_rpc_method_handler(
                    self._subscribe,
                    messages.FetchRequest.FromString,
                    lambda answer: answer.SerializeToString(),
                ),
            },
        )

    # -- what every call goes through ---------------------------------------------------------------------------------------

    def _admit(
        self, method: str, context: grpc.ServicerContext, detail: str, *, first: bool = True
    ) -> str | None:
        """Checks session and faults under the sandbox's lock; journals the call. Returns the fault that strikes.

        Raises:
            Refusal: the call ends here.
        """
        given = {key: value for key, value in context.invocation_metadata() if isinstance(value, str)}
        request = Request(
            "GRPC",
            f"/{messages.SERVICE}/{method}",
            query=detail,
            headers=Headers({"Authorization": f"Bearer {given.get('accesstoken', '')}"}),
        )
        fault = self._sandbox.faults.decide(SYSTEM, request) if self._sandbox.faults.active else None
        kind = fault.kind if fault else None
        try:
            if kind == "expire_tokens":
                self._backend().expire_tokens()
            if first or self._backend().world.variants["salesforce.events.session_end"] == "ends_stream":
                self._check_session(given, request)
            _strike(kind)
        except refusals.Refusal as refusal:
            self._note(request, refusal, kind)
            raise
        self._note(request, None, kind)
        return kind

    def _check_session(self, given: dict[str, str], request: Request) -> None:
        state = self._state()
        missing = [key for key in ("accesstoken", "instanceurl", "tenantid") if not given.get(key)]
        if missing:
            raise refusals.headers_invalid(f"missing {', '.join(missing)}")
        if not given["instanceurl"].startswith(("https://", "http://127.0.0.1", "http://localhost")):
            raise refusals.headers_invalid("instanceurl is no https address")
        if len(given["tenantid"]) != len(state.org_id):
            raise refusals.headers_invalid("tenantid has 18 characters")
        try:
            state.tokens.check(request, self._sandbox.clock.now())
        except SessionError:
            raise refusals.not_authenticated() from None
        if given["tenantid"] != state.org_id:
            raise refusals.not_authenticated()

    def _state(self) -> State:
        return self._backend().state

    def _note(self, request: Request, refusal: refusals.Refusal | None, fault: str | None) -> None:
        status = 200 if refusal is None else 400
        answer = Response(status, {}, b"" if refusal is None else refusal.code.encode())
        self._sandbox.record(SYSTEM, request, answer, fault)

    def _run(self, context: grpc.ServicerContext, work: Callable[[], Any]) -> Any:
        try:
            with self._sandbox.lock:
                return work()
        except refusals.Refusal as refusal:
            _abort(context, refusal)

    # -- the calls ---------------------------------------------------------------------------------------------------------

    def _get_topic(self, request: Any, context: grpc.ServicerContext) -> Any:
        def work() -> Any:
            self._admit("GetTopic", context, request.topic_name)
            state = self._state()
            names = objects_of(state, request.topic_name)
            item = state.org.visible[names[0]] if names else None
            return messages.TopicInfo(
                topic_name=request.topic_name,
                tenant_guid=f"core/sandbox/{state.org_id}",
                can_publish=False,
                can_subscribe=True,
                schema_id=avro.schema_of(item).id if item else "",
                rpc_id="rpc-topic",
            )

        return self._run(context, work)

    def _get_schema(self, request: Any, context: grpc.ServicerContext) -> Any:
        def work() -> Any:
            self._admit("GetSchema", context, request.schema_id)
            for item in self._state().org.visible:
                schema = avro.schema_of(item)
                if schema.id == request.schema_id:
                    return messages.SchemaInfo(
                        schema_json=schema.json, schema_id=schema.id, rpc_id="rpc-schema"
                    )
            raise refusals.schema_not_found(request.schema_id)

        return self._run(context, work)

    def _subscribe(self, requests: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Any]:
        subscription = Subscription()
        ended: list[refusals.Refusal | None] = []
        try:
            with self._sandbox.lock:
                if self._streams >= limits.STREAMS_MAX // 2:
                    raise refusals.too_many_clients()
                self._admit("Subscribe", context, "")
                self._streams += 1
        except refusals.Refusal as refusal:
            _abort(context, refusal)
        listener = threading.Thread(
            target=self._listen, args=(requests, subscription, ended), name="pubsub-listen", daemon=True
        )
        listener.start()
        context.add_callback(self._wake)
        try:
            yield from self._deliver(subscription, ended, context)
        except refusals.Refusal as refusal:
            _abort(context, refusal)
        finally:
            self._streams -= 1

    def _listen(
        self, requests: Iterator[Any], subscription: Subscription, ended: list[refusals.Refusal | None]
    ) -> None:
        """Takes what the client asks until it says no more."""
        try:
            for request in requests:
                with self._sandbox.lock:
                    subscription.ask(self._state(), request, self._sandbox.clock.now())
                self._wake()
            ended.append(None)
        except refusals.Refusal as refusal:
            ended.append(refusal)
        except Exception:  # noqa: BLE001  the client has gone: grpc raises a bare Exception here
            ended.append(None)
        self._wake()

    def _deliver(
        self, subscription: Subscription, ended: list[refusals.Refusal | None], context: grpc.ServicerContext
    ) -> Iterator[Any]:
        while context.is_active() and not self._stopping:
            if ended and ended[0] is not None:
                raise ended[0]
            with self._sandbox.lock:
                self._sandbox.settle()
                answer = subscription.next(self._state(), self._sandbox.clock.now())
                fault = self._admit("Subscribe", context, subscription.topic, first=False) if answer else None
            if answer is not None:
                if fault == "duplicate":
                    subscription.repeat = list(answer.events)
                yield answer
                continue
            if ended:
                return  # it has hung up, and there is nothing more it asked for
            with self._arrived:
                self._arrived.wait(limits.STREAM_TICK_SECONDS)


_STRIKES: dict[str, Callable[[], refusals.Refusal]] = {
    "401": refusals.not_authenticated,
    "429": refusals.protection,
    "500": refusals.unavailable,
    "502": refusals.unavailable,
    "503": refusals.unavailable,
    "504": refusals.unavailable,
    "timeout": refusals.cut,
    "reset": refusals.cut,
    "connect": refusals.cut,
    "truncated": refusals.cut,
    "invalid": refusals.replay_corrupted,
}


def _strike(kind: str | None) -> None:
    """What a fault of the plan does to a call. Raises Refusal; kinds that mean nothing here pass."""
    made = _STRIKES.get((kind or "").partition("_")[0])
    if made is not None:
        raise made()


def _abort(context: grpc.ServicerContext, refusal: refusals.Refusal) -> None:
    if refusal.code:
        context.set_trailing_metadata((("error-code", refusal.code),))
    context.abort(refusal.status, refusal.text)


@contextlib.contextmanager
def serve_pubsub_in_thread(sandbox: Sandbox, port: int = 0) -> Generator[str, None, None]:
    """Serves while the block runs; gives the endpoint, `127.0.0.1:port`. Raises StartError."""
    server = PubSubServer(sandbox, port)
    server.start()
    try:
        yield server.endpoint
    finally:
        server.stop()
