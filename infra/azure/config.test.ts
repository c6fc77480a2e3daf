import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readFleetConfig } from './config.ts';
import { leastScaleSets, leastSettings } from './declared-stack.ts';

const refused: Record<string, [settings: object, says: RegExp]> = {
  'a size that is retired': [
    { gpuPool: { size: 'Standard_NC6s_v3', max: 1 } },
    /NC6s_v3 is retired[\s\S]*gpuPool.size/,
  ],
  'a retired size, although accepted': [
    { gpuPool: { size: 'Standard_NC6s_v3' }, acceptedSizes: ['Standard_NC6s_v3'] },
    /is retired/,
  ],
  'a size at its end of life': [
    { cpuPool: { size: 'Standard_F8s_v2' } },
    /end of life, which is 2028-11-15.*acceptedSizes/,
  ],
  'a size off the allow-list': [{ cpuPool: { size: 'Standard_D4as_v5' } }, /not on the allow-list of Salesforce/],
  'a size that nobody knows': [{ cpuPool: { size: 'Standard_Z1' } }, /not in the catalogue/],
  'no size at all': [{ cpuPool: { size: 'large' } }, /a size of Azure, such as/],
  'a size below the model’s minimum': [
    { cpuPool: { size: 'Standard_F1as_v7' }, acceptedSizes: ['Standard_F1as_v7'] },
    /has 1 vCPU and 4 GiB; the model needs 2 and 7/,
  ],
  'a size with Arm processors': [{ systemPool: { size: 'Standard_D4pds_v6' } }, /Arm processors/],
  'a GPU pool without GPUs': [{ gpuPool: { size: 'Standard_D4as_v4' } }, /has no GPU/],
  'a CPU pool with GPUs': [{ cpuPool: { size: 'Standard_NC4as_T4_v3' } }, /has a GPU/],
  'bounds the wrong way round': [{ cpuPool: { min: 5, max: 2 } }, /min is above max/],
  everybody: [{ authorizedIpRanges: ['0.0.0.0/0'] }, /everybody/],
  'everybody as operators': [{ operatorRanges: ['0.0.0.0/0'] }, /operatorRanges/],
  'a range that is none': [{ authorizedIpRanges: ['203.0.113.7'] }, /an IPv4 range such as/],
  'scale sets without a release': [{ flavour: 'scale-sets' }, /needs a release/],
  'a network of the pods': [{ addressSpace: '10.244.0.0/16' }, /of pods/],
  'a long name': [{ name: 'captionfleet-production' }, /2 to 12/],
  'a setting that is misspelt': [{ cpuPol: {} }, /cpuPol/],
  'no administrators': [{ adminGroupIds: [] }, /adminGroupIds/],
};

for (const [what, [settings, says]] of Object.entries(refused)) {
  test(`refused: ${what}`, () => assert.throws(() => readFleetConfig({ ...leastSettings, ...settings }), says));
}

test('every wrong setting is named at once', () => {
  assert.throws(
    () => readFleetConfig({ ...leastSettings, name: 'X', location: 'West Europe' }),
    (error: Error) => /→ at name/.test(error.message) && /→ at location/.test(error.message),
  );
});

test('a size is accepted by its name', () => {
  for (const size of ['Standard_D4as_v5', 'Standard_F8s_v2']) {
    const { cpuPool } = readFleetConfig({ ...leastSettings, cpuPool: { size }, acceptedSizes: [size] });
    assert.equal(cpuPool.size, size);
  }
});

test('the least settings are enough', () => {
  assert.equal(readFleetConfig(leastSettings).cpuPool.size, 'Standard_D4as_v4');
  assert.equal(readFleetConfig(leastScaleSets).flavour, 'scale-sets');
});
