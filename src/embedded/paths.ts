/** Names of znodes. */
import { ErrorCode, Refusal } from './operations.ts';

const MAX_PATH_CHARS = 8192;

/** Not allowed anywhere in a path: control characters and those that ZooKeeper reserves. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const FORBIDDEN = /[\u0000-\u001f\u007f-\u009f\ud800-\uf8ff\ufff0-\uffff]/;

/** Throws Refusal (BAD_ARGUMENTS) unless `path` is absolute, without empty, `.` or `..` parts. */
export function validatePath(path: string): void {
  const fault = faultOf(path);
  if (fault !== undefined) throw new Refusal(ErrorCode.badArguments, `invalid path: ${fault}`);
}

function faultOf(path: string): string | undefined {
  if (path.length > MAX_PATH_CHARS) return 'too long';
  if (!path.startsWith('/')) return 'must start with /';
  if (path === '/') return undefined;
  if (FORBIDDEN.test(path)) return 'forbidden character';
  const parts = path.slice(1).split('/');
  if (parts.includes('')) return 'empty part';
  if (parts.includes('.') || parts.includes('..')) return 'relative part';
  return undefined;
}

/** `/a/b` → `/a`, `/a` → `/`. */
export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash <= 0 ? '/' : path.slice(0, slash);
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The number that a sequential znode gets: ten digits, wrapping as a signed 32-bit number. */
export function sequenceSuffix(counter: number): string {
  return String(counter | 0).padStart(10, '0');
}
