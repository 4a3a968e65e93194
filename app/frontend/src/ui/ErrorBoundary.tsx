import { Button } from "@mantine/core";
import { Component, type ReactNode } from "react";
import styles from "./ErrorBoundary.module.css";

interface ErrorBoundaryProps {
  /** What of the page it stands for; without it the whole page. */
  part?: string;
  children: ReactNode;
}

/** In place of a blank page, or a blank part of it: what failed, what it means, what to do. */
export class ErrorBoundary extends Component<ErrorBoundaryProps, { message: string | null }> {
  override state = { message: null as string | null };

  static getDerivedStateFromError(error: unknown): { message: string } {
    return { message: error instanceof Error ? error.message : String(error) };
  }

  override render(): ReactNode {
    const { message } = this.state;
    if (message === null) return this.props.children;
    return this.props.part === undefined ? (
      <PageFailed message={message} />
    ) : (
      <PartFailed part={this.props.part} message={message} />
    );
  }
}

function PageFailed({ message }: { message: string }) {
  return (
    <main className={styles.failed} role="alert">
      <h1>This page failed</h1>
      <p>Runs are not affected; only this view of them stopped. Reload the page to go on.</p>
      <p className="mono dim">{message}</p>
    </main>
  );
}

/** Most often the part was still to be loaded, and the server did not answer. */
function PartFailed({ part, message }: { part: string; message: string }) {
  return (
    <div className={styles.part} role="alert">
      <p>The {part} could not be shown. Runs are not affected; reload the page once the server answers.</p>
      <p className="mono dim">{message}</p>
      <Button variant="default" size="compact-md" onClick={() => location.reload()}>
        Reload the page
      </Button>
    </div>
  );
}
