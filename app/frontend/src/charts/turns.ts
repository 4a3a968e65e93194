/** Drawing takes a while: the charts of a page do it one after the other, and the page answers in between. */

type Draw = () => void;

const waiting = new Set<Draw>();
let isDue = false;

/** Calls `draw` soon, in a task of its own; what is returned has it not called any more. */
export function inTurn(draw: Draw): () => void {
  waiting.add(draw);
  next();
  return () => void waiting.delete(draw);
}

function next(): void {
  if (isDue || waiting.size === 0) return;
  isDue = true;
  setTimeout(() => {
    isDue = false;
    const [draw] = waiting;
    if (draw === undefined) return;
    waiting.delete(draw);
    next();
    draw();
  });
}
