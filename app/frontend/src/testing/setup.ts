/** What jsdom lacks and the page's libraries ask for, and a clean page for every test. */
import "@testing-library/jest-dom/vitest";
import { cleanup, configure } from "@testing-library/react";
import { afterEach, beforeEach, vi } from "vitest";
import { useWho } from "../login/who";
import { useStore } from "../store/store";
import { me } from "./fixtures";

// A limit, not a wait: what is looked for is found as soon as it is there.
configure({ asyncUtilTimeout: 20_000 });

/** jsdom lays nothing out; without a height, a virtual list draws no row. */
const HEIGHT = 400;

for (const size of ["clientHeight", "clientWidth"]) {
  Object.defineProperty(HTMLElement.prototype, size, { value: HEIGHT });
}

// axe looks at whether text is drawn; there is no canvas here.
HTMLCanvasElement.prototype.getContext = () => null;

// There is nothing to scroll either.
Element.prototype.scrollIntoView = () => undefined;

class NoResizes implements ResizeObserver {
  observe(): void {
    // Nothing is ever resized.
  }
  unobserve(): void {
    // Nothing was observed.
  }
  disconnect(): void {
    // Nothing was observed.
  }
}
vi.stubGlobal("ResizeObserver", NoResizes);

vi.stubGlobal("matchMedia", (media: string) =>
  Object.assign(new EventTarget(), { media, matches: false, onchange: null }),
);

// Who reads a page of the tests may do everything, but where a test says otherwise.
beforeEach(() => useWho.setState({ state: "in", me: me() }));

afterEach(() => {
  cleanup();
  useStore.setState(useStore.getInitialState(), true);
  history.replaceState(null, "", "/");
  vi.useRealTimers();
});
