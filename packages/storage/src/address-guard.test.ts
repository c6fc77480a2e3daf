import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isPublicAddress } from './address-guard.ts';

const privateAddresses = [
  '0.0.0.0 10.0.0.1 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.254 169.254.169.254 169.254.1.1 172.16.0.1',
  '172.31.255.255 192.0.0.8 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 240.0.0.1',
  '255.255.255.255 168.63.129.16',
  ':: ::1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::127.0.0.1 64:ff9b::a9fe:a9fe 64:ff9b:1::1 100::1 2001::1 2001:db8::1',
  '2001:20::1 2002:7f00:1:: 3fff::1 4000::1 5f00::1 fc00::1 fd00:ec2::254 fd00:c1::a9fe:a9fe fe80::1 fe80::1%eth0',
  'fec0::1 ff02::1 2606:4700::1%lo 0000:0000:0000:0000:0000:0000:0000:0001',
].flatMap((line) => line.split(' '));

test('private, reserved, embedded and metadata addresses are not public', () => {
  for (const address of privateAddresses) assert.equal(isPublicAddress(address), false, address);
});

test('what is not the canonical text of an address is not public', () => {
  for (const text of [
    '',
    '8.8.8',
    '8.8.2056',
    '0x8.8.8.8',
    '010.8.8.8',
    '134744072',
    'example.org',
    '[2606:4700::1]',
  ]) {
    assert.equal(isPublicAddress(text), false, text);
  }
});

test('public addresses, also the neighbours of private ranges, are public', () => {
  const neighbours =
    '8.8.8.8 172.15.255.255 172.32.0.1 100.63.255.255 100.128.0.1 168.63.129.17 169.253.0.1 192.167.1.1';
  for (const address of [...neighbours.split(' '), '2606:4700::1', '2a00:1450:4001:81b::200e']) {
    assert.equal(isPublicAddress(address), true, address);
  }
});
