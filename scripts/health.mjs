/**
 * Health check of a node in a container: exits 0 if the node at ZISTORE_HEALTH (host:port, default 127.0.0.1:7400)
 * answers an HTTP request, which it does with 426; else 1. Costs neither a session nor a connection to a peer.
 *
 * A node that is cut off from ZooKeeper is healthy: it refuses to answer, keeps its copies, and goes on by itself.
 * Whoever restarts what is unhealthy would take those copies from a cluster that may have no others. Whether a node
 * serves is what `zistore status` tells, and each operation: one that comes early waits.
 */
import { readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';

/** A node whose event loop stands still for longer has lost its session anyway. Milliseconds. */
const TIMEOUT_MS = 4000;

const address = new URL(`http://${process.env.ZISTORE_HEALTH || '127.0.0.1:7400'}`);
const target = { host: address.hostname, port: address.port, method: 'HEAD', path: '/', timeout: TIMEOUT_MS };

/** With TLS only members get an answer, so it shows the node's own certificate, which need not name this address. */
function send() {
  const { ZISTORE_TLS_CERT: cert, ZISTORE_TLS_KEY: key } = process.env;
  if (!cert || !key) return httpRequest(target);
  return httpsRequest({ ...target, cert: readFileSync(cert), key: readFileSync(key), rejectUnauthorized: false });
}

function end(code, why) {
  console.log(why);
  process.exit(code);
}

send()
  .on('response', ({ statusCode }) => end(statusCode === 426 ? 0 : 1, `answered ${statusCode}`))
  .on('timeout', () => end(1, `no answer within ${TIMEOUT_MS} ms`))
  .on('error', (error) => end(1, error.message))
  .end();
