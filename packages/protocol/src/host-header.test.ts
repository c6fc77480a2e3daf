import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAllowedHost } from './host-header.ts';

test('addresses, localhost and the names that are allowed pass', () => {
  for (const host of [
    '127.0.0.1',
    '127.0.0.1:9401',
    '10.1.2.3:80',
    '[::1]:9401',
    '[fd00::1]',
    'localhost',
    'LocalHost:1',
  ]) {
    assert.ok(isAllowedHost(host), host);
  }
  assert.ok(isAllowedHost('API:9401', ['api']));
});

test('any other name is refused, also one that looks like an address or ends like an allowed one', () => {
  const names = [
    'attacker.example.org',
    'attacker.example.org:9401',
    'localhost.example.org',
    '127.0.0.1.example.org',
    '127.1',
    '2130706433',
    '1.2.3.4.5',
    'xapi',
    'api.',
    'api:99999999',
    'a@127.0.0.1',
    '127.0.0.1/',
    '[localhost]',
    '[127.0.0.1]',
    '',
    undefined,
  ];
  for (const host of names) assert.ok(!isAllowedHost(host, ['api']), host);
});
