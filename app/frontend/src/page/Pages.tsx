import { lazy, type ReactNode, Suspense } from "react";
import { Redirect, Route, Switch } from "wouter";
import { Live } from "../live/Live";
import { OfChosenRun } from "../runs/OfRun";
import { ErrorBoundary } from "../ui/ErrorBoundary";
import styles from "./App.module.css";
import { NoSuchPage } from "./NoSuchPage";
import {
  loadClientPage,
  loadClientsPage,
  loadComparePage,
  loadDataPage,
  loadLogsPage,
  loadNetwork,
  loadNewRunPage,
  loadRunPage,
  loadRunsPage,
  loadSystem,
  loadTrustPage,
} from "./parts";

const RunsPage = lazy(loadRunsPage);
const ComparePage = lazy(loadComparePage);
const RunPage = lazy(loadRunPage);
const ClientsPage = lazy(loadClientsPage);
const ClientPage = lazy(loadClientPage);
const DataPage = lazy(loadDataPage);
const NewRunPage = lazy(loadNewRunPage);
const Network = lazy(loadNetwork);
const System = lazy(loadSystem);
const LogsPage = lazy(loadLogsPage);
const TrustPage = lazy(loadTrustPage);

/** The page that the address names, below the bar that is on all of them. */
export function Pages({ failure }: { failure: string | null }) {
  return (
    <Switch>
      <Route path="/">
        <Live failure={failure} />
      </Route>
      <Route path="/runs">
        <Part name="runs">
          <RunsPage />
        </Part>
      </Route>
      <Route path="/runs/compare">
        <Part name="comparison">
          <ComparePage />
        </Part>
      </Route>
      <Route path="/runs/:run">{({ run }) => <Redirect to={`/runs/${run}/curves`} replace />}</Route>
      <Route path="/runs/:run/:part">
        {({ run, part }) => (
          <Part name="run">
            <RunPage key={run} id={run} part={part} failure={failure} />
          </Part>
        )}
      </Route>
      <Route path="/clients">
        <Part name="clients">
          <ClientsPage />
        </Part>
      </Route>
      <Route path="/clients/:client">
        {({ client }) => (
          <Part name="client">
            <OfChosenRun>
              <ClientPage key={client} id={client} failure={failure} />
            </OfChosenRun>
          </Part>
        )}
      </Route>
      <Route path="/data">
        <Part name="data">
          <OfChosenRun>
            <DataPage />
          </OfChosenRun>
        </Part>
      </Route>
      <Route path="/network">
        <Part name="network">
          <Network />
        </Part>
      </Route>
      <Route path="/system">
        <Part name="machines">
          <System />
        </Part>
      </Route>
      <Route path="/logs">
        <Part name="log">
          <LogsPage />
        </Part>
      </Route>
      <Route path="/trust">
        <Part name="audit log">
          <TrustPage />
        </Part>
      </Route>
      <Route path="/new">
        <Part name="form">
          <NewRunPage />
        </Part>
      </Route>
      <Route>
        <NoSuchPage />
      </Route>
    </Switch>
  );
}

/** A page that is loaded when it is opened. */
function Part({ name, children }: { name: string; children: ReactNode }) {
  return (
    <ErrorBoundary key={name} part={name}>
      <Suspense fallback={<p className={styles.loading}>loading the {name}</p>}>{children}</Suspense>
    </ErrorBoundary>
  );
}
