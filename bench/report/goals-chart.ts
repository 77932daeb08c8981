/** All goals in one picture: how far from its goal each figure is, those that missed as plain to see as those that did not. */
import type { Verdict } from '../goals.ts';
import { MARGIN, page, text, WIDTH } from './chart.ts';
import { times } from './format.ts';
import { boundOf } from './markdown.ts';

const ROW = 34;
const TOP = 76;
const BAR = 12;
const NUMBERS = 128;
/** Bars end here, whatever is beyond: a logarithmic scale from a sixteenth of the goal to sixteen times it. */
const MOST = 16;

/** How many times better than its goal a figure is; under 1: missed. */
export function betterThanGoal({ goal, seen }: Verdict): number | undefined {
  if (seen === undefined) return undefined;
  const decisive = goal.worst ? seen.max : seen.median;
  return goal.bound === 'atLeast' ? decisive / goal.goal : goal.goal / decisive;
}

export function chartOfGoals(verdicts: readonly Verdict[]): string {
  const shown = verdicts.filter(({ seen }) => seen !== undefined);
  const left = MARGIN;
  const right = WIDTH - MARGIN - NUMBERS;
  const middle = (left + right) / 2;
  const at = (factor: number): number => {
    const share = Math.log(Math.min(Math.max(factor, 1 / MOST), MOST)) / Math.log(MOST);
    return middle + share * ((right - left) / 2);
  };
  const bottom = TOP + shown.length * ROW;
  const rows = shown.map((verdict, i) => {
    const y = TOP + i * ROW;
    const end = at(betterThanGoal(verdict)!);
    const [from, to] = [Math.min(end, middle), Math.max(end, middle)];
    const decisive = verdict.goal.worst ? verdict.seen!.max : verdict.seen!.median;
    return [
      text(left, y + 10, verdict.goal.says),
      `<rect class="${verdict.met ? 'met' : 'missed'}" x="${from.toFixed(1)}" y="${y + 15}" width="${Math.max(1, to - from).toFixed(1)}" height="${BAR}" rx="2"/>`,
      text(right + 12, y + 25, `${times(decisive)}  (${boundOf(verdict.goal)})`, 'style="font-weight:600"'),
    ].join('');
  });
  const grid = [1 / 16, 1 / 4, 1, 4, 16].map((factor) => {
    const x = at(factor).toFixed(1);
    const label = factor === 1 ? 'goal' : factor < 1 ? `${1 / factor} × worse` : `${factor} × better`;
    return `<path class="${factor === 1 ? 'spread' : 'grid'}" d="M${x} ${TOP - 6}V${bottom}"/>${text(Number(x), TOP - 12, label, 'text-anchor="middle" class="faint"')}`;
  });
  const hint = 'blue: met, orange: missed; logarithmic scale; right: what was seen, and what was wanted';
  return page(bottom + MARGIN, 'Goals', [text(MARGIN, 50, hint, 'class="faint"'), ...grid, ...rows]);
}
