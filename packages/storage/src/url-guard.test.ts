import assert from 'node:assert/strict';
import { test } from 'node:test';
import { redirectTarget } from './guarded-fetch.ts';
import { parseCallerUrl } from './url-guard.ts';

const none: ReadonlySet<string> = new Set();

const hostileUrls: readonly (readonly [url: string, reason: RegExp])[] = [
  ['http://127.0.0.1/a.jpg', /not a public address/],
  ['http://127.1/a.jpg', /unusual form/],
  ['http://017700000001/a.jpg', /unusual form/],
  ['http://2130706433/a.jpg', /unusual form/],
  ['http://0x7f.1/a.jpg', /unusual form/],
  ['http://0xA9FEA9FE/metadata/instance', /unusual form/],
  ['http://127。0。0。1/a.jpg', /unusual form/],
  ['http://①②⑦.0.0.1/a.jpg', /unusual form/],
  ['http://0/a.jpg', /unusual form/],
  ['http://168.63.129.16/machine?comp=goalstate', /not a public address/],
  ['http://169.254.169.254/metadata/instance', /not a public address/],
  ['http://[fd00:c1::a9fe:a9fe]/opc/v2/', /not a public address/],
  ['http://172.16.0.1/a.jpg', /not a public address/],
  ['http://224.0.0.1/a.jpg', /not a public address/],
  ['http://192.88.99.1/a.jpg', /not a public address/],
  ['http://[::ffff:7f00:1]/a.jpg', /not a public address/],
  ['http://[::ffff:127.0.0.1]/a.jpg', /not a public address/],
  ['http://[64:ff9b::169.254.169.254]/', /not a public address/],
  ['http://[fc00::1]/a.jpg', /not a public address/],
  ['http://[ff02::1]/a.jpg', /not a public address/],
  ['http://[0000:0000:0000:0000:0000:0000:0000:0001]/a.jpg', /not a public address/],
  ['http://[fe80::1%25eth0]/a.jpg', /not an http or https URL/],
  ['http://localhost/a.jpg', /not a full domain name/],
  ['http://LOCALHOST/a.jpg', /not a full domain name/],
  ['http://%6c%6f%63alhost/a.jpg', /not a full domain name/],
  ['http://redis/a.jpg', /not a full domain name/],
  ['http://a.localhost/a.jpg', /private name/],
  ['http://api.prod.svc.cluster.local/', /private name/],
  ['http://metadata.google.internal/', /private name/],
  ['http://1.0.0.127.in-addr.arpa/', /private name/],
  ['https://acct.privatelink.blob.core.windows.net/c/a.jpg', /private name/],
  ['http://images.example.org./a.jpg', /malformed host name/],
  ['http://_dmarc.example.org/', /malformed host name/],
  ['http://-a.example.org/', /malformed host name/],
  ['http://images.example.org:25/', /port 25/],
  ['http://images.example.org:8080/', /port 8080/],
  ['https://images.example.org:80/', /port 80/],
  ['http://images.example.org\\@127.0.0.1/a.jpg', /backslash/],
  ['http://images.example.org/%0d%0aHost:x\r\nX: y', /control character/],
  [' http://images.example.org/a.jpg', /space/],
  ['ht\ntp://127.0.0.1/', /control character/],
  ['http:///127.0.0.1/a.jpg', /not an http or https URL/],
  ['http:127.0.0.1/a.jpg', /not an http or https URL/],
  ['//127.0.0.1/a.jpg', /not an http or https URL/],
  ['file://127.0.0.1/etc/passwd', /not an http or https URL/],
  ['file:///etc/passwd', /not an http or https URL/],
  ['data:image/png;base64,AAAA', /not an http or https URL/],
  ['jar:http://127.0.0.1!/a', /not an http or https URL/],
  ['ftp://images.example.org/a.jpg', /not an http or https URL/],
  ['about:blank', /not an http or https URL/],
  ['', /not an http or https URL/],
  ['http://user@images.example.org/', /user name/],
  ['http://user:password@127.0.0.1/', /user name/],
  ['http://@127.0.0.1/', /user name/],
  [`http://images.example.org/${'a'.repeat(2048)}`, /longer than 2048/],
];

test('a hostile URL is refused by its text, and the message says why', () => {
  for (const [url, message] of hostileUrls) {
    assert.throws(() => parseCallerUrl(url, none), { code: 'URL_REFUSED', message }, url);
  }
});

test('a hostile URL is refused as the target of a redirect too', () => {
  const from = new URL('http://images.example.org/a.jpg');
  for (const [url] of hostileUrls) {
    // Without a scheme and host it is relative, and stays on the host that was checked.
    if (!/^[a-z]+:|^\/\//.test(url) || url.startsWith('http:127')) continue;
    assert.throws(() => redirectTarget(from, url, none), { code: 'URL_REFUSED' }, url);
  }
  assert.throws(() => redirectTarget(from, '//127.0.0.1/a.jpg', none), { code: 'URL_REFUSED' });
  assert.throws(() => redirectTarget(from, undefined, none), { code: 'URL_REFUSED' });
  assert.throws(() => redirectTarget(from, ['http://a.example.org', 'http://b.example.org'], none), /single Location/);
});

test('a redirect may be relative and may go from http to https, but not back', () => {
  const secure = new URL('https://images.example.org/folder/a.jpg');
  assert.equal(redirectTarget(secure, '../b.jpg', none).href, 'https://images.example.org/b.jpg');
  assert.equal(redirectTarget(secure, '//cdn.example.org/b.jpg', none).href, 'https://cdn.example.org/b.jpg');
  assert.throws(() => redirectTarget(secure, 'http://images.example.org/b.jpg', none), /from https to http/);
  const plain = new URL('http://images.example.org/a.jpg');
  assert.equal(redirectTarget(plain, 'https://images.example.org/', none).protocol, 'https:');
});

test('ordinary public URLs pass', () => {
  const good = [
    'http://images.example.org/a.jpg',
    'HTTPS://Images.Example.org:443/a.jpg?width=1#top',
    'http://images.example.org:80/a%20b.jpg',
    'https://bücher.example.org/käse.png',
    'https://images.example.org/@user/a.jpg',
    'https://localhost.example.org/a.jpg',
    'http://8.8.8.8/a.jpg',
    'http://8.8.8.8:80/a.jpg',
    'http://172.32.0.1/a.jpg',
    'http://168.63.129.17/a.jpg',
    'https://[2606:4700::1]/a.jpg',
    'https://account.blob.core.windows.net/container/a.jpg?sig=abc',
  ];
  for (const url of good) assert.equal(parseCallerUrl(url, none).href, new URL(url).href, url);
});

test('an exempt host and port may be private, with that port alone', () => {
  const exempt = new Set(['localhost:8080', '[::1]:80', '10.0.0.1:443']);
  for (const url of ['http://localhost:8080/a', 'http://[::1]/a', 'https://10.0.0.1/a']) {
    assert.equal(parseCallerUrl(url, exempt).href, url);
  }
  for (const url of ['http://localhost/a', 'http://localhost:8081/a', 'https://[::1]/a', 'ftp://localhost:8080/a']) {
    assert.throws(() => parseCallerUrl(url, exempt), { code: 'URL_REFUSED' }, url);
  }
});

test('a refusal does not repeat the path and query, which may hold a signature', () => {
  for (const url of ['http://127.0.0.1/secret?sig=secret', 'http://secret@a.example.org/', 'secret']) {
    assert.throws(
      () => parseCallerUrl(url, none),
      (error) => error instanceof Error && !error.message.includes('secret') && error.cause === undefined,
    );
  }
});
