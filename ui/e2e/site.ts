/**
 * The built window over HTTP, under the app's own content security policy with the node as the one address to speak to.
 */
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize, resolve } from 'node:path';

const PROJECT = resolve(import.meta.dirname, '../..');
const TYPES: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.woff2': 'font/woff2' };

async function policy(node: string): Promise<string> {
  const config = JSON.parse(await readFile(join(PROJECT, 'tauri.conf.json'), 'utf8')) as { app: { security: { csp: Record<string, string> } } };
  return Object.entries({ ...config.app.security.csp, 'connect-src': node }).map((rule) => rule.join(' ')).join('; ');
}

export async function serve(node: string, folder = join(PROJECT, 'ui/dist')): Promise<{ origin: string; server: Server }> {
  const headers = { 'content-security-policy': await policy(node) };
  const server = createServer(async ({ url }, answer) => {
    const path = normalize(new URL(url ?? '/', 'http://site').pathname).replace(/\/$/u, '/index.html');
    try {
      const body = await readFile(join(folder, path));
      answer.writeHead(200, { ...headers, 'content-type': TYPES[extname(path)] ?? 'application/octet-stream' }).end(body);
    } catch {
      answer.writeHead(404).end();
    }
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}
