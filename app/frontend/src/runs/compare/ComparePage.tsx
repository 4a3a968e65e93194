import { NativeSelect } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { Link, useSearchParams } from "wouter";
import { comparisonUrl, fetchComparison } from "../../api/requests";
import type { Comparison } from "../../api/types";
import { plural } from "../../format/format";
import { useStore } from "../../store/store";
import { Panel } from "../../ui/Panel";
import { type CompareChoice, compareChoiceOf, compareParamsOf } from "./choice";
import styles from "./compare.module.css";
import { CompareChart } from "./CompareChart";
import { metricsOf, metricTitle } from "./curves";
import { OutcomeTable } from "./OutcomeTable";
import { SettingsTable } from "./SettingsTable";

/** Several runs beside each other: which was better, by how much, and what was different. */
export default function ComparePage() {
  const [params, setParams] = useSearchParams();
  const choice = useMemo(() => compareChoiceOf(params), [params]);
  const { ids, baseline } = choice;
  const instance = useStore((state) => state.server.instance);
  const connected = useStore((state) => state.connection.state === "connected");
  // Those of the runs that go on: their rounds make another comparison.
  const version = useStore((state) =>
    state.server.runs.map((run) => (ids.includes(run.id) ? `${run.state} ${run.round}` : "")).join(),
  );
  const { data, error } = useQuery({
    queryKey: ["comparison", instance, ids, baseline, version],
    queryFn: () => fetchComparison(ids, baseline),
    enabled: connected && instance !== null && ids.length > 0,
    placeholderData: keepPreviousData,
  });
  const change = (next: Partial<CompareChoice>): void =>
    setParams((before) => compareParamsOf({ ...choice, ...next }, before), { replace: true });
  if (ids.length === 0) return <Nothing why="No run is named in the address." />;
  if (error !== null) return <Nothing why={`The runs could not be compared: ${error.message}`} />;
  if (data === undefined) return <p className={styles.words}>comparing {plural(ids.length, "run")}</p>;
  return <Compared comparison={data} choice={choice} change={change} />;
}

interface ComparedProps {
  comparison: Comparison;
  choice: CompareChoice;
  change: (next: Partial<CompareChoice>) => void;
}

function Compared({ comparison, choice, change }: ComparedProps) {
  const { runs, baseline, differing, missing } = comparison;
  const metrics = metricsOf(runs);
  const metric = metrics.includes(choice.metric) ? choice.metric : (metrics[0] ?? "accuracy");
  const narrow = useMediaQuery("(width < 640px)", false);
  const ids = runs.map(({ run }) => run.id);
  const title = `${plural(runs.length, "run")}${narrow ? "" : " compared"}`;
  const report = (
    <a href={comparisonUrl(ids, baseline)} download data-testid="compare-report">
      Report
    </a>
  );
  return (
    <div className={styles.page} data-testid="comparison">
      {metrics.length === 0 ? (
        <Panel title={title} area="curves" actions={report}>
          <p className={styles.words}>none of them has completed a round</p>
        </Panel>
      ) : (
        <CompareChart
          title={title}
          runs={runs}
          metric={metric}
          axis={choice.axis}
          chooseAxis={(axis) => change({ axis })}
          actions={
            <>
              <NativeSelect
                size="xs"
                miw={96}
                aria-label="metric"
                data={metrics.map((name) => ({ value: name, label: metricTitle(name) }))}
                value={metric}
                onChange={(event) => change({ metric: event.currentTarget.value })}
                data-testid="compare-metric"
              />
              {report}
            </>
          }
        />
      )}
      <Panel title="what came of them" area="outcomes">
        {missing.length > 0 && (
          <p className={styles.words} role="status">
            Not here any more: <span className="mono">{missing.join(", ")}</span>
          </p>
        )}
        <OutcomeTable
          runs={runs}
          baseline={baseline}
          choose={(id) => change({ baseline: id })}
          remove={(id) => change({ ids: ids.filter((each) => each !== id) })}
        />
      </Panel>
      <Panel title="settings in which they differ" area="settings">
        <SettingsTable runs={runs} differing={differing} />
      </Panel>
    </div>
  );
}

function Nothing({ why }: { why: string }) {
  return (
    <div className={styles.page}>
      <Panel title="nothing to compare" area="curves">
        <p className={styles.words} role="alert">
          {why} Select two or more among <Link href="/runs">the runs</Link>.
        </p>
      </Panel>
    </div>
  );
}
