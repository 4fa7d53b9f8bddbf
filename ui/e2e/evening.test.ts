/**
 * An evening in the built window with a real node behind it, from the first start to the node's end. Each test goes on
 * where the one before it ended, in a wide and in a narrow window at once.
 */
import { readFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inspect } from './inspect';
import { demoTrack, Programs, type Program } from './programs';
import { serve } from './site';
import { at, escape, Windows } from './windows';

/** As long as a name may be. */
const LONG_NAME = 'Wilhelmina-Theodora van der Westhuizen-R';
const ROOM = 'Donaudampfschifffahrtsgesellschaftskapitänsmützenabend';

let programs: Programs;
let node: Awaited<ReturnType<Programs['node']>>;
let site: { origin: string; server: Server };
let windows: Windows;
let guest: Program;
/** By which one is asked about. */
let knockLink: string;

/** Brings each window to a scene, inspects it there, and takes it back. */
async function scene(name: string, reach?: (page: Page) => Promise<unknown>, leave?: (page: Page) => Promise<unknown>): Promise<void> {
  for (const { size, page } of windows.pages) {
    await reach?.(page);
    expect.soft(await inspect(page, size, name)).toEqual([]);
    await leave?.(page);
  }
}

const inAll = (act: (page: Page) => Promise<unknown>) => Promise.all(windows.pages.map(({ page }) => act(page)));
const inOne = async (act: (page: Page) => Promise<unknown>) => {
  const [first] = windows.pages;
  if (first) await act(first.page);
};

beforeAll(async () => {
  programs = await Programs.create();
  [node, windows] = await Promise.all([programs.node(), Windows.start()]);
  site = await serve(node.url);
});

afterAll(async () => {
  await windows?.close();
  await programs?.end();
  site?.server.close();
});

describe('without a node', () => {
  it('says what to do', async () => {
    await windows.open(site.origin);
    await scene('no-node', (page) => page.getByRole('alert').waitFor());
    await inAll((page) => page.close());
    windows.pages.length = 0;
  });
});

describe('alone', () => {
  it('starts by asking for a name', async () => {
    await windows.open(`${site.origin}/?backend=${node.url}&token=${node.token}`);
    await scene('first-run', (page) => at(page, 'first-run-name').waitFor());
    await inOne(async (page) => {
      await at(page, 'first-run-name').fill(LONG_NAME);
      await at(page, 'first-run-go').click();
    });
    await inAll((page) => at(page, 'nav-library').waitFor());
  });

  it('has an empty library', () => scene('library-empty'));

  it('tells of a file that is not there', async () => {
    await scene('open-refused', async (page) => {
      await at(page, 'open-files').click();
      await at(page, 'open-path').fill('/nowhere/Vierwaldstätterseedampfschifffahrtsgesellschaft, take 12, final mix.flac');
      await at(page, 'open-path-go').click();
      await at(page, 'form-error').waitFor();
      await at(page, 'open-files').focus();
    });
  });

  it('plays and analyses a track', async () => {
    await inOne(async (page) => {
      await at(page, 'open-files').click();
      await at(page, 'open-path').fill(demoTrack('paper-lantern.flac'));
      await at(page, 'open-path-go').click();
    });
    await inAll(async (page) => {
      await page.locator('[data-testid=library-row][data-state=ready]').waitFor();
      await page.locator('[data-testid=waveform][data-state=ready]').waitFor();
      await page.locator('[data-testid=play][data-state=playing]').waitFor();
    });
    await scene('playing');
  });

  it('repeats it', async () => {
    await inOne((page) => at(page, 'loop').click());
    await scene('looping', (page) => at(page, 'loop-region').waitFor());
  });

  it('zooms into it and stops', async () => {
    await inOne((page) => at(page, 'play').click());
    await scene('paused-zoomed', async (page) => {
      await page.locator('[data-testid=play][data-state=paused]').waitFor();
      await page.getByLabel('Zoom in (+)').click();
    }, (page) => page.getByText('Whole', { exact: true }).click());
  });

  it('sets tempo and key by hand', async () => {
    await scene('tempo', (page) => at(page, 'bpm').click(), (page) => page.keyboard.press('Escape'));
    await inOne(async (page) => {
      await at(page, 'bpm').click();
      await at(page, 'bpm-halve').click();
      await page.keyboard.press('Escape');
      await at(page, 'key').click();
      await at(page, 'key-value').selectOption('9A');
      await page.keyboard.press('Escape');
    });
    await inAll((page) => page.getByTestId('bpm').and(page.getByTitle(/set by you/u)).waitFor());
    await scene('key-by-hand', async (page) => {
      await page.getByTestId('key').and(page.getByTitle(/set by you/u)).waitFor();
      await at(page, 'key').click();
    }, (page) => page.keyboard.press('Escape'));
    await inOne(async (page) => {
      await at(page, 'key').click();
      await at(page, 'key-reset').click();
      await page.keyboard.press('Escape');
    });
  });

  it('follows a folder with awkward names', async () => {
    const folder = await programs.music();
    await inOne(async (page) => {
      await at(page, 'open-files').click();
      await at(page, 'open-path').fill(folder);
      await at(page, 'open-path-go').click();
    });
    await inAll(async (page) => {
      await page.locator('[data-testid=library-row][data-state=broken]').waitFor();
      await expect.poll(() => page.locator('[data-testid=library-row][data-state=ready]').count(), { timeout: 20_000 }).toBe(4);
    });
    await scene('library');
    await scene('folders', (page) => at(page, 'open-files').click(), (page) => page.keyboard.press('Escape'));
    await scene('view', async (page) => {
      await at(page, 'view-menu').click();
      await at(page, 'column-album').check();
      await at(page, 'view-menu').focus();
    }, async (page) => {
      if (!(await at(page, 'column-album').isVisible())) await at(page, 'view-menu').click();
      await at(page, 'column-album').uncheck();
      await page.keyboard.press('Escape');
    });
  });

  it('searches', async () => {
    const search = (typed: string, sign: string) => async (page: Page) => {
      await at(page, 'library-filter').fill(typed);
      await at(page, sign).first().waitFor();
    };
    const clear = (page: Page) => at(page, 'library-filter').fill('');
    await scene('search-corrected', search('lantren', 'search-read-as'), clear);
    await scene('search-refused', search('bmp:120', 'search-problem'), clear);
    await scene('search-nothing', async (page) => {
      await at(page, 'library-filter').fill('qqqqqq');
      await page.getByText('Nothing found').waitFor();
    }, (page) => page.getByText('Show all').click());
  });

  it('queues, and keeps playlists', async () => {
    const row = (page: Page) => page.locator('[data-testid=library-row][data-state=ready]').first();
    await scene('track-menu', (page) => row(page).click({ button: 'right' }), (page) => page.keyboard.press('Escape'));
    await scene('add-to-playlist', async (page) => {
      await row(page).press('a');
      await at(page, 'playlist-name').waitFor();
    }, escape);
    await inOne(async (page) => {
      await row(page).press('a');
      await at(page, 'playlist-name').fill(ROOM);
      await at(page, 'playlist-create').click();
      await page.locator('dialog').waitFor({ state: 'detached' });
      await row(page).press('q');
      await at(page, 'notice').getByLabel('Dismiss').click();
    });
    await scene('up-next', async (page) => {
      await at(page, 'up-next').click();
      await at(page, 'queued').first().waitFor();
    }, (page) => page.keyboard.press('Escape'));
    await scene('playlist', async (page) => {
      await at(page, 'nav-playlist').click();
      await at(page, 'playlist-menu').waitFor();
      await at(page, 'library-row').first().waitFor();
    });
    await scene('playlist-menu', (page) => at(page, 'playlist-menu').click(), (page) => page.keyboard.press('Escape'));
    await scene('played', async (page) => {
      await at(page, 'nav-history').click();
      await page.getByRole('heading', { name: 'Played', exact: true }).waitFor();
    }, (page) => at(page, 'nav-library').click());
    await scene('matching', async (page) => {
      await row(page).press('g');
      await at(page, 'matching-rule').waitFor();
    }, (page) => at(page, 'nav-library').click());
  });

  it('chooses an output', () => scene('output', async (page) => {
    await at(page, 'output-open').click();
    await at(page, 'output-device').and(page.locator(':enabled')).waitFor();
  }, (page) => page.keyboard.press('Escape')));

  it('shows the volume as it is, also in a window that opens later', async () => {
    await inOne(async (page) => {
      await at(page, 'volume').focus();
      for (let press = 0; press < 20; press += 1) await page.keyboard.press('ArrowLeft');
    });
    // What the other window shows comes from the node: only then is there something to open with.
    for (const { page } of windows.pages) await expect.poll(() => at(page, 'volume').inputValue()).toBe('0.8');
    for (const { page } of windows.pages) {
      await page.reload();
      await expect.poll(() => at(page, 'volume').inputValue()).toBe('0.8');
    }
  });

  it('has settings and lists its keys', async () => {
    for (const name of ['you', 'taste', 'look', 'sound', 'collection', 'network', 'privacy', 'machine']) {
      await scene(`settings-${name}`, async (page) => {
        await at(page, 'settings-open').click();
        await at(page, `settings-${name}`).click();
        if (name === 'network') await at(page, 'network-test').click();
        if (name === 'machine' || name === 'network') await at(page, 'doctor-check').first().waitFor();
      }, escape);
    }
    await scene('shortcuts', (page) => page.keyboard.press('?'), escape);
  });

  it('says why a room cannot be joined', () => scene('join-refused', async (page) => {
    await at(page, 'join-room').click();
    await at(page, 'join-link').fill('synxsphere://join?nothing');
    await at(page, 'join-go').click();
    await at(page, 'form-error').waitFor();
  }, escape));
});

describe('in a room', () => {
  it('opens one', async () => {
    await scene('host', (page) => at(page, 'host-room').click(), escape);
    await inOne(async (page) => {
      await at(page, 'host-room').click();
      await at(page, 'host-name').fill(ROOM);
      await at(page, 'host-go').click();
    });
    await scene('room-empty', (page) => at(page, 'room-name').waitFor());
  });

  it('has links into it for one and all', async () => {
    await scene('invite', (page) => at(page, 'invite-open').click(), escape);
    await scene('invite-new', async (page) => {
      await at(page, 'invite-open').click();
      await at(page, 'new-invite').click();
    }, escape);
    await inOne(async (page) => {
      await at(page, 'invite-open').click();
      await at(page, 'new-invite').click();
      await page.getByText('DJ', { exact: true }).click();
      await at(page, 'new-invite-most').fill('1');
      await at(page, 'new-invite-knock').check();
      await at(page, 'new-invite-make').click();
      await expect.poll(() => at(page, 'invite-meaning').textContent()).toContain('One person can ask to come in as a DJ');
      knockLink = await at(page, 'invite-link').inputValue();
      await escape(page);
    });
  });

  it('asks about who knocks, who may go away again', async () => {
    const eve = programs.ask(knockLink, 'Eve');
    await eve.first('waiting_for_host');
    await scene('knock', (page) => at(page, 'knock').getByText('Eve').waitFor());
    await eve.end();
    await inAll((page) => at(page, 'knock').waitFor({ state: 'detached' }));
    const knocking = programs.ask(knockLink, LONG_NAME.replace('Wilhelmina', 'Maximilian'));
    guest = knocking;
    await inOne((page) => at(page, 'knock-yes').click());
    await knocking.first('room_joined');
    await scene('invite-used', async (page) => {
      await at(page, 'invite-open').click();
      await at(page, 'invites-past').click();
    }, escape);
    await inOne(async (page) => {
      await at(page, 'invite-open').click();
      await at(page, 'invite-revoke').first().click();
      await at(page, 'invite-revoke-yes').click();
      // The room has a link at all times: another one has taken its place.
      await expect.poll(() => at(page, 'invites-past').textContent()).toContain('2 past invites');
      await expect.poll(() => at(page, 'invite-row').count()).toBe(1);
      await escape(page);
    });
  });

  it('shares and plays a track for two', async () => {
    await inOne(async (page) => {
      await at(page, 'share-files').click();
      await at(page, 'share-path').fill(demoTrack('paper-lantern.flac'));
      await at(page, 'share-path-go').click();
      await page.locator('[data-testid=queue-row][data-state=ready]').waitFor();
      await at(page, 'play').click();
    });
    await inAll((page) => page.locator('[data-testid=waveform][data-state=ready]').waitFor());
    await scene('room', (page) => page.locator('[data-testid=play][data-state=playing]').waitFor());
  });

  it('listens alone while the room goes on', async () => {
    await inOne(async (page) => {
      await at(page, 'listen-alone').first().click();
      await at(page, 'alone').waitFor();
      // Held, or it would be over before all of it has been looked at.
      await at(page, 'play').click();
    });
    await scene('listening-alone', async (page) => {
      await at(page, 'alone').waitFor();
      await page.locator('[data-testid=play][data-state=paused]').waitFor();
    });
    await inOne((page) => at(page, 'alone-end').click());
    await inAll((page) => at(page, 'alone').waitFor({ state: 'detached' }));
  });

  it('talks', async () => {
    guest.say({ type: 'chat_message', text: 'Is the pad at 0:04 meant to be so loud? Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz!' });
    await inOne(async (page) => {
      await at(page, 'chat-message').first().waitFor();
      await at(page, 'chat-input').fill('Good evening.');
      await page.keyboard.press('Enter');
    });
    await scene('chat', async (page) => {
      if (await at(page, 'side-toggle').isVisible()) {
        await at(page, 'unread').first().waitFor();
        await at(page, 'side-toggle').click();
      }
      await at(page, 'chat-message').nth(1).waitFor();
      await expect.poll(() => at(page, 'unread').count()).toBe(0);
    });
    await scene('chat-search', async (page) => {
      await at(page, 'chat-search-open').click();
      await at(page, 'chat-search').fill('rindfleisch');
      await expect.poll(() => at(page, 'chat-message').count()).toBe(1);
    }, (page) => at(page, 'chat-search').press('Escape'));
  });

  it('writes notes', async () => {
    await inOne(async (page) => {
      await at(page, 'comment-add').or(at(page, 'tab-notes')).first().click();
      await at(page, 'comment-add').click();
      await at(page, 'comment-input').fill('Could be twice as long.');
      await page.keyboard.press('Enter');
      await at(page, 'comment-input').waitFor({ state: 'detached' });
    });
    await scene('notes', async (page) => {
      await at(page, 'tab-notes').click();
      await page.getByRole('tabpanel').getByText('Could be twice as long.').waitFor();
    });
    await inOne(async (page) => {
      await at(page, 'note-reply').click();
      await at(page, 'note-answer-input').fill('Or half as long, from 0:10 on.');
      await page.keyboard.press('Enter');
    });
    await scene('notes-answered', (page) => at(page, 'note-answer').waitFor());
    await inOne((page) => at(page, 'note-resolve').click());
    await scene('notes-done', async (page) => {
      await at(page, 'note').waitFor({ state: 'detached' });
      await at(page, 'notes-done').click();
      await at(page, 'note').waitFor();
    });
    await scene('commenting', async (page) => {
      await at(page, 'comment-add').click();
      await at(page, 'comment-input').waitFor();
    }, (page) => page.getByText('Cancel', { exact: true }).click());
  });

  it('lets the host decide who may do what', async () => {
    await scene('member', (page) => at(page, 'member-menu').click());
    await scene('remove', async (page) => {
      await at(page, 'member-menu').click();
      await page.getByText('Remove from the room').click();
    }, escape);
  });

  it('has settings, and asks before it is closed', async () => {
    await scene('room-settings', (page) => at(page, 'room-settings').click(), escape);
    await scene('leave', (page) => at(page, 'leave-room').click(), escape);
  });

  it('looks back at what happened', async () => {
    await scene('history', async (page) => {
      await at(page, 'history-open').click();
      await page.getByText('Good evening.').last().waitFor();
    });
    await scene('history-past', async (page) => {
      await at(page, 'history-chat').click();
      await expect.poll(() => at(page, 'history-entry').count()).toBe(2);
      await at(page, 'history-entry').last().click();
      await at(page, 'past-room').getByText('Is the pad').last().waitFor();
    }, (page) => at(page, 'history-now').click());
    await inOne(async (page) => {
      await at(page, 'history-export').click();
      await at(page, 'export-page').click();
      const said = (await page.getByTestId('notice').and(page.locator('[data-code=saved]')).textContent()) ?? '';
      const path = said.replace(/^\s*Saved as /u, '').trim();
      expect(await readFile(path, 'utf8')).toContain('Good evening.');
      await page.getByTestId('notice').and(page.locator('[data-code=saved]')).getByLabel('Dismiss').click();
    });
    await inAll((page) => at(page, 'history-close').click());
  });

  it('shows the library beside the room', () => scene('library-in-room', (page) => at(page, 'nav-library').click(), (page) => at(page, 'nav-room').click()));
});

describe('at the end', () => {
  it('has asked nobody but the page’s own server and the node for anything', () => {
    const hosts = [...windows.asked].filter((address) => !address.startsWith('data:')).map((address) => new URL(address).host);
    expect([...new Set(hosts)].sort()).toEqual([new URL(site.origin).host, new URL(node.url).host].sort());
    expect(windows.problems).toEqual([]);
  });

  it('says that the node is gone', async () => {
    await node.program.end();
    await scene('node-gone', async (page) => {
      await at(page, 'connection-banner').waitFor();
      await page.keyboard.press('Escape');
      await at(page, 'mute').click();
      await at(page, 'notice').waitFor();
    });
  });
});
