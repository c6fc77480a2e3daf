import assert from 'node:assert/strict';
import { test } from 'node:test';
import { all, runtime } from '@pulumi/pulumi';
import { leastSettings } from './declared-stack.ts';

test('the program that Pulumi imports builds a fleet of the stack’s configuration, and puts out what it has', async () => {
  const types = new Set<string>();
  await runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) => {
        types.add(type);
        return { id: name, state: { ...inputs, name, primaryEndpoints: { blob: 'https://a.blob.core.windows.net/' } } };
      },
      call: () => ({ primaryKey: 'key' }),
    },
    'captionfleet',
    'test',
  );
  runtime.setAllConfig({ 'captionfleet:fleet': JSON.stringify(leastSettings) });
  const outputs = await import('./main.ts');
  assert.equal('default' in outputs, false, 'Pulumi takes a default export or named ones, not both');
  const { TENANT_ID, STORAGE_ACCOUNT_URL } = outputs;
  const known = await new Promise((resolve) => {
    all([TENANT_ID, STORAGE_ACCOUNT_URL]).apply(resolve);
  });
  assert.deepEqual(known, [leastSettings.tenantId, 'https://a.blob.core.windows.net']);
  await runtime.disconnect();
  assert.ok(types.has('azure-native:containerservice:ManagedCluster'));
});
