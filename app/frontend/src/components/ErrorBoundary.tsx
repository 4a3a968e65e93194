import { Component, type ReactNode } from "react";
import styles from "./ErrorBoundary.module.css";

/** In place of a blank page: what failed, what it means, what to do. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { message: string | null }> {
  override state = { message: null as string | null };

  static getDerivedStateFromError(error: unknown): { message: string } {
    return { message: error instanceof Error ? error.message : String(error) };
  }

  override render(): ReactNode {
    if (this.state.message === null) return this.props.children;
    return (
      <main className={styles.failed} role="alert">
        <h1>This page failed</h1>
        <p>Runs are not affected; only this view of them stopped. Reload the page to go on.</p>
        <p className="mono dim">{this.state.message}</p>
      </main>
    );
  }
}
