import { act, cleanup, screen, waitFor, within } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import type { RunPreview } from "../api/types";
import { client, parameter, run, spec, status, strategy } from "../testing/fixtures";
import { answerLater, connected, json, problem, serverAnswers, show } from "../testing/page";
import NewRunPage from "./NewRunPage";
import { PRESETS } from "./presets";

const STRATEGIES = [
  strategy(),
  strategy({ name: "fedprox", title: "FedProx", parameters: [parameter()] }),
  strategy({ name: "krum", title: "Krum", minimum_updates: 3 }),
];
const offered = { "GET /api/v1/strategies": () => json({ strategies: STRATEGIES }) };
const started = { "POST /api/v1/runs": () => json(run({ id: "bb", state: "queued" }), 201) };

const field = (name: string): HTMLInputElement => screen.getByLabelText(name);
const dpSwitch = (): HTMLElement => screen.getByRole("switch", { name: /^Differential privacy/ });
const submit = (): HTMLElement => screen.getByTestId("start-submit");

/** Runs that were asked for, not previews of some. */
const asksFor = (asked: ReturnType<typeof serverAnswers>) =>
  asked.filter(({ what }) => what === "POST /api/v1/runs");

function open(search = "") {
  history.replaceState(null, "", `/new${search}`);
  return { reader: show(<NewRunPage />) };
}

beforeEach(() => localStorage.clear());

describe("the start form", () => {
  it("begins with what the server was started with", () => {
    serverAnswers(offered);
    open();
    connected({ status: status({ default_spec: spec({ num_rounds: 3, lr: 0.2, alpha: null }) }) });
    expect(field("Rounds")).toHaveValue("3");
    expect(field("Learning rate")).toHaveValue("0.2");
    expect(field("IID: same for all")).toBeChecked();
    expect(field("Dirichlet α")).toBeDisabled();
  });

  it("offers the server's strategies by their titles, with their parameters", async () => {
    const asked = serverAnswers({ ...offered, ...started });
    const { reader } = open();
    connected();
    await screen.findByRole("option", { name: "Krum" });
    await reader.selectOptions(field("Strategy"), "FedProx");
    await reader.clear(field("proximal_mu"));
    await reader.type(field("proximal_mu"), "0.5");
    await reader.click(submit());
    expect(asksFor(asked).at(-1)?.body).toMatchObject({
      strategy: "fedprox",
      strategy_params: { proximal_mu: 0.5 },
    });
  });

  it("says that the strategy's defaults hold where its parameters could not be loaded", async () => {
    serverAnswers({ "GET /api/v1/strategies": () => problem(503, "The server is starting.") });
    open();
    connected();
    expect(
      await screen.findByText(
        "Its parameters could not be loaded, their defaults hold: The server is starting.",
      ),
    ).toBeVisible();
  });

  it("queues the run, and the page follows the new run", async () => {
    const asked = serverAnswers({ ...offered, ...started });
    const { reader } = open();
    connected();
    await reader.click(submit());
    expect(asksFor(asked).at(-1)).toMatchObject({
      what: "POST /api/v1/runs",
      body: { dataset: "digits", num_rounds: 10 },
    });
    expect(location.pathname).toBe("/");
  });

  it("says that the run stands behind the active one", () => {
    serverAnswers(offered);
    open();
    connected({ runs: [run({ id: "aa", state: "paused" })] });
    expect(screen.getByRole("region", { name: "new run, queued" })).toHaveTextContent("Run aa is paused.");
    expect(submit()).toHaveTextContent("Queue run");
  });

  it("says whether enough clients hold the data set", async () => {
    serverAnswers(offered);
    const { reader } = open();
    connected({ clients: [client("client-1"), client("client-2", { state: "lost" })] });
    expect(screen.getByText("1 connected client holds Digits: it will wait for 1 more")).toBeVisible();
    await reader.selectOptions(field("Data set"), "MNIST");
    expect(screen.getByText("0 connected clients hold MNIST: it will wait for 2 more")).toBeVisible();
  });

  it("sends nothing with a value that is no number, and marks it", async () => {
    const asked = serverAnswers(offered);
    const { reader } = open();
    connected();
    await reader.clear(field("Learning rate"));
    await reader.click(submit());
    expect(field("Learning rate")).toBeInvalid();
    expect(field("Learning rate")).toHaveFocus();
    expect(screen.getByText("needs a number")).toBeVisible();
    expect(asksFor(asked)).toEqual([]);
  });

  it("asks for privacy with a switch, and for its settings once that is on", async () => {
    const asked = serverAnswers({ ...offered, ...started });
    const { reader } = open();
    connected();
    expect(screen.getByText("no noise is added")).toBeVisible();
    await reader.click(screen.getByTestId("privacy"));
    expect(screen.queryByLabelText("Clipping norm")).not.toBeInTheDocument();
    await reader.click(dpSwitch());
    expect(field("Noise multiplier")).toHaveValue("1");
    await reader.clear(field("Noise multiplier"));
    await reader.type(field("Target ε"), "3");
    await reader.click(submit());
    expect(asksFor(asked).at(-1)?.body).toMatchObject({
      dp: { noise_multiplier: null, target_epsilon: 3, clipping_norm: 1, delta: 0.00001 },
    });
  });

  it("offers to stop at the first budget only where budgets are spent", async () => {
    const { reader } = open();
    connected();
    await reader.click(screen.getByTestId("advanced"));
    const stops = (): HTMLElement => screen.getByRole("switch", { name: /^Stop at the first budget/ });
    expect(stops()).toBeDisabled();
    await reader.click(screen.getByTestId("privacy"));
    await reader.click(dpSwitch());
    expect(stops()).toBeEnabled();
  });

  it("says what is wrong with the settings of privacy together, and at one of them", async () => {
    const errors = [{ field: "dp", message: "exactly one of the two" }];
    serverAnswers({ ...offered, "POST /api/v1/runs": () => problem(422, "No.", errors) });
    const { reader } = open();
    connected();
    await reader.click(screen.getByTestId("privacy"));
    await reader.click(dpSwitch());
    await reader.click(submit());
    expect(await screen.findByText("exactly one of the two")).toHaveFocus();
    await reader.clear(field("Clipping norm"));
    await reader.click(submit());
    expect(screen.queryByText("exactly one of the two")).not.toBeInTheDocument();
    expect(field("Clipping norm")).toBeInvalid();
  });

  it("sends one request while the server takes its time", async () => {
    const { answer, go } = answerLater(json(run(), 201));
    const asked = serverAnswers({ ...offered, "POST /api/v1/runs": answer });
    const { reader } = open();
    connected();
    await reader.click(submit());
    expect(submit()).toBeDisabled();
    expect(submit()).toHaveTextContent("Starting…");
    go();
    await waitFor(() => expect(location.pathname).toBe("/"));
    expect(asksFor(asked)).toHaveLength(1);
  });
});

describe("what the server refuses, the start form", () => {
  it("marks beside its field, opens the part that hides it, and gives it the focus", async () => {
    const errors = [{ field: "min_replies", message: "more than min_clients" }];
    serverAnswers({ ...offered, "POST /api/v1/runs": () => problem(422, "No. min_replies: more.", errors) });
    const { reader } = open();
    connected();
    await reader.click(submit());
    expect(await screen.findByText("more than min_clients")).toBeVisible();
    expect(field("Min. replies")).toHaveFocus();
    expect(screen.getByTestId("start-failure")).toHaveTextContent(
      "Nothing was started: one value needs another look.",
    );
    expect(location.pathname).toBe("/new");
  });

  it("writes across the strategy's box where it is long, and marks the field", async () => {
    const message = "Krum with f = 1 needs at least 5 updates in each round. Raise min_clients to 5.";
    const errors = [{ field: "min_clients", message }];
    serverAnswers({ ...offered, "POST /api/v1/runs": () => problem(422, "No.", errors) });
    const { reader } = open();
    connected();
    await reader.click(submit());
    expect(await within(screen.getByTestId("strategy")).findByRole("alert")).toHaveTextContent(message);
    expect(field("Min. clients")).toBeInvalid();
  });

  it("forgets once the field is mended", async () => {
    const errors = [{ field: "lr", message: "too much" }];
    serverAnswers({ ...offered, "POST /api/v1/runs": () => problem(422, "No.", errors) });
    const { reader } = open();
    connected();
    await reader.click(submit());
    await screen.findByText("too much");
    await reader.type(field("Learning rate"), "1");
    expect(screen.queryByText("too much")).not.toBeInTheDocument();
    expect(screen.queryByTestId("start-failure")).not.toBeInTheDocument();
  });

  it("tells in the server's words where no field is to blame", async () => {
    serverAnswers({ ...offered, "POST /api/v1/runs": () => problem(503, "The database is locked.") });
    const { reader } = open();
    connected();
    await reader.click(submit());
    expect(await screen.findByTestId("start-failure")).toHaveTextContent("The database is locked.");
  });

  it("tells that nothing was started where the server did not answer", async () => {
    serverAnswers({ ...offered, "POST /api/v1/runs": () => Promise.reject(new TypeError("fetch failed")) });
    const { reader } = open();
    connected();
    await reader.click(submit());
    expect(await screen.findByTestId("start-failure")).toHaveTextContent("so nothing was changed");
    expect(submit()).toBeEnabled();
  });
});

const preview = (changes: Partial<RunPreview> = {}): RunPreview => ({
  clients: 1,
  needed: 2,
  parts: 2,
  label_counts: [
    [90, 10],
    [10, 90],
  ],
  unknown: null,
  round_s: 2,
  like: ["old"],
  ...changes,
});
const previewed = { ...offered, "POST /api/v1/runs/preview": () => json(preview()) };

describe("beside the form", () => {
  it("shows what the run would be like, and asks again when something changes", async () => {
    const asked = serverAnswers(previewed);
    const { reader } = open();
    connected();
    expect(await screen.findByTestId("preview-clients")).toHaveTextContent(
      "1 of 2 is there: it will wait for 1",
    );
    expect(screen.getByTestId("preview-time")).toHaveTextContent("about 20 s (2 s a round), by 1 run");
    expect(screen.getByTestId("preview-parts")).toHaveTextContent("100 samples each; part 0 is most unlike");
    expect(within(screen.getByTestId("preview-labels")).getAllByRole("row")).toHaveLength(3);
    await reader.click(field("IID: same for all"));
    await waitFor(() => expect(asked.at(-1)?.body).toMatchObject({ alpha: null }));
  });

  it("says at the field what the server would refuse, before anything is sent", async () => {
    const errors = [{ field: "lr", message: "must be below 10" }];
    const asked = serverAnswers({
      ...offered,
      "POST /api/v1/runs/preview": () => problem(422, "No.", errors),
    });
    open();
    connected();
    expect(await screen.findByText("must be below 10")).toBeVisible();
    expect(field("Learning rate")).toBeInvalid();
    expect(screen.getByTestId("preview-failure")).toHaveTextContent("shown once the marked values fit");
    expect(asksFor(asked)).toEqual([]);
  });
});

describe("the form is filled", () => {
  it("by a preset, which starts nothing", async () => {
    const asked = serverAnswers(previewed);
    const { reader } = open();
    connected();
    await reader.click(screen.getByTestId("preset-first-look"));
    expect(field("Rounds")).toHaveValue("5");
    expect(field("IID: same for all")).toBeChecked();
    expect(asksFor(asked)).toEqual([]);
  });

  it.each(PRESETS.map((preset) => [preset.title, preset] as const))(
    "by “%s” as it says",
    async (_, preset) => {
      const asked = serverAnswers({ ...previewed, ...started });
      const { reader } = open();
      connected();
      await reader.click(screen.getByRole("button", { name: preset.title }));
      await reader.click(submit());
      const { dp, ...rest } = preset.changes;
      expect(asksFor(asked).at(-1)?.body).toMatchObject(rest);
      if (dp) expect(asksFor(asked).at(-1)?.body).toMatchObject({ dp });
    },
  );

  it("by another run, once: what is changed then stays", async () => {
    const old = run({ id: "old", spec: spec({ num_rounds: 7, lr: 0.3, strategy: "fedprox" }) });
    serverAnswers({ ...previewed, "GET /api/v1/runs/old": () => json(old) });
    const { reader } = open("?like=old");
    connected();
    await waitFor(() => expect(field("Rounds")).toHaveValue("7"));
    expect(field("Learning rate")).toHaveValue("0.3");
    expect(screen.getByTestId("like")).toHaveTextContent(
      "With the settings of run old, which stays as it is.",
    );
    expect(location.search).toBe("?from=old");
    await reader.clear(field("Rounds"));
    await reader.type(field("Rounds"), "9");
    expect(field("Rounds")).toHaveValue("9");
  });

  it("not by a run that is gone, or of another app, and says so", async () => {
    const foreign = run({ id: "foreign", spec: spec({ app: "quickstart" }) });
    serverAnswers({
      ...previewed,
      "GET /api/v1/runs/gone": () => problem(404, "There is no run 'gone'."),
      "GET /api/v1/runs/foreign": () => json(foreign),
    });
    open("?like=gone");
    connected();
    expect(await screen.findByText(/could not be loaded: There is no run 'gone'/)).toBeVisible();
    act(() => history.pushState(null, "", "/new?like=foreign"));
    expect(await screen.findByText(/is of quickstart, which this server does not run now/)).toBeVisible();
  });

  it("by a file, if that has settings", async () => {
    serverAnswers(previewed);
    const { reader } = open();
    connected();
    await reader.upload(screen.getByTestId("import"), file('{"num_rounds": 12, "alpha": null}'));
    expect(field("Rounds")).toHaveValue("12");
    await reader.upload(screen.getByTestId("import"), file("[1, 2]"));
    expect(await screen.findByTestId("import-refused")).toHaveTextContent(
      "run.json has no settings of a run",
    );
    expect(field("Rounds")).toHaveValue("12");
  });

  it("by what was typed before, until one starts over", async () => {
    serverAnswers(previewed);
    const { reader } = open();
    connected();
    await reader.clear(field("Rounds"));
    await reader.type(field("Rounds"), "33");
    cleanup();
    open();
    expect(field("Rounds")).toHaveValue("33");
    await reader.click(screen.getByTestId("start-over"));
    expect(field("Rounds")).toHaveValue("10");
    expect(screen.queryByTestId("start-over")).not.toBeInTheDocument();
  });

  it("by a draft that cannot be read as with none", () => {
    localStorage.setItem("fedloom-draft:", '{"edited": 3}');
    serverAnswers(previewed);
    open();
    connected();
    expect(field("Rounds")).toHaveValue("10");
  });
});

const file = (text: string): File => new File([text], "run.json", { type: "application/json" });

describe("for another Flower app, the start form", () => {
  const app = {
    name: "quickstart",
    version: "1.0.0",
    digest: "ab",
    run_config: { "num-server-rounds": 3, "learning-rate": 0.1, "use-gpu": false },
    rounds_key: "num-server-rounds",
  };

  it("says at the field why the server does not take its number of rounds", async () => {
    const errors = [{ field: "num_rounds", message: "give one of the two" }];
    serverAnswers({ ...offered, "POST /api/v1/runs": () => problem(422, "No.", errors) });
    const { reader } = open();
    connected({ status: status({ app, default_spec: spec({ app: app.name, num_rounds: 3 }) }) });
    await reader.click(submit());
    expect(await screen.findByText("give one of the two")).toBeVisible();
    expect(field("Rounds")).toBeInvalid();
  });

  it("asks for no rounds where the app decides about them", async () => {
    const asked = serverAnswers({ ...offered, ...started });
    const { reader } = open();
    const decides = { ...app, rounds_key: null };
    connected({ status: status({ app: decides, default_spec: spec({ app: app.name }) }) });
    expect(screen.queryByLabelText("Rounds")).not.toBeInTheDocument();
    await reader.click(submit());
    expect(asksFor(asked).at(-1)?.body).not.toHaveProperty("num_rounds");
  });

  it("offers its run config and sends what differs from it", async () => {
    const asked = serverAnswers({ ...offered, ...started });
    const { reader } = open();
    connected({ status: status({ app, default_spec: spec({ app: app.name, num_rounds: 3 }) }) });
    expect(screen.getByTestId("app")).toHaveTextContent("quickstart 1.0.0");
    expect(screen.queryByLabelText("Data set")).not.toBeInTheDocument();
    await reader.click(field("use-gpu"));
    await reader.click(submit());
    expect(asksFor(asked).at(-1)?.body).toMatchObject({
      app: "quickstart",
      num_rounds: 3,
      run_config: { "use-gpu": true },
    });
  });
});
