import { screen } from "@testing-library/react";
import { expect, it } from "vitest";
import { show } from "../testing/page";
import { MatrixTable } from "./MatrixTable";

it("works out the cells of the rows that it draws, and of no others", () => {
  const asked = new Set<number>();
  const rows = Array.from({ length: 1000 }, (_, at) => ({
    id: `client-${at}`,
    cells: () => {
      asked.add(at);
      return [{ count: 7, text: "7", share: 1, wrong: false, title: "all" }];
    },
    missing: "",
    accuracy: null,
    noAccuracy: "",
  }));
  show(
    <MatrixTable
      caption="labels"
      corner="client"
      columns={["cat"]}
      rows={rows}
      head={({ id }) => id}
      testId="labels"
    />,
  );
  const drawn = screen.getAllByRole("rowheader").length;
  expect(drawn).toBeLessThan(100);
  expect(asked.size).toBe(drawn);
});
