import { count } from "../format/format";
import { StateMark } from "../ui/StateMark";
import styles from "./RoleFilters.module.css";
import { type ClientRole, ROLE_MARKS, type RoleCounts, ROLES, roleWord } from "./roles";

export type RoleFilter = "all" | ClientRole;
export const ROLE_FILTERS = ["all", ...ROLES] as const;

/** They need somebody's eye: with few clients only they are counted. */
const TROUBLED: ReadonlySet<ClientRole> = new Set(["lost", "late", "failed"]);
/** They are there with none as well, so that nothing moves when the first comes. */
const USUAL: ReadonlySet<ClientRole> = new Set([
  "lost",
  "late",
  "asked",
  "training",
  "delivered",
  "evaluated",
]);

interface RoleFiltersProps {
  counts: RoleCounts;
  /** Of all roles, for many clients; else only of those that need somebody's eye. */
  whole: boolean;
  chosen: RoleFilter;
  choose: (filter: RoleFilter) => void;
}

/** How many clients have each role; one that is pressed shows those alone. */
export function RoleFilters({ counts, whole, chosen, choose }: RoleFiltersProps) {
  const shown = ROLES.filter((role) => {
    if (role === chosen) return true;
    const some = (counts.get(role) ?? 0) > 0;
    return whole ? some || USUAL.has(role) : some && TROUBLED.has(role);
  });
  return (
    <div className={whole ? styles.line : styles.few} role="group" aria-label="clients by their role">
      {shown.map((role) => (
        <button
          key={role}
          type="button"
          className={styles.filter}
          aria-pressed={role === chosen}
          onClick={() => choose(role === chosen ? "all" : role)}
          data-none={(counts.get(role) ?? 0) === 0}
          data-testid={`role-${role}`}
        >
          <StateMark mark={ROLE_MARKS[role]} />
          <span className={styles.count}>{count(counts.get(role) ?? 0)}</span> {roleWord(role)}
        </button>
      ))}
    </div>
  );
}
