import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertPinned, checkMachine, measureMachine, objectionsTo } from './machine-check.ts';
import { hourlyPrice, machineFrom } from './machine-config.ts';

const blip = 'Salesforce/blip-image-captioning-base';
const minimum = { vcpus: 2, gpus: 0, memoryGiB: 7, diskGiB: 14 };
const roomy = { vcpus: 4, gpus: 0, memoryGiB: 15.6, diskGiB: 120 };

test('a worker pinned to sizes runs on these, however they are written, and on no other', () => {
  const allowedSizes = ['Standard_D4as_v6', 'Standard_D8as_v6'];
  assertPinned({ size: 'standard_d8as_v6', allowedSizes }, 'cpu');
  assert.throws(() => assertPinned({ size: 'Standard_D2as_v6', allowedSizes }, 'cpu'), {
    code: 'MACHINE_NOT_ALLOWED',
    message: /is a Standard_D2as_v6; .* run on Standard_D4as_v6, Standard_D8as_v6/,
  });
  assert.throws(() => assertPinned({ size: undefined, allowedSizes }, 'cpu'), {
    code: 'MACHINE_NOT_ALLOWED',
    message: /CAPTIONFLEET_MACHINE_SIZE/,
  });
});

test('a worker of the gpu pool ends on a size without GPUs', () => {
  assertPinned({ size: 'Standard_NC4as_T4_v3', allowedSizes: [] }, 'gpu');
  assertPinned({ size: 'Standard_D4as_v6', allowedSizes: [] }, 'cpu');
  assert.throws(() => assertPinned({ size: 'Standard_D4as_v6', allowedSizes: [] }, 'gpu'), {
    code: 'MACHINE_NOT_ALLOWED',
    message: /has no GPU/,
  });
});

test('the card is held against what was measured, and the list against the size', () => {
  const config = { size: 'Standard_D4as_v4', allowedSizes: [] };
  assert.deepEqual(objectionsTo(roomy, config, { id: blip, minimum }), []);
  assert.deepEqual(objectionsTo({ ...roomy, vcpus: 1, memoryGiB: 4 }, config, { id: blip, minimum }), [
    `the card of ${blip} asks for more than this machine has: 1 vCPUs of 2, 4 GiB of memory of 7`,
  ]);
  const newer = { size: 'Standard_D4as_v6', allowedSizes: [] };
  assert.match(objectionsTo(roomy, newer, { id: blip, minimum }).join(), /^Standard_D4as_v6 is not on the list/);
  // The operator's own list stands in for the publisher's; a model without a card asks nothing.
  assert.deepEqual(objectionsTo(roomy, { ...newer, allowedSizes: ['Standard_D4as_v6'] }, { id: blip, minimum }), []);
  assert.deepEqual(objectionsTo({ ...roomy, vcpus: 1 }, newer, { id: 'captionfleet/demo' }), []);
});

test('this machine is measured, and refused only when that is to be enforced', () => {
  const machine = measureMachine('/nowhere/yet');
  assert.ok(machine.vcpus >= 1 && machine.memoryGiB > 0.1 && machine.diskGiB > 0.1);
  const huge = { id: blip, minimum: { vcpus: 100_000, gpus: 0, memoryGiB: 1e6, diskGiB: 1e9 } };
  const config = { size: undefined, allowedSizes: [] };
  assert.equal(checkMachine({ ...config, check: 'off' }, huge, '/'), undefined);
  assert.match(checkMachine({ ...config, check: 'warn' }, huge, '/') ?? '', /vCPUs of 100000, .* of disk of/);
  assert.throws(() => checkMachine({ ...config, check: 'enforce' }, huge, '/'), { code: 'MACHINE_UNSUITABLE' });
});

test("what the operator says of a machine goes before what Azure's metadata service says", () => {
  const instance = {
    name: 'worker-1',
    vmId: '1',
    vmSize: 'standard_d4as_v6',
    location: 'westeurope',
    zone: '2',
    resourceId: '/1',
    priority: 'Spot' as const,
  };
  const said = {
    size: undefined,
    zone: undefined,
    priority: undefined,
    usdPerHour: undefined,
    check: 'warn' as const,
    allowedSizes: [],
  };
  assert.deepEqual(machineFrom(said, instance), { ...said, size: 'Standard_D4as_v6', zone: '2', priority: 'spot' });
  const own = { ...said, size: 'Standard_D8as_v6', zone: '1', priority: 'regular' as const };
  assert.deepEqual(machineFrom(own, instance), own);
  assert.deepEqual(machineFrom(said, undefined), said);
});

test("a price is the operator's, or an estimate that the operator accepts, or unknown", () => {
  const size = 'Standard_D4as_v4';
  assert.equal(hourlyPrice({ size, priority: 'regular', usdPerHour: 0.2 }), 0.2);
  assert.equal(hourlyPrice({ size, priority: 'regular', usdPerHour: undefined }), undefined);
  assert.equal(hourlyPrice({ size, priority: 'regular', usdPerHour: 'catalogue' }), 0.192);
  assert.equal(hourlyPrice({ size, priority: 'spot', usdPerHour: 'catalogue' }), undefined);
  assert.equal(hourlyPrice({ size: undefined, priority: 'regular', usdPerHour: 'catalogue' }), undefined);
});
