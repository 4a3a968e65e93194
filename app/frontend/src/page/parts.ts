/** The parts of the page that are not on the first screen: loaded when opened, or before that when there is time. */
import { loadInviteDialog } from "../enrolment/load";

export const loadRunsPage = () => import("../runs/RunsPage");
export const loadComparePage = () => import("../runs/compare/ComparePage");
export const loadRunPage = () => import("../runs/RunPage");
export const loadClientsPage = () => import("../clients/ClientsPage");
export const loadClientPage = () => import("../clients/ClientPage");
export const loadDataPage = () => import("../evaluation/DataPage");
export const loadNetwork = () => import("../network/Network");
export const loadSystem = () => import("../system/System");
export const loadLogsPage = () => import("../logs/LogsPage");
export const loadTrustPage = () => import("../trust/TrustPage");
export const loadUsersDialog = () => import("../users/UsersDialog");
export const loadNewRunPage = () => import("../start/NewRunPage");

const FIRST_SCREEN_MS = 2000;

/** So that they open at once, also when the server is away by then. What fails here is loaded, and reported, when opened. */
export function loadPartsSoon(): void {
  setTimeout(() => {
    void Promise.allSettled([
      loadNewRunPage(),
      loadInviteDialog(),
      loadRunsPage(),
      loadComparePage(),
      loadRunPage(),
      loadClientsPage(),
      loadClientPage(),
      loadDataPage(),
      loadNetwork(),
      loadSystem(),
      loadLogsPage(),
      loadTrustPage(),
      loadUsersDialog(),
    ]);
  }, FIRST_SCREEN_MS);
}
