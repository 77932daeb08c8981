/** The lab that this machine allows. */
import type { Lab, LabOptions } from './lab.ts';
import { NamespaceLab, whyNoNamespaces } from './namespaces.ts';
import { ProxyLab } from './proxies.ts';

export interface Choice {
  /** Even where namespaces could be had. */
  readonly proxies: boolean;
  readonly say: (line: string) => void;
}

export async function openLab(options: LabOptions, { proxies, say }: Choice): Promise<Lab> {
  const reason = proxies ? 'as asked for' : whyNoNamespaces();
  const lab = reason === null ? await NamespaceLab.open(options) : await ProxyLab.open(options);
  if (reason !== null) {
    say(`freezing proxies instead of network namespaces (${reason}): nodes are not cut from each other,`);
    say('nor anything one way, and nothing is split in two');
  }
  if (!lab.can('skew'))
    say('no clocks that run at another rate: libfaketime is not installed (apt-get install faketime)');
  return lab;
}
