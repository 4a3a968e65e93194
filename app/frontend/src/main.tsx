import "./styles/mantine";
import "./styles/fonts.css";
import "./styles/page.css";
import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { newQueryClient } from "./api/query-client";
import { App } from "./page/App";
import { openSocket } from "./store/socket";
import { secondPassed } from "./store/store";
import { strategiesQuery } from "./strategies/useStrategies";
import { cssVariables, theme } from "./styles/theme";
import { ErrorBoundary } from "./ui/ErrorBoundary";

openSocket();
const queries = newQueryClient();
// The names in the first sentences of the page: asked for before the socket is open, so that they are there with the runs.
queries.query(strategiesQuery).catch(() => undefined);
setInterval(secondPassed, 1000);

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no element with the id root");
createRoot(root).render(
  <StrictMode>
    <MantineProvider theme={theme} cssVariablesResolver={cssVariables} defaultColorScheme="auto">
      <QueryClientProvider client={queries}>
        <ErrorBoundary>
          <App />
        </ErrorBoundary>
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
