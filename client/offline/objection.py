"""Why a client does not learn on without its server, in words."""

from __future__ import annotations

from client.offline.memory import run_name
from client.runtime import Place
from client.site import rules
from client.site.policy import MeshRule, Policy
from client.site.rules import RunFacts
from shared import mesh_contribution
from shared.errors import SettingsInvalid
from shared.run_spec import RunSpec


def objection(place: Place, policy: Policy, *, has_passed: bool) -> str | None:
    """By the run's settings and the site's policy; None: it does. `has_passed`: whether the policy has let a
    message of the run pass, which somebody may have had to confirm.

    A rule that counts rounds or clients by the server's word is not held without the server, so that it keeps
    the client from the mesh.
    """
    try:
        spec = RunSpec.from_run_config(place.run_config)
    except SettingsInvalid as error:
        return f"its settings cannot be read: {error}"
    if (words := mesh_contribution.objection(spec)) is not None:
        return words
    if policy.mesh is MeshRule.OFF:
        return 'this site\'s policy has mesh = "off"'
    if policy.mesh is MeshRule.DP_ONLY and spec.dp is None:
        return 'this site\'s policy has mesh = "dp-only", and the run has no differential privacy'
    for rule in ("minimum_cohort", "rounds_a_day"):
        if (value := getattr(policy, rule)) is not None:
            return f"this site's policy has {rule} = {value}, which nobody counts without the server"
    if policy.confirm and not has_passed:
        return (
            "this site's policy has confirm, and nobody has confirmed the run since this client was started"
        )
    facts = RunFacts("", run_name(place), place.clients, tuple(place.run_config.items()))
    declined = rules.objection(policy, facts, 0)
    return None if declined is None else f"this site's policy does not let it pass: {declined}"
