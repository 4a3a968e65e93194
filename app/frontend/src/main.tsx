import "./styles/mantine";
import "./styles/fonts.css";
import "./styles/page.css";
import { MantineProvider } from "@mantine/core";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { openSocket } from "./api/socket";
import { App } from "./page/App";
import { ErrorBoundary } from "./ui/ErrorBoundary";
import { secondPassed } from "./store/store";
import { cssVariables, theme } from "./styles/theme";

openSocket();
setInterval(secondPassed, 1000);

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no element with the id root");
createRoot(root).render(
  <StrictMode>
    <MantineProvider theme={theme} cssVariablesResolver={cssVariables} defaultColorScheme="auto">
      <ErrorBoundary>
        <App />
      </ErrorBoundary>
    </MantineProvider>
  </StrictMode>,
);
