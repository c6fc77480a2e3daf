import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findMachineSize, isOnAllowList, isSameSize, machineCatalogue, machineSizes } from './machine-sizes.ts';
import { capacityOf, describeShortfalls, shortfallsOf } from './minimum-machine.ts';

const blip = 'Salesforce/blip-image-captioning-base';
const card = { vcpus: 2, gpus: 0, memoryGiB: 7, diskGiB: 14 };

test('the catalogue has every size of the allow-list, each once', () => {
  const [list] = machineCatalogue.allowLists;
  assert.equal(list?.sizes.length, 52);
  assert.deepEqual(
    list.sizes.filter((name) => findMachineSize(name)?.name !== name),
    [],
  );
  assert.equal(new Set(machineSizes.map(({ name }) => name.toLowerCase())).size, machineSizes.length);
});

test('a size is found as Azure, a label in lower case or a person writes it', () => {
  for (const name of ['Standard_D4as_v5', 'standard_d4as_v5', 'D4as_v5', ' STANDARD_D4AS_V5 ']) {
    assert.equal(findMachineSize(name)?.name, 'Standard_D4as_v5');
  }
  assert.equal(findMachineSize('Standard_D4as_v50'), undefined);
  assert.ok(isSameSize('d4as_v50', 'Standard_D4as_v50'));
});

test('the allow-list knows its sizes in any case, and does not name newer ones or models without a list', () => {
  assert.equal(isOnAllowList(blip, 'standard_ds2_v2'), true);
  assert.equal(isOnAllowList(blip, 'Standard_D4as_v6'), false);
  // In the family, and not in the list.
  assert.equal(isOnAllowList(blip, 'Standard_NC24rs_v3'), false);
  assert.equal(isOnAllowList('captionfleet/demo', 'Standard_DS2_v2'), undefined);
});

test('the life of a size says whether a new subscription can deploy it', () => {
  const stateOf = (name: string) => findMachineSize(name)?.family.lifeCycle.state;
  assert.equal(stateOf('Standard_DS2_v2'), 'end-of-life');
  assert.equal(stateOf('Standard_F4s_v2'), 'end-of-life');
  assert.equal(stateOf('Standard_E2s_v3'), 'end-of-life');
  assert.equal(stateOf('Standard_NC6s_v3'), 'retired');
  assert.equal(stateOf('Standard_D4as_v6'), 'current');
  assert.equal(stateOf('Standard_NC4as_T4_v3'), 'current');
  for (const { lifeCycle, name } of machineCatalogue.families) {
    assert.equal(lifeCycle.retiresOn !== undefined, lifeCycle.state !== 'current', name);
  }
});

test('no price of the catalogue passes for a verified one, and every one has a source that is used', () => {
  const used = new Set(
    machineCatalogue.families.flatMap(({ sizes }) => sizes.flatMap(({ price }) => price?.source ?? [])),
  );
  assert.deepEqual([...used].sort(), Object.keys(machineCatalogue.priceSources).sort());
  assert.deepEqual(
    machineSizes.filter(({ price }) => price?.verified === true),
    [],
  );
});

test("the smallest size of the list meets the card's minimum, what is smaller is told what it lacks", () => {
  const of = (name: string) => shortfallsOf(capacityOf(findMachineSize(name) ?? assert.fail(name)), card);
  assert.deepEqual(of('Standard_DS2_v2'), []);
  assert.equal(describeShortfalls(of('Standard_F1as_v7')), '1 vCPUs of 2, 4 GiB of memory of 7');
  const bigger = shortfallsOf(capacityOf(findMachineSize('Standard_DS2_v2') ?? assert.fail()), {
    vcpus: 4,
    gpus: 1,
    memoryGiB: 8,
    diskGiB: 15,
  });
  assert.equal(describeShortfalls(bigger), '2 vCPUs of 4, 0 GPUs of 1, 7 GiB of memory of 8, 14 GiB of disk of 15');
});

test('the disk of a size without a temp disk is not judged', () => {
  const size = findMachineSize('Standard_D2as_v6') ?? assert.fail();
  assert.equal(capacityOf(size).diskGiB, undefined);
  assert.deepEqual(shortfallsOf(capacityOf(size), { ...card, diskGiB: 10_000 }), []);
});

test('a machine of 7 GiB shows less, and still counts as one', () => {
  const measured = { vcpus: 2, gpus: 0, memoryGiB: 6.77, diskGiB: 13.6 };
  assert.deepEqual(shortfallsOf(measured, card, { measured: true }), []);
  const less = shortfallsOf({ ...measured, memoryGiB: 6 }, card, { measured: true });
  assert.equal(describeShortfalls(less), '6 GiB of memory of 7');
});
