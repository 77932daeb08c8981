/** The worker without one rule of the protocol: the proof that a fault run would notice. */
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { mutationNamed } from '../sim/mutations.ts';
import { bundlePath } from './bundle.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Resolves to the bundle's path. The mutations are those of the simulation (test/sim/mutations.ts), by name. */
export async function bundleMutant(name: string): Promise<string> {
  mutationNamed(name);
  const outfile = bundlePath('mutant');
  const contents = `
    import { mutationNamed } from './test/sim/mutations.ts';
    import './test/faults/worker.ts';
    mutationNamed(${JSON.stringify(name)}).apply();`;
  await build({
    stdin: { contents, resolveDir: ROOT, sourcefile: 'mutant.ts', loader: 'ts' },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    sourcemap: 'inline',
    logLevel: 'warning',
    banner: {
      js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
    },
  });
  process.once('exit', () => rmSync(outfile, { force: true }));
  return outfile;
}
