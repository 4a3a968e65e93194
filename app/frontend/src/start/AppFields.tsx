import type { AppInfo } from "../api/types";
import { useStore } from "../store/store";
import { Explained } from "../ui/Explained";
import { BoxErrors } from "./BoxErrors";
import { NumberField, ParameterField } from "./fields";
import { LateFields } from "./LateFields";
import { ofApp } from "./parameters";
import { isLate } from "./spec-fields";
import form from "./Form.module.css";
import type { FormPart } from "./useStartForm";
import { numbersOfApp } from "./values";
import { appCohortNote } from "./words";

/** A run of the Flower app that the server was started with: its own settings, and what holds for any run. */
export function AppFields({ part, app }: { part: FormPart; app: AppInfo }) {
  const runners = useStore(
    ({ server }) =>
      server.clients.filter((client) => client.state !== "lost" && client.app === app.name).length,
  );
  const { min_clients } = part.values;
  const beside = numbersOfApp(app).filter((field) => !isLate(field));
  const parameters = ofApp(app);
  return (
    <>
      <p className={form.app} data-testid="app">
        <strong>{app.name}</strong>{" "}
        <span className="mono">
          <Explained why={`SHA-256 of its files: ${app.digest}`}>{app.version}</Explained>
        </span>
      </p>
      <div className={form.fields}>
        {beside.map((field) => (
          <NumberField
            key={field}
            part={part}
            field={field}
            {...(field === "min_clients" && {
              description: appCohortNote(app, runners, Number(min_clients)),
            })}
          />
        ))}
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
