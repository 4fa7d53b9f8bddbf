import { expect, it } from 'vitest';
import { whatToTry } from './joining';

it('has something to try for every way in which a host cannot be reached or says no', () => {
  for (const code of ['unreachable', 'invite_expired', 'protocol_version', 'host_newer', 'host_older', 'link_version', 'invite_revoked', 'invite_used_up', 'wrong_certificate', 'bad_link', 'room_full', 'no_such_room']) {
    expect(whatToTry(code).length, code).toBeGreaterThan(0);
  }
  expect(whatToTry('disk_full')).toEqual([]);
  expect(whatToTry('constructor')).toEqual([]);
});
