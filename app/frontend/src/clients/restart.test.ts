import { expect, it } from "vitest";
import { client } from "../testing/fixtures";
import { restartCommand } from "./restart";

const JOIN = "python run_client.py --client-id client-3 --dataset digits --server lab:9092";

it("a lost client is started again under its own id, with its own data", () => {
  expect(restartCommand(JOIN, client("site-7", { dataset: "mnist" }))).toBe(
    "python run_client.py --client-id site-7 --dataset mnist --server lab:9092",
  );
  expect(restartCommand(JOIN, client("site-7", { dataset: "mnist", app: "quickstart" }))).toContain(
    "--client-id site-7 --dataset digits",
  );
});
