import { useJoinCommand } from "../clients/useJoinCommand";
import { CopyCommand } from "../ui/CopyCommand";

/** The command that starts one more client in the mesh. */
export function JoinMesh() {
  const join = useJoinCommand();
  if (join === undefined) return null;
  return <CopyCommand command={`${join} --enable-mesh`} testId="mesh-command" />;
}
