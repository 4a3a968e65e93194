import { Tabs } from "@mantine/core";
import { lazy, Suspense, useState } from "react";
import type { EvaluationView } from "../evaluation/Evaluation";
import { EvaluationControls } from "../evaluation/EvaluationControls";
import { EventFeed, EventFilters } from "../events/EventFeed";
import type { EventFilter } from "../events/filters";
import { ErrorBoundary } from "../ui/ErrorBoundary";
import panel from "../ui/Panel.module.css";
import styles from "./DetailPanel.module.css";
import { loadEvaluation, loadFiles, loadTrust } from "./parts";

const TABS = ["events", "evaluation", "files", "trust"] as const;
type Tab = (typeof TABS)[number];

const Evaluation = lazy(loadEvaluation);
const Files = lazy(loadFiles);
const Trust = lazy(loadTrust);

/** What happened, how good the model is, what can be taken away and who vouches for it: one at a time, in one place. */
export function DetailPanel() {
  const [tab, setTab] = useState<Tab>("events");
  const [filter, setFilter] = useState<EventFilter>("all");
  const [view, setView] = useState<EvaluationView>("classes");
  return (
    <Tabs
      value={tab}
      onChange={(chosen) => setTab(TABS.find((each) => each === chosen) ?? "events")}
      keepMounted={false}
      unstyled
      role="region"
      aria-label="details"
      className={panel.panel}
      style={{ gridArea: "events" }}
    >
      <header className={styles.header}>
        <Tabs.List className={styles.tabs ?? ""} aria-label="details">
          {TABS.map((each) => (
            <Tabs.Tab key={each} value={each} className={styles.tab ?? ""} data-testid={`tab-${each}`}>
              {each}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {tab === "events" && <EventFilters filter={filter} change={setFilter} />}
        {tab === "evaluation" && <EvaluationControls view={view} change={setView} />}
      </header>
      <Tabs.Panel value={tab} className={panel.body ?? ""}>
        {tab === "events" ? (
          <EventFeed filter={filter} />
        ) : (
          <ErrorBoundary key={tab} part={tab}>
            <Suspense fallback={<p className={styles.loading}>loading the {tab}</p>}>
              {tab === "evaluation" && <Evaluation view={view} />}
              {tab === "files" && <Files />}
              {tab === "trust" && <Trust />}
            </Suspense>
          </ErrorBoundary>
        )}
      </Tabs.Panel>
    </Tabs>
  );
}
