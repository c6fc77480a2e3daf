import { TraceparentSchema } from '@captionfleet/protocol/traceparent';

/**
 * Where a job carries its trace: in the options, as BullMQ's own telemetry writes it there, so that its tools read it too. Not in
 * the payload, which an older worker would refuse for a member that it does not know.
 */
export interface TraceCarrier {
  readonly telemetry?: { readonly metadata?: string; readonly omitContext?: boolean } | undefined;
}

export const carrierOf = (traceparent: string | undefined): { telemetry?: { metadata: string } } =>
  traceparent === undefined ? {} : { telemetry: { metadata: JSON.stringify({ traceparent }) } };

/** What cannot be read is no trace, and no reason to fail a job. */
export function traceparentOf({ telemetry }: TraceCarrier): string | undefined {
  if (telemetry?.metadata === undefined) return undefined;
  try {
    const { traceparent } = JSON.parse(telemetry.metadata);
    return TraceparentSchema.safeParse(traceparent).data;
  } catch {
    return undefined;
  }
}
