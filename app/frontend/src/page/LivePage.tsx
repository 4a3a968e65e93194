import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { askWho } from "../login/who";
import { openSocket } from "../store/socket";
import { strategiesQuery } from "../strategies/useStrategies";
import { App } from "./App";

/** The page with its socket, which is open as long as the server knows who reads. */
export function LivePage() {
  // The names in the first sentences of the page: asked for with the socket, so that they are there with the runs.
  useQuery(strategiesQuery);
  useEffect(() => openSocket(askWho), []);
  return <App />;
}
