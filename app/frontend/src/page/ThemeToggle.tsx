import { Button, type MantineColorScheme, useMantineColorScheme } from "@mantine/core";
import styles from "./Header.module.css";

const NEXT: Record<MantineColorScheme, MantineColorScheme> = { auto: "dark", dark: "light", light: "auto" };

export function ThemeToggle() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const next = NEXT[colorScheme];
  return (
    <Button
      variant="subtle"
      size="compact-sm"
      onClick={() => setColorScheme(next)}
      title={`Theme: ${colorScheme}. Press for ${next}.`}
      data-testid="theme"
      aria-label={`Theme: ${colorScheme}. Press for ${next}.`}
      className={styles.theme ?? ""}
      leftSection={<ThemeMark />}
    >
      <span className={styles.wide}>theme:&nbsp;</span>
      {colorScheme}
    </Button>
  );
}

function ThemeMark() {
  return (
    <svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
      <circle cx="6" cy="6" r="5" fill="none" stroke="currentColor" strokeWidth="1.5" />
      <path d="M6 1a5 5 0 0 1 0 10z" fill="currentColor" />
    </svg>
  );
}
