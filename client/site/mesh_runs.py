"""What a site's policy says to a run of the mesh. This needs no PyTorch: who takes no part loads none."""

from __future__ import annotations

from client.site.policy import MeshRule, Policy
from client.site.rules import RunFacts, objection
from shared.run_spec import RunSpec


def mesh_objection(policy: Policy, proposer: str, run: str, spec: RunSpec, members: int) -> str | None:
    """Why the site takes no part in a run of so many; None: it does."""
    if policy.mesh is MeshRule.OFF or (policy.mesh is MeshRule.DP_ONLY and spec.dp is None):
        return f"mesh = {policy.mesh}"
    if policy.confirm or policy.rounds_a_day is not None:
        rule = "confirm" if policy.confirm else "rounds_a_day"
        return f"{rule} is given, which holds for servers' runs: no other is taken"
    facts = RunFacts(proposer, run, members, tuple(spec.to_run_config().items()))
    declined = objection(policy, facts, members)
    return None if declined is None else str(declined)
