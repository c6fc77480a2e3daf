import {
  isOnAllowList,
  type MachineFamily,
  machineCatalogue,
  machineSizes,
} from '@captionfleet/protocol/machine-sizes';
import { markdownTable } from './markdown-table.ts';

const [allowList] = machineCatalogue.allowLists;
const listedModel = allowList?.models[0] ?? '';
const priceSources = Object.entries(machineCatalogue.priceSources);
/** Such as `a`: what a price names its source by. */
const markOf = (source: string): string =>
  String.fromCharCode('a'.charCodeAt(0) + priceSources.findIndex(([key]) => key === source));

const lives: Readonly<Record<MachineFamily['lifeCycle']['state'], (life: MachineFamily['lifeCycle']) => string>> = {
  current: ({ asOf }) => `Current (as of ${asOf})`,
  'end-of-life': ({ restrictedFrom, retiresOn, asOf }) =>
    `**End of life**: new subscriptions cannot deploy it since ${restrictedFrom}; it retires on ${retiresOn} (as of ${asOf})`,
  retired: ({ retiresOn, asOf }) => `**Retired** on ${retiresOn}: nobody can start it (as of ${asOf})`,
};

const amount = (number: number): string => (number === 0 ? '' : number.toLocaleString('en'));

function priceOf({ price }: MachineFamily['sizes'][number]): string {
  if (price === undefined) return '';
  const { usdPerHour, spotUsdPerHour, source } = price;
  const about = machineCatalogue.priceSources[source]?.verified === true ? '' : 'about ';
  const spot = spotUsdPerHour === undefined ? '' : `, spot ${about}${spotUsdPerHour}`;
  return `${about}${usdPerHour}${spot} (${markOf(source)})`;
}

function familySection({ name, processors, isa, lifeCycle, source, note, sizes }: MachineFamily): string {
  const hosts = isa.length > 1 ? `mixed hosts, ${isa.join(' or ')}` : isa[0];
  const rows = sizes.map((size) => [
    `\`${size.name}\``,
    String(size.vcpus),
    amount(size.memoryGiB),
    amount(size.tempDiskGiB),
    size.gpus === undefined ? '' : `${size.gpus.count} × ${size.gpus.model}, ${size.gpus.memoryGiB} GiB`,
    isOnAllowList(listedModel, size.name) === true ? 'yes' : '',
    priceOf(size),
  ]);
  return `### ${name}

${lives[lifeCycle.state](lifeCycle)}. ${processors}: ${hosts}. [Source](${source}).${note === undefined ? '' : ` ${note}`}

${markdownTable(['size', 'vCPUs', 'memory, GiB', 'temp disk, GiB', 'GPUs', 'listed', 'USD an hour'], rows)}`;
}

function countsByLife(): string {
  const listed = machineSizes.filter(({ name }) => isOnAllowList(listedModel, name) === true);
  const of = (state: string) => listed.filter(({ family }) => family.lifeCycle.state === state).length;
  return `${of('current')} are current, ${of('end-of-life')} at their end of life, ${of('retired')} retired`;
}

/** docs/reference/machine-sizes.md. */
export function machineSizesPage(generated: string): string {
  const sources = priceSources.map(
    ([key, { says, asOf, verified }]) =>
      `- (${markOf(key)}) ${says}; ${asOf}. ${verified ? 'Verified.' : '**Not verified**: an estimate.'}`,
  );
  return `# Machine sizes

${generated} The data is \`packages/protocol/src/machine-sizes.json\`.

Azure's machine sizes that BLIP is served on or could be: what they have, whether they can still be had, and what is known of
their price.
[configuration.md](configuration.md#machine) says how a worker is held to them.

*Listed* sizes are on the allow-list of ${(allowList?.models ?? []).map((model) => `\`${model}\``).join(' and ')}
(${allowList?.source}; ${allowList?.asOf}).
It is old: of its ${allowList?.sizes.length} sizes ${countsByLife()}, and none of the v5 to v7 sizes is on it. The models' cards ask for 2 vCPUs, no GPU, 7 GiB of memory and 14 GiB of disk. A
size without a temp disk works on its OS disk, whose size is chosen with the machine.

Instruction sets follow from the processors that Azure names; a host may offer less. On mixed hosts nobody knows before the
start which one a machine gets: \`captionfleet doctor\` reads it there.

Prices that are not verified are estimates to compare by; a worker takes one for its own only when it is told so
(\`CAPTIONFLEET_USD_PER_HOUR=catalogue\`). Look yours up in Azure's price list.

${sources.join('\n')}

${machineCatalogue.families.map(familySection).join('\n\n')}
`;
}
