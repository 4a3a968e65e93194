/** The parts of the page that are not on the first screen: loaded when opened, or before that when there is time. */
export const loadEvaluation = () => import("../evaluation/Evaluation");
export const loadFiles = () => import("../files/Files");
export const loadTrust = () => import("../trust/Trust");
export const loadUsersDialog = () => import("../users/UsersDialog");
export const loadStartDialog = () => import("../start/StartDialog");

const FIRST_SCREEN_MS = 2000;

/** So that they open at once, also when the server is away by then. What fails here is loaded, and reported, when opened. */
export function loadPartsSoon(): void {
  setTimeout(() => {
    void Promise.allSettled([
      loadStartDialog(),
      loadEvaluation(),
      loadFiles(),
      loadTrust(),
      loadUsersDialog(),
    ]);
  }, FIRST_SCREEN_MS);
}
