"""The executor: which calls may go next, and what their answers mean. No HTTP, no Singer, no sleeping."""

from __future__ import annotations

from target_xero.execute.context import ExecutorSettings
from target_xero.execute.executor import Executor

__all__ = ["Executor", "ExecutorSettings"]
