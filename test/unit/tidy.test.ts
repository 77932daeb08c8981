/** The house style as far as a machine can keep it. Formatting and the rest of the lint rules are biome's. */
import { describe, expect, it } from '@jest/globals';
import { parse, type SourceFile, type SyntaxNode, sourceFiles, walk } from '../support/source-tree.ts';

const MAX_FILE_LINES = 400;
const MAX_FUNCTION_LINES = 60;

/** From the innermost outwards: a file imports from its own layer and from those before it. */
const LAYERS: readonly (readonly [name: string, files: RegExp])[] = [
  ['errors', /^src\/errors\.ts$/],
  ['core', /^src\/core\//],
  ['ports', /^src\/ports\.ts$/],
  ['adapters', /^src\/((zookeeper|rpc|embedded)\/|(clock|random)\.ts$)/],
  ['node', /^src\/node(\/|\.ts$|-[a-z-]+\.ts$)/],
  ['library', /^src\/[a-z-]+\.ts$/],
  ['programs', /^src\/(cli|shell)\//],
];
const layerOf = (path: string): number => LAYERS.findIndex(([, files]) => files.test(path));

const files = sourceFiles('src');

function importFaults(file: SourceFile): string[] {
  const layer = layerOf(file.path);
  if (layer < 0) return [`${file.path} belongs to no layer; say in this test where it stands`];
  return file.imports
    .filter((path) => path.startsWith('src/') && layerOf(path) > layer)
    .map((path) => `${file.path} (${LAYERS[layer]![0]}) imports ${path} (${LAYERS[layerOf(path)]![0]})`);
}

const IMPURE = new Set(
  `setTimeout setInterval setImmediate queueMicrotask Date performance process Promise crypto fetch console globalThis
   require AbortSignal AbortController WebSocket`.split(/\s+/),
);

function impurity(node: SyntaxNode): string | undefined {
  if (node.type === 'AwaitExpression') return 'await';
  if (node.async === true) return 'async';
  if (node.type === 'CallExpression' && (node.callee as SyntaxNode).type === 'Import') return 'import()';
  if (node.type === 'MemberExpression') {
    const { object, property } = node as unknown as { object: { value?: string }; property: { value?: string } };
    return object.value === 'Math' && property.value === 'random' ? 'Math.random' : undefined;
  }
  return node.type === 'Identifier' && IMPURE.has(node.value as string) ? (node.value as string) : undefined;
}

function coreFaults(file: SourceFile): string[] {
  const foreign = file.imports
    .filter((path) => !/^src\/(core\/|errors\.ts$)/.test(path))
    .map((path) => `imports ${path}`);
  const impure = [...walk(file.tree)].map((node) => impurity(node)).filter((what) => what !== undefined);
  return [...new Set([...foreign, ...impure])].map((what) => `${file.path}: ${what}`);
}

const FUNCTIONS = new Set([
  'FunctionDeclaration',
  'FunctionExpression',
  'ArrowFunctionExpression',
  'ClassMethod',
  'PrivateMethod',
  'Constructor',
  'MethodProperty',
]);

function longFunctions(file: SourceFile): string[] {
  return [...walk(file.tree)].flatMap((node) => {
    if (!FUNCTIONS.has(node.type)) return [];
    const { start, end } = node.span as { start: number; end: number };
    const lines = file.line(end) - file.line(start) + 1;
    return lines > MAX_FUNCTION_LINES ? [`${file.path}:${file.line(start)}: ${lines} lines`] : [];
  });
}

describe('the source tree', () => {
  it('imports one way: cli, shell → library → node → adapters → ports → core → errors', () => {
    expect(files.flatMap(importFaults)).toEqual([]);
  });

  it('has adapters that do not know each other', () => {
    const adapter = (path: string) => /^src\/(zookeeper|rpc|embedded)\//.exec(path)?.[1];
    const faults = files.flatMap((file) =>
      file.imports
        .filter((path) => adapter(file.path) && adapter(path) && adapter(path) !== adapter(file.path))
        .map((path) => `${file.path} imports ${path}`),
    );
    expect(faults).toEqual([]);
  });

  it('has a pure core: no I/O, timers, clock, chance, promises, environment', () => {
    expect(files.filter((file) => file.path.startsWith('src/core/')).flatMap(coreFaults)).toEqual([]);
  });

  it('never imports its own public API', () => {
    expect(files.filter((file) => file.imports.includes('src/index.ts')).map((file) => file.path)).toEqual([]);
  });

  it(`has files of at most ${MAX_FILE_LINES} lines`, () => {
    const long = files.map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }));
    expect(long.filter(({ lines }) => lines > MAX_FILE_LINES)).toEqual([]);
  });

  it(`has functions of at most ${MAX_FUNCTION_LINES} lines`, () => {
    expect(files.flatMap(longFunctions)).toEqual([]);
  });

  it('leaves nothing to do later', () => {
    expect(files.filter(({ text }) => /\b(TODO|FIXME|XXX|HACK)\b/.test(text)).map(({ path }) => path)).toEqual([]);
  });
});

describe('these rules', () => {
  it('see an import in the wrong direction, in every form', () => {
    const forms = [
      `import { x } from '../node.ts'`,
      `import type { x } from '../node.ts'`,
      `export { x } from '../node.ts'`,
      `export * from '../node.ts'`,
      `type X = import('../node.ts').X`,
      `const x = import('../node.ts')`,
    ];
    for (const form of forms) {
      expect(importFaults(parse('src/core/a.ts', form))).toEqual(['src/core/a.ts (core) imports src/node.ts (node)']);
    }
    expect(importFaults(parse('src/elsewhere/a.ts', ''))).toHaveLength(1);
  });

  it.each([
    ['setTimeout(f, 1)', 'setTimeout'],
    ['const t = Date.now()', 'Date'],
    ['f(performance.now())', 'performance'],
    ['const r = [Math.random()]', 'Math.random'],
    ['f({ e: process.env })', 'process'],
    ['async () => 1', 'async'],
    ['let p: Promise<void>', 'Promise'],
    [`import { x } from 'node:fs'`, 'imports node:fs'],
    [`import { x } from 'ws'`, 'imports ws'],
  ])('see what is not pure: %s', (text, fault) => {
    expect(coreFaults(parse('src/core/a.ts', text))).toContain(`src/core/a.ts: ${fault}`);
  });

  it('do not mistake names of properties and words in comments for it', () => {
    const text = `// await process\nclass A { setTimeout() {} }; a.process(); const o = { Date: 'Promise' }`;
    expect(coreFaults(parse('src/core/a.ts', text))).toEqual([]);
  });

  it('see a long function, with the line where it starts', () => {
    const body = 'f();\n'.repeat(MAX_FUNCTION_LINES);
    const faults = longFunctions(parse('src/a.ts', `// é\nclass A {\n  #m() {\n${body}  }\n}\n`));
    expect(faults).toEqual([`src/a.ts:3: ${MAX_FUNCTION_LINES + 2} lines`]);
  });
});
