/** Why a connection ends: the WebSocket close codes that nodes use, and what a dialler makes of them. */

/** 4000 and up are ZiStore's own. Only appended. */
export const CLOSE = {
  goingAway: 1001,
  /** A text frame; ZiStore sends binary ones only. */
  notBinary: 1003,
  /** Sent by `ws` itself for a frame over the limit. */
  tooLarge: 1009,
  incompatible: 4000,
  unauthorized: 4001,
  /** The addressee is not (or no longer) who was dialled: addresses are reused. */
  otherMember: 4002,
  /** Not said any more; the number stays taken. */
  notNow: 4003,
  malformed: 4004,
  /** A newer connection of the same member has taken the place of this one. */
  replaced: 4005,
  /** More was waiting to be sent than may wait, or pings were not answered by one that does send. */
  slowReader: 4006,
  dropped: 4007,
  hungUp: 4008,
  /** Nothing was heard for three keepalives. */
  silent: 4009,
} as const;

export type CloseCode = (typeof CLOSE)[keyof typeof CLOSE];

export type RefusalCode = 'ZISTORE_INCOMPATIBLE' | 'ZISTORE_UNAUTHORIZED';

/** A refusal that dialling again will hardly cure; undefined for every other end. */
export function refusalOf(code: number): RefusalCode | undefined {
  if (code === CLOSE.incompatible) return 'ZISTORE_INCOMPATIBLE';
  return code === CLOSE.unauthorized ? 'ZISTORE_UNAUTHORIZED' : undefined;
}

/** Of the payload of a close frame, by RFC 6455, two of which are the code. */
const MAX_REASON_BYTES = 123;

/** As much of a reason as a close frame holds. */
export function clip(reason: string): string {
  let clipped = reason.slice(0, MAX_REASON_BYTES);
  while (Buffer.byteLength(clipped) > MAX_REASON_BYTES) clipped = clipped.slice(0, -1);
  return clipped;
}

/** What the failure of an attempt to connect says about the other side, for those that dialling again will hardly cure. */
export function refusalOfFailure(error: Error & { readonly code?: string }): RefusalCode | undefined {
  const { code = '' } = error;
  if (/^(ERR_TLS|ERR_SSL|CERT_|EPROTO|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|INVALID_CA|INVALID_PURPOSE)/.test(code)) {
    return 'ZISTORE_UNAUTHORIZED';
  }
  return code.startsWith('HPE_') ? 'ZISTORE_INCOMPATIBLE' : undefined;
}
