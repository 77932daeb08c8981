/** What the shell asks of a client process, and of the process of the embedded coordinator. */
import type { Role } from '../core/status.ts';

export interface ClientOptions {
  /** Connect string; the shell's proxies. */
  readonly zookeeper: string;
  readonly cluster: string;
  readonly sessionTimeoutMs: number;
  readonly tickTimeMs: number;
  /** Where peers connect, when that is not this machine alone; any free port. */
  readonly listen?: { readonly host: string };
  /** What peers are told, when it differs from `listen`. */
  readonly advertise?: { readonly host: string };
}

export interface ClientStatus {
  readonly address: string;
  readonly role: Role;
  readonly epoch: string;
  readonly live: boolean;
  readonly entries: number;
  /** Addresses of the live members as this client knows them. */
  readonly members: readonly string[];
  /** Whether its gate is open. */
  readonly rmi: 'up' | 'down';
}

interface Call {
  readonly key: string;
  readonly timeoutMs: number;
}

export type ClientProtocol = {
  open: { args: ClientOptions; result: ClientStatus };
  get: { args: Call; result: string | null };
  put: { args: Call & { readonly value: string }; result: null };
  delete: { args: Call; result: boolean };
  status: { args: null; result: ClientStatus };
  /** Opens or closes the gate around the client's Transport. */
  rmi: { args: 'up' | 'down'; result: ClientStatus };
  /** Leaves cleanly; the process ends after the answer. */
  close: { args: null; result: null };
};

export interface CoordinatorOptions {
  readonly tickTimeMs: number;
  /** Of the clients to come: it must grant it. */
  readonly sessionTimeoutMs: number;
}

export type CoordinatorProtocol = {
  start: { args: CoordinatorOptions; result: { readonly port: number } };
  close: { args: null; result: null };
};
