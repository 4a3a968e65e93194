import type { AppInfo } from "../api/types";
import { useStore } from "../store/store";
import { BoxErrors } from "./BoxErrors";
import { NumberField, ParameterField } from "./fields";
import { LateFields } from "./LateFields";
import { ofApp } from "./parameters";
import form from "./StartDialog.module.css";
import type { FormPart } from "./useStartForm";
import { hasRounds } from "./values";
import { appCohortNote } from "./words";

/** A run of the Flower app that the server was started with: its own settings, and what holds for any run. */
export function AppFields({ part, app }: { part: FormPart; app: AppInfo }) {
  const runners = useStore(
    ({ server }) =>
      server.clients.filter((client) => client.state !== "lost" && client.app === app.name).length,
  );
  const parameters = ofApp(app);
  return (
    <>
      <p className={form.app} title={`SHA-256 of its files: ${app.digest}`} data-testid="app">
        <strong>{app.name}</strong> <span className="mono">{app.version}</span>
      </p>
      <div className={form.fields}>
        {hasRounds(app) && <NumberField part={part} field="num_rounds" label="Rounds" step={1} />}
        <NumberField
          part={part}
          field="min_clients"
          label="Min. clients"
          step={1}
          description={appCohortNote(app, runners, Number(part.values.min_clients))}
        />
        <NumberField
          part={part}
          field="num_partitions"
          label="Parts of the data"
          step={1}
          description="empty: one per client"
          placeholder="auto"
        />
      </div>
      {parameters.length > 0 && (
        <fieldset className={form.config}>
          <legend>The app's run config</legend>
          <div className={form.parameters}>
            {parameters.map((parameter) => (
              <ParameterField key={parameter.name} part={part} parameter={parameter} within="run_config" />
            ))}
          </div>
          <BoxErrors part={part} within="run_config" />
        </fieldset>
      )}
      <LateFields part={part} />
    </>
  );
}
