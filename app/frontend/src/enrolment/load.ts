/** The dialog is not on the first screen: it is loaded when opened, or before that when there is time. */
export const loadInviteDialog = () => import("./InviteDialog");
