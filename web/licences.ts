// Puts the licences of what the pages are built of beside them: whoever passes
// the program on has to pass these on too.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'vite';

// Its styles are in the pages, but no module of it is.
const always = ['tailwindcss'];

/** The folder of the package that a module belongs to, "" for the pages' own. */
export function packageOf(id: string): string {
  const file = id.replace(/^\0/, '').replace(/\?.*$/, '');
  const at = file.lastIndexOf('/node_modules/');
  if (at < 0) return '';
  const [scope = '', name = ''] = file.slice(at + '/node_modules/'.length).split('/');
  return file.slice(0, at) + '/node_modules/' + (scope.startsWith('@') ? `${scope}/${name}` : scope);
}

function licenceOf(folder: string): string {
  const about = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { name: string; version: string; license?: string };
  // some have a folder too, for what they took over from others
  const texts = readdirSync(folder, { withFileTypes: true })
    .filter((f) => /^(licen[cs]e|notice|copying)/i.test(f.name))
    .flatMap((f) => (f.isDirectory() ? readdirSync(join(folder, f.name)).map((inner) => join(f.name, inner)) : [f.name]))
    .sort();
  if (texts.length === 0) throw new Error(`${about.name} has no licence file`);
  const body = texts.map((f) => readFileSync(join(folder, f), 'utf8').replaceAll('\r\n', '\n').trimEnd()).join('\n\n');
  return `==== ${about.name} ${about.version} (${about.license ?? 'see below'})\n\n${body}\n`;
}

export function licences(): Plugin {
  return {
    name: 'licences',
    apply: 'build',
    generateBundle(_, bundle) {
      const folders = new Set(always.map((name) => join(import.meta.dirname, 'node_modules', name)));
      for (const part of Object.values(bundle)) {
        if (part.type !== 'chunk') continue;
        for (const [id, module] of Object.entries(part.modules)) {
          const folder = module.renderedLength > 0 ? packageOf(id) : '';
          if (folder && existsSync(join(folder, 'package.json'))) folders.add(folder);
        }
      }
      const source = [...new Set([...folders].map(licenceOf))].sort().join('\n');
      this.emitFile({ type: 'asset', fileName: 'licences.txt', source });
    },
  };
}
