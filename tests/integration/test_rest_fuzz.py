"""Requests made from the API's own description, right and wrong: no answer is 5xx, each is as described."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.support.api import Api
from tests.support.processes import ServerProcess

DESCRIPTION = Path(__file__).parents[2] / "app" / "frontend" / "openapi.json"
"""As it is served: `tests/unit/test_generated.py` compares them."""

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]

api_schema = schemathesis.openapi.from_path(DESCRIPTION)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One of its own, which may be left with whatever was made."""
    server = ServerProcess(home=tmp_path_factory.mktemp("rest"))
    try:
        yield server
        with closing(Api(server.url)) as api:
            api.end_all_runs()
            told = [entry for entry in api.logs(source="server", limit=5000) if entry["traceback"]]
        assert {(entry["message"], entry["traceback"]) for entry in told} == set()
    finally:
        server.end()


@api_schema.parametrize()
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.filter_too_much,
    ],
)
def test_answers_are_as_described(case: schemathesis.Case[Any], server: ServerProcess) -> None:
    response = case.call(base_url=server.url, timeout=30)

    case.validate_response(response, checks=CHECKS)
