/** The source files as syntax trees, for the tests that keep the style. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { parseSync } from '@swc/core';

const ROOT = resolve(import.meta.dirname, '../..');

/** A node of swc's tree, as loosely as the walk below needs it. */
export interface SyntaxNode {
  readonly type: string;
  readonly span?: { readonly start: number; readonly end: number };
  readonly [property: string]: unknown;
}

export interface SourceFile {
  /** From the project's root, with slashes: `src/core/lease.ts`. */
  readonly path: string;
  readonly text: string;
  readonly tree: SyntaxNode;
  /** What it imports: a path from the root for its own files, the specifier as it stands for all else. */
  readonly imports: readonly string[];
  /** Line of a position in the tree, from 1. */
  line(position: number): number;
}

export function sourceFiles(folder: string): SourceFile[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .map((name) => parse(join(folder, name), readFileSync(join(ROOT, folder, name), 'utf8')));
}

export function parse(path: string, text: string): SourceFile {
  // Positions go on counting from file to file, and a tree starts at its first token: a first token of our own is the
  // zero. They count bytes.
  const zero = 'void 0;';
  const code = text.replace(/^#!/, '//');
  const bytes = Buffer.from(text);
  const tree = parseSync(zero + code, { syntax: 'typescript', target: 'es2022' }) as unknown as SyntaxNode;
  const [first] = tree.body as SyntaxNode[];
  const base = first!.span!.start + zero.length;
  const line = (position: number): number =>
    bytes
      .subarray(0, position - base)
      .toString()
      .split('\n').length;
  return { path, text, tree, imports: importsOf(path, tree), line };
}

/** Every node of the tree but names that stand for nothing by themselves: `b` in `a.b` and in `{ b: 1 }`. */
export function* walk(node: SyntaxNode): Generator<SyntaxNode> {
  yield node;
  for (const [property, value] of Object.entries(node)) {
    if ((property === 'key' || property === 'property') && (value as SyntaxNode | null)?.type === 'Identifier')
      continue;
    for (const child of Array.isArray(value) ? value : [value]) {
      const inner = (child as { expression?: SyntaxNode; spread?: unknown } | null) ?? {};
      if (typeof (child as SyntaxNode | null)?.type === 'string') yield* walk(child as SyntaxNode);
      else if (typeof inner.expression?.type === 'string') yield* walk(inner.expression);
    }
  }
}

function importsOf(path: string, tree: SyntaxNode): string[] {
  const found: string[] = [];
  for (const node of walk(tree)) {
    if (typeof (node.source as SyntaxNode | null)?.value === 'string')
      found.push((node.source as { value: string }).value);
    if (node.type === 'CallExpression' && (node.callee as SyntaxNode).type === 'Import')
      found.push(dynamicImport(node));
    if (node.type === 'TsImportType') found.push((node.argument as { value: string }).value);
  }
  return found.map((specifier) =>
    specifier.startsWith('.') ? relative(ROOT, resolve(ROOT, dirname(path), specifier)) : specifier,
  );
}

function dynamicImport(call: SyntaxNode): string {
  const [argument] = call.arguments as { expression: { value?: unknown } }[];
  return String(argument?.expression.value ?? 'a computed path');
}
