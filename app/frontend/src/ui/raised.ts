/** What of a traceback is read first: what was raised, and where in the reader's own code. Pure functions. */

interface Frame {
  file: string;
  line: number;
  inside: string;
  code: string;
}

const FRAME = /^\s*File "(.+)", line (\d+)(?:, in (.+))?$/;
/** Libraries, Python's own files, and frozen or generated code. */
const NOT_OWN = /[\\/](?:site-packages|dist-packages)[\\/]|[\\/]lib[\\/]python\d|^</;

/** So many of the reader's own frames are named. */
const MOST_OWN = 3;

/** What was raised: the last line, "RuntimeError: out of memory"; null: the text is one line anyway, or none. */
export function raisedLine(traceback: string): string | null {
  const lines = traceback.trimEnd().split("\n");
  const line = lines.findLast((each) => /^\S/.test(each));
  return lines.length > 1 && line !== undefined ? line : null;
}

/** The frames that are in no library, innermost first: "task.py, line 12, in train: loss = f(x)". */
export function ownFrames(traceback: string): string[] {
  const own = framesOf(traceback).filter(({ file }) => !NOT_OWN.test(file));
  return own
    .toReversed()
    .slice(0, MOST_OWN)
    .map(({ file, line, inside, code }) => {
      const name = file.split(/[\\/]/).at(-1) ?? file;
      return `${name}, line ${line}, in ${inside}${code === "" ? "" : `: ${code}`}`;
    });
}

/** The frames of the last traceback in the text: the error that was raised in the end. */
function framesOf(text: string): Frame[] {
  const lines = text.split("\n");
  const begin = lines.findLastIndex((line) => line.includes("Traceback (most recent call last)"));
  return lines.slice(begin + 1).flatMap((line, index, all) => {
    const [, file, number, inside] = FRAME.exec(line) ?? [];
    if (file === undefined) return [];
    const next = all[index + 1] ?? "";
    const code = FRAME.test(next) || !/^\s/.test(next) ? "" : next.trim();
    return [{ file, line: Number(number), inside: inside ?? "<module>", code }];
  });
}
