import type { Output } from '@pulumi/pulumi';
import type { FleetConfig } from './config.ts';

/** Where resources go, and how they are marked. */
export interface Place {
  readonly fleet: FleetConfig;
  readonly resourceGroupName: Output<string>;
  readonly location: string;
  readonly tags: Record<string, string>;
}

export const tagsOf = (fleet: FleetConfig): Record<string, string> => ({
  ...fleet.tags,
  application: 'captionfleet',
  fleet: fleet.name,
  'managed-by': 'pulumi',
});
