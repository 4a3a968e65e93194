import { describe, expect, it } from "vitest";
import { ownFrames, raisedLine } from "./raised";

const trace = (...frames: [string, number, string, string][]): string =>
  [
    "Traceback (most recent call last):",
    ...frames.flatMap(([file, line, inside, code]) => [
      `  File "${file}", line ${line}, in ${inside}`,
      ...(code === "" ? [] : [`    ${code}`, "    ^^^^^"]),
    ]),
    "RuntimeError: mat1 and mat2 shapes cannot be multiplied",
  ].join("\n");

const LIBRARY = "/venv/lib/python3.11/site-packages/torch/nn/functional.py";

describe("what of a traceback is read first", () => {
  it("is what was raised", () => {
    expect(raisedLine(trace(["/home/me/app.py", 3, "three", "1 / 0"]))).toBe(
      "RuntimeError: mat1 and mat2 shapes cannot be multiplied",
    );
    expect(raisedLine("killed by signal 9")).toBeNull();
    expect(raisedLine("")).toBeNull();
  });

  it("is the app's own frames, innermost first, before those of libraries", () => {
    const text = trace(
      ["/home/me/app/client_app.py", 30, "train", "fit(model)"],
      ["/home/me/app/task.py", 12, "fit", "loss = model(x)"],
      [LIBRARY, 900, "linear", "return torch._C._nn.linear(input)"],
    );
    expect(ownFrames(text)).toEqual([
      "task.py, line 12, in fit: loss = model(x)",
      "client_app.py, line 30, in train: fit(model)",
    ]);
  });

  it("is of the error that was raised in the end", () => {
    const first = trace(["/home/me/other.py", 1, "one", "x"], [LIBRARY, 2, "two", "y"]);
    const last = trace(["/home/me/app.py", 3, "three", ""], [LIBRARY, 4, "four", "z"]);
    expect(ownFrames(`${first}\n\nDuring handling of it:\n\n${last}`)).toEqual(["app.py, line 3, in three"]);
  });

  it("is not made up", () => {
    expect(ownFrames(trace([LIBRARY, 1, "f", "x"]))).toEqual([]);
    expect(ownFrames(trace(["<frozen importlib>", 1, "load", ""]))).toEqual([]);
    expect(ownFrames("killed by signal 9")).toEqual([]);
  });
});
