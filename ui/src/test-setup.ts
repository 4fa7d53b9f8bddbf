import { cleanup, configure } from '@testing-library/svelte';
import { afterEach } from 'vitest';

configure({ asyncUtilTimeout: 15_000 });
afterEach(cleanup);

// As long as vitest's own waits: a machine that builds at the same time takes long for what does come.
configure({ asyncUtilTimeout: 10_000 });
