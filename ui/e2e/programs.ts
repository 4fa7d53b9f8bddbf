/**
 * The real programs: a node without a window, and somebody who joins its room. All speak JSON, one object a line.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const PROJECT = resolve(import.meta.dirname, '../..');
/** Generous, as the machine may be busy with other tests. */
const PATIENCE_MS = 15_000;

type Line = Record<string, unknown> & { type: string };

export const demoTrack = (name: string) => join(PROJECT, 'assets/demo', name);

/** What the build step left, unless `SYNX_BIN` names another. */
function binary(): string {
  const path = process.env.SYNX_BIN ?? join(PROJECT, 'target/debug/synx');
  if (!existsSync(path)) throw new Error(`There is no ${path}: run \`cargo build -p synx\`, or name the program in SYNX_BIN.`);
  return path;
}

export class Program {
  readonly #child: ChildProcess;
  readonly #said: Line[] = [];
  readonly #errors: string[] = [];
  readonly #wake = new Set<() => void>();

  constructor(private readonly name: string, args: string[], readonly folder: string) {
    this.#child = spawn(binary(), [...args, '--device', 'null', '--data-dir', folder], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.stderr?.on('data', (text) => this.#errors.push(String(text)));
    const lines = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream });
    lines.on('line', (line) => {
      this.#said.push(JSON.parse(line) as Line);
      for (const look of this.#wake) look();
    });
  }

  /** The first line of a type that fits, whether it came already or not. */
  first(type: string, fits: (line: Line) => boolean = () => true): Promise<Line> {
    return new Promise((found, failed) => {
      const late = setTimeout(() => failed(new Error(`${this.name} never said ${type}.\n${this.#errors.join('')}`)), PATIENCE_MS);
      const look = () => {
        const line = this.#said.find((one) => one.type === type && fits(one));
        if (!line) return;
        clearTimeout(late);
        this.#wake.delete(look);
        found(line);
      };
      this.#wake.add(look);
      look();
    });
  }

  say(command: Line): void {
    this.#child.stdin?.write(`${JSON.stringify(command)}\n`);
  }

  /** What `synx invite` prints for the room that is hosted there. */
  async invite(...args: string[]): Promise<string> {
    const { stdout } = await promisify(execFile)(binary(), ['invite', '--data-dir', this.folder, ...args]);
    return stdout.trim();
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((gone) => this.#child.once('exit', gone));
    this.#child.kill('SIGKILL');
    await ended;
  }
}

/** The programs of one test, in a folder of their own that goes with them. */
export class Programs {
  readonly #running: Program[] = [];

  private constructor(private readonly folder: string) {}

  static async create(): Promise<Programs> {
    return new Programs(await mkdtemp(join(tmpdir(), 'synx-e2e-')));
  }

  async node(): Promise<{ program: Program; url: string; token: string }> {
    const program = this.#start('node', ['node', '--control', '127.0.0.1:0']);
    const { url, token } = await program.first('control_ready');
    return { program, url: String(url), token: String(token) };
  }

  /** Somebody who hosts a room, and the link into it. */
  async host(name: string): Promise<{ program: Program; link: string }> {
    const program = this.#start('host', ['host', '--json', '--listen', '127.0.0.1:0', '--name', name]);
    const { link } = await program.first('room_opened');
    return { program, link: String(link) };
  }

  /** Somebody who asks to come in. */
  ask(link: string, name: string): Program {
    return this.#start(name, ['join', link, '--json', '--as', name]);
  }

  /** A folder of music as people have it: awkward names, and a file that is none. */
  async music(): Promise<string> {
    const folder = join(this.folder, 'Musik – Überraschungen');
    await mkdir(folder);
    const audio = await readFile(demoTrack('tide-line.mp3'));
    const names = ['🎉 party 🪩.mp3', 'שלום עולם.mp3', `${'ä'.repeat(125)}.mp3`];
    // Each a content of its own: what follows the audio is not audio.
    await Promise.all(names.map((name, index) => writeFile(join(folder, name), Buffer.concat([audio, Buffer.from([0, index])]))));
    await writeFile(join(folder, 'Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz, ganz kaputt.mp3'), Buffer.alloc(300, 255));
    return folder;
  }

  async end(): Promise<void> {
    await Promise.all(this.#running.map((program) => program.end()));
    await rm(this.folder, { recursive: true, force: true });
  }

  #start(name: string, args: string[]): Program {
    const program = new Program(name, args, join(this.folder, String(this.#running.length)));
    this.#running.push(program);
    return program;
  }
}
