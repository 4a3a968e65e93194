import "../styles/mantine";
import "../styles/fonts.css";
import "../styles/page.css";
import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { newQueryClient } from "../api/query-client";
import { cssVariables, theme } from "../styles/theme";
import { ErrorBoundary } from "../ui/ErrorBoundary";
import { FieldPage } from "./FieldPage";

const queries = newQueryClient();
const root = document.getElementById("root");
if (root === null) throw new Error("client.html has no element with the id root");
createRoot(root).render(
  <StrictMode>
    <MantineProvider theme={theme} cssVariablesResolver={cssVariables} defaultColorScheme="auto">
      <QueryClientProvider client={queries}>
        <ErrorBoundary>
          <FieldPage />
        </ErrorBoundary>
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
