import "./styles/mantine";
import "./styles/fonts.css";
import "./styles/page.css";
import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Router } from "wouter";
import { BASE } from "./api/base";
import { newQueryClient } from "./api/query-client";
import { takeEntrance } from "./login/entrance";
import { Entry } from "./login/Entry";
import { LivePage } from "./page/LivePage";
import { secondPassed } from "./store/store";
import { cssVariables, theme } from "./styles/theme";
import { ErrorBoundary } from "./ui/ErrorBoundary";

const entrance = takeEntrance();
const queries = newQueryClient();
setInterval(secondPassed, 1000);

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no element with the id root");
createRoot(root).render(
  <StrictMode>
    <MantineProvider theme={theme} cssVariablesResolver={cssVariables} defaultColorScheme="auto">
      <QueryClientProvider client={queries}>
        <ErrorBoundary>
          <Router base={BASE}>
            <Entry entrance={entrance}>
              <LivePage />
            </Entry>
          </Router>
        </ErrorBoundary>
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
