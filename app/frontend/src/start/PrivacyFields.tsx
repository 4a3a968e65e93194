import { NumberInput, Switch } from "@mantine/core";
import { clientsShareNoise, dpWords } from "../runs/spec-words";
import { BoxErrors } from "./BoxErrors";
import { Disclosure } from "./Disclosure";
import { besideField } from "./errors";
import { ORDER } from "./fields";
import { parse } from "./parameters";
import { formOf, type GroupName, GROUPS, withinGroup } from "./spec-fields";
import form from "./Form.module.css";
import type { FormPart } from "./useStartForm";

/** What protects the clients' samples: each kind has a switch, and settings once it is on. */
export function PrivacyFields({ part }: { part: FormPart }) {
  const { on, values } = part.values.groups.dp;
  const isSecure = part.values.groups.secure_aggregation.on;
  const without = clientsShareNoise(part.values.strategy, isSecure)
    ? "the clients add the strategy's noise"
    : "no noise is added";
  const noise = on
    ? dpWords({
        noise_multiplier: parse(values.noise_multiplier),
        target_epsilon: parse(values.target_epsilon),
      })
    : without;
  const summary = isSecure ? `secure aggregation, ${noise}` : noise;
  return (
    <Disclosure part={part} section="privacy" label="Privacy" summary={summary}>
      {GROUPS.map((name) => (
        <Group key={name} part={part} name={name} />
      ))}
    </Disclosure>
  );
}

function Group({ part, name }: { part: FormPart; name: GroupName }) {
  const { on, values } = part.values.groups[name];
  const { title, hint } = formOf(name);
  return (
    <fieldset className={form.group}>
      <Switch
        label={title}
        description={hint}
        name={name}
        checked={on}
        onChange={(event) => part.changeGroup(name, { on: event.currentTarget.checked })}
      />
      {on && (
        <div className={form.parameters}>
          {withinGroup(name).map(([each, , { title, hint, step = 1, null: empty = "" }]) => (
            <NumberInput
              key={each}
              label={title}
              name={`${name}.${each}`}
              value={values[each] ?? ""}
              onChange={(value) => part.changeGroup(name, { values: { ...values, [each]: value } })}
              error={besideField(part.errors[`${name}.${each}`])}
              description={hint}
              placeholder={empty}
              step={step}
              clampBehavior="none"
              inputWrapperOrder={ORDER}
              hideControls
            />
          ))}
        </div>
      )}
      <BoxErrors part={part} within={name} />
    </fieldset>
  );
}
