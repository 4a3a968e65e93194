import { useComputedColorScheme } from "@mantine/core";
import { useStore } from "../store/store";
import styles from "./ClientTable.module.css";
import { lineStyle } from "./colours";

/** The client's id beside the line that stands for it in the curves. */
export function ClientName({ id }: { id: string }) {
  const theme = useComputedColorScheme("light");
  const index = useStore((state) => state.server.colours[id]);
  const style = index === undefined ? null : lineStyle(index, theme);
  return (
    <span className={styles.name} title={id}>
      {style !== null && (
        <span className={styles.swatch} style={{ borderTop: `3px ${style.dash} ${style.colour}` }} />
      )}
      <span className="mono ellipsis">{id}</span>
    </span>
  );
}
