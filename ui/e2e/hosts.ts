/**
 * Hosts that are not as one hopes: one that has become another version, and one that takes calls and says nothing.
 */
import { readFile } from 'node:fs/promises';
import { createServer as createTlsServer } from 'node:https';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Program } from './programs';

/** Where a link leads to. */
const portOf = (link: string) => Number(new URLSearchParams(link.split('?')[1]).get('a')?.split(':').at(-1));

const listening = (server: Server, port: number) => new Promise<void>((up) => server.listen(port, '127.0.0.1', up));

/** Puts another version in a host's place: at its address, with its certificate, but speaking another protocol. */
export async function speakOtherwise({ program, link }: { program: Program; link: string }, protocol: number): Promise<Server> {
  await program.end();
  const [cert, key] = await Promise.all(['cert.pem', 'key.pem'].map((name) => readFile(join(program.folder, 'tls', name))));
  const server = createTlsServer({ cert, key }, (_, answer) => answer.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ protocol })));
  await listening(server, portOf(link));
  return server;
}

/** The link to a host that takes calls and says nothing; `link` is one to any other. */
export async function silent(link: string): Promise<{ link: string; end: () => void }> {
  const calls = new Set<Socket>();
  const server = createServer((call) => {
    calls.add(call);
    // Who gives up may do so rudely.
    call.on('error', () => calls.delete(call));
  });
  await listening(server, 0);
  const { port } = server.address() as AddressInfo;
  const end = () => {
    server.close();
    for (const call of calls) call.destroy();
  };
  return { link: link.replace(`%3A${portOf(link)}`, `%3A${port}`), end };
}
