/** The transcript in README.md: between its markers, and compared with what differs from run to run taken out. */
import { readFileSync, writeFileSync } from 'node:fs';

const BEGIN = '<!-- transcript of scripts/demo.mjs -->\n```\n';
const END = '\n```\n<!-- end of transcript -->';

function parts(file) {
  const text = readFileSync(file, 'utf8');
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END, begin);
  if (begin < 0 || end < 0) throw new Error(`${file} has no place for the transcript`);
  const from = begin + BEGIN.length;
  return { before: text.slice(0, from), transcript: text.slice(from, end), after: text.slice(end) };
}

export function readPublished(file) {
  return parts(file).transcript;
}

export function writePublished(file, transcript) {
  const { before, after } = parts(file);
  writeFileSync(file, before + transcript + after);
}

/** Which node leads is chance; so are epochs and the names and ports of containers. */
function normalized(transcript) {
  const lines = transcript.split('\n').map((line) =>
    line
      .replace(/\b(node|zookeeper)[123]\b/g, '$1N')
      .replace(/\b[0-9a-f]{12}:[0-9]+/g, 'CONTAINER:PORT')
      .replace(/^\d\d:\d\d:\d\d\.\d+ /, 'TIME ')
      .replace(/^epoch [0-9]+/, 'epoch N')
      .replace(/ +/g, ' ')
      .trimEnd(),
  );
  // The rows of a table stand in the order of names.
  const isRow = (line) => /^(nodeN|CONTAINER):/.test(line);
  for (let from = 0; from < lines.length; from++) {
    let to = from;
    while (to < lines.length && isRow(lines[to])) to++;
    lines.splice(from, to - from, ...lines.slice(from, to).sort());
    from = to;
  }
  return lines;
}

/** The first lines that differ, as in a diff; none: they tell the same. */
export function differences(published, seen) {
  const [ours, theirs] = [normalized(published), normalized(seen)];
  const first = Array.from({ length: Math.max(ours.length, theirs.length) }, (_, i) => i).find(
    (i) => ours[i] !== theirs[i],
  );
  if (first === undefined) return [];
  const show = (mark, lines) => lines.slice(first, first + 3).map((line) => `${mark} ${line}`);
  return [...show('-', ours), ...show('+', theirs)];
}
