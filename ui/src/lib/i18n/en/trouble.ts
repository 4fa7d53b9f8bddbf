/** What to try when a room cannot be joined, by the reason's code. */
const tries: Record<string, string[]> = {
  unreachable: [
    'Ask whether the host’s app is open and the room with it.',
    'Be on the same network, or have the host’s router pass the port on.',
    'If both are so, a firewall on the host’s machine may be in between: the app must be let through it.',
    'Try the host’s address and port below, as their room settings show it.',
  ],
  connection_lost: ['The host answered and then broke off. Try again in a moment.', 'If it stays so, ask whether their network is steady.'],
  wrong_certificate: ['Ask the host for a new link: their address may have changed, or they installed SynxSphere anew.', 'If nothing changed there, do not join over this network: somebody may be in between.'],
  invite_expired: ['Ask the host for a new link: each is good for a limited time.'],
  invite_forged: ['Ask the host for a new link, and copy it whole.'],
  invite_missing: ['This room is not public: ask the host for an invite link.'],
  invite_other_room: ['This link belongs to another room of the same host. Ask for the right one.'],
  invite_used_up: ['Ask the host for a new link, or for one that lets in more people.'],
  knock_refused: ['Ask the host in person: they may have taken you for somebody else.'],
  knock_unanswered: ['The host may be away from their machine: tell them that you are waiting, and try again.'],
  invite_revoked: ['Ask the host for a new link.'],
  bad_link: ['Copy the whole link again: it begins with synxsphere://join and has no spaces.'],
  bad_address: ['Write the address as host:port, such as 192.168.1.20:7420.'],
  link_version: ['One of you has an older SynxSphere: update it on both machines.', 'Then ask the host for a new link.'],
  protocol_version: ['One of you has an older SynxSphere: update it on both machines.'],
  host_newer: ['Update SynxSphere on this machine.'],
  host_older: ['Ask the host to update SynxSphere on theirs.'],
  protocol: ['One of you has an older SynxSphere: update it on both machines.'],
  room_full: ['Ask the host to let more people in, in the room’s settings.'],
  removed: ['Only the host can let you in again.'],
  name_taken: ['Somebody there has a name like yours: choose another in your settings.'],
  no_such_room: ['The room is not open now. Ask the host to open it again.'],
  too_many_connections: ['The host has no seat free at this moment. Try again shortly.'],
};

/** Failures by their codes. What is not named here is said as the node says it, which is English. */
const failures: Record<string, (subject: string) => string> = {
  // Which address refused how is for whoever copies the details.
  unreachable: () => 'The room cannot be reached: is it open at its host, and are you on the same network?',
  // What to do about these stands beside them.
  wrong_certificate: () => 'Somebody other than the room’s host answers at its address: you did not join.',
  link_version: () => 'This link is from another version of SynxSphere.',
  host_newer: () => 'The host has a newer SynxSphere: the two do not understand each other.',
  host_older: () => 'The host has an older SynxSphere: the two do not understand each other.',
  protocol: () => 'The host has another version of SynxSphere: the two do not understand each other.',
  protocol_version: () => 'The host has another version of SynxSphere: the two do not understand each other.',
  invite_expired: () => 'This invite has expired.',
  invite_revoked: () => 'The host withdrew this invite.',
  invite_used_up: () => 'By this invite as many have come in as the host wanted.',
};

export const trouble = { tries, failures };
