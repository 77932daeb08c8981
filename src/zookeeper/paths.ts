/** What ZooKeeper takes as the path of a znode. Checked here, so that nothing is sent that its server would refuse. */

/** Control characters, surrogates without a partner, private use and specials: refused by ZooKeeper's servers. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const FORBIDDEN = /[\u0000-\u001f\u007f-\u009f\ue000-\uf8ff\ufff0-\uffff]|\p{Surrogate}/u;

/** Why `path` is not an absolute path of a znode; undefined when it is one. */
export function pathProblem(path: unknown): string | undefined {
  if (typeof path !== 'string' || path === '') return 'a path must be text that is not empty';
  if (!path.startsWith('/')) return 'a path must start with "/"';
  if (path === '/') return undefined;
  if (path.endsWith('/')) return 'a path must not end with "/"';
  for (const name of path.slice(1).split('/')) {
    if (name === '') return 'a path must not contain "//"';
    if (name === '.' || name === '..') return 'a path must not contain "." or ".."';
  }
  return FORBIDDEN.test(path) ? 'a path must not contain control, private use or unpaired characters' : undefined;
}
