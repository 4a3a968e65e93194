/** The page's colours and type, once: CSS variables, Mantine and the charts all read them from here. */
import { TWELVE_HOURS } from "../format/format";
import { Button, createTheme, type CSSVariablesResolver, type MantineColorsTuple } from "@mantine/core";
import type { Theme } from "../clients/colours";

export interface Tokens {
  ground: string;
  panel: string;
  raised: string;
  line: string;
  text: string;
  dim: string;
  accent: string;
  good: string;
  warn: string;
  bad: string;
}

export const TOKENS: Record<Theme, Tokens> = {
  dark: {
    ground: "#0e1115",
    panel: "#15191f",
    raised: "#1d222a",
    line: "#2a313b",
    text: "#e8ebf0",
    dim: "#99a3b1",
    accent: "#7fa6ff",
    good: "#4cc38a",
    warn: "#f0b849",
    bad: "#ff8077",
  },
  light: {
    ground: "#f2f4f6",
    panel: "#ffffff",
    raised: "#f0f2f5",
    line: "#dce1e7",
    text: "#14181d",
    dim: "#5b6573",
    accent: "#2f63d8",
    good: "#18794e",
    warn: "#8f5b00",
    bad: "#c3292b",
  },
};

export const FONT_TEXT = "'Inter Variable', system-ui, sans-serif";
export const FONT_MONO = "'JetBrains Mono Variable', ui-monospace, monospace";

const accent: MantineColorsTuple = [
  "#eef3ff",
  "#dbe5ff",
  "#b9ccff",
  "#9cb9ff",
  "#7fa6ff",
  "#5585ee",
  "#2f63d8",
  "#2853b6",
  "#214594",
  "#193672",
];
const bad: MantineColorsTuple = [
  "#fff0ef",
  "#ffdedc",
  "#ffbab6",
  "#ff9d97",
  "#ff8077",
  "#e8524d",
  "#c3292b",
  "#a52123",
  "#871a1c",
  "#691416",
];
const dark: MantineColorsTuple = [
  TOKENS.dark.text,
  "#c6cdd7",
  TOKENS.dark.dim,
  "#75808f",
  "#39424e",
  "#262d36",
  TOKENS.dark.raised,
  TOKENS.dark.panel,
  TOKENS.dark.ground,
  "#090b0e",
];

export const theme = createTheme({
  fontFamily: FONT_TEXT,
  fontFamilyMonospace: FONT_MONO,
  fontSizes: { xs: "12px", sm: "14px", md: "14px", lg: "20px", xl: "20px" },
  colors: { accent, bad, dark },
  primaryColor: "accent",
  primaryShade: 6,
  black: TOKENS.light.text,
  defaultRadius: "4px",
  focusRing: "auto",
  respectReducedMotion: true,
  components: {
    Button: Button.extend({
      defaultProps: { fw: 500 },
      styles: { root: { flex: "none" } },
      vars: (_, { variant }) => ({
        root:
          variant === "subtle"
            ? { "--button-color": "var(--accent)", "--button-hover": "var(--raised)" }
            : {},
      }),
    }),
    // What opens stands where it was opened, within a landmark of the page, and a menu has items alone.
    Menu: { defaultProps: { withinPortal: false, withInitialFocusPlaceholder: false } },
    Combobox: { defaultProps: { withinPortal: false } },
    // A dialog's head is no second banner of the page.
    Modal: { defaultProps: { attributes: { header: { role: "presentation" } } } },
  },
});

function variables(tokens: Tokens): Record<string, string> {
  const own = Object.entries(tokens).map(([name, colour]) => [`--${name}`, colour] as const);
  return {
    ...Object.fromEntries(own),
    "--mantine-color-error": tokens.bad,
    "--mantine-color-dimmed": tokens.dim,
    "--mantine-color-placeholder": tokens.dim,
  };
}

export const cssVariables: CSSVariablesResolver = () => ({
  // Room for a time of day, as this browser writes it.
  variables: { "--clock-width": TWELVE_HOURS ? "88px" : "64px" },
  light: variables(TOKENS.light),
  dark: variables(TOKENS.dark),
});
