import { useMemo } from "react";
import type { MeshNode, MeshRound } from "../api/types";
import { axisEnd } from "../charts/series";
import { shownRounds, shownRun, useStore } from "../store/store";
import { accuracyLines, DIVERGENCE, divergenceLines, lastRound } from "./mesh-lines";
import { MeshChart } from "./MeshChart";

const ACCURACY = { kind: "accuracy" } as const;

/** What the clients have learned without the server, beside what the server has. */
export function MeshCurves({ nodes }: { nodes: readonly MeshNode[] }) {
  const told = useRoundsOfRun(nodes);
  const run = useStore(shownRun);
  const rounds = useStore(shownRounds);
  const colours = useStore((state) => state.server.colours);
  const accuracy = useMemo(() => accuracyLines(told, rounds), [told, rounds]);
  const divergence = useMemo(() => divergenceLines(told), [told]);
  const end = axisEnd(
    run === null ? 10 : run.num_rounds,
    Math.max(lastRound(accuracy), lastRound(divergence)),
  );
  const common = {
    colours,
    run: run?.id ?? null,
    end,
    missing: "no client has gone a mesh round of this run",
  };
  return (
    <>
      <MeshChart
        {...common}
        metric={ACCURACY}
        area="accuracy"
        lines={accuracy}
        newest={accuracy.at(-1)?.points.at(-1)?.[1]}
        whose="server's test set; clients without it, on their own data"
      />
      <MeshChart
        {...common}
        metric={DIVERGENCE}
        title="divergence"
        area="divergence"
        lines={divergence}
        newest={divergence.at(-1)?.points.at(-1)?.[1]}
        whose="largest of a client, in % of its own model's norm"
      />
    </>
  );
}

type Told = ReadonlyMap<string, readonly MeshRound[]>;

/** By client, the mesh rounds of the run on the page. */
function useRoundsOfRun(nodes: readonly MeshNode[]): Told {
  const run = useStore((state) => shownRun(state)?.id ?? null);
  return useMemo(
    () => new Map(nodes.map(({ id, story }) => [id, story.rounds.filter(({ run_id }) => run_id === run)])),
    [nodes, run],
  );
}
