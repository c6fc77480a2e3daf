import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

/** As the service gives it, https://learn.microsoft.com/azure/virtual-machines/linux/scheduled-events */
export interface ScheduledEvent {
  readonly EventId: string;
  readonly EventType: string;
  readonly ResourceType: 'VirtualMachine';
  readonly Resources: readonly string[];
  readonly EventStatus: 'Scheduled' | 'Started';
  /** Empty once the event has started. */
  readonly NotBefore: string;
  readonly Description: string;
  readonly EventSource: 'Platform' | 'User';
  readonly DurationInSeconds: number;
}

export interface FakeMetadata extends AsyncDisposable {
  readonly url: string;
  /** What has been posted, in order, each with the time at which it came. */
  readonly approvals: readonly { readonly eventId: string; readonly at: number }[];
  /** Requests for the document of events so far. */
  readonly polls: number;
  /** Sets the events of the document, whose incarnation it increases. */
  setEvents(events: readonly ScheduledEvent[]): void;
  /** Answers instead of the service; undefined: it answers again. */
  answerWith(listener: RequestListener | undefined): void;
}

/** Of a uniform scale set, as the service described one: fields that do not apply are empty. */
export const spotInstance = {
  azEnvironment: 'AzurePublicCloud',
  location: 'westeurope',
  name: 'workers_7',
  priority: 'Spot',
  resourceGroupName: 'fleet',
  resourceId:
    '/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/fleet/providers/Microsoft.Compute/virtualMachineScaleSets/workers/virtualMachines/7',
  userData: '',
  vmId: '02aab8a4-74ef-476e-8182-f6d2ba4166a6',
  vmScaleSetName: 'workers',
  vmSize: 'Standard_D4as_v5',
  zone: '2',
};

/** An Azure Instance Metadata Service of the test's own, on loopback. It starts an event that is approved or whose time has come. */
export async function startAzureMetadata(instance: object = spotInstance): Promise<FakeMetadata> {
  let incarnation = 1;
  let events: readonly ScheduledEvent[] = [];
  let override: RequestListener | undefined;
  let polls = 0;
  const approvals: { eventId: string; at: number }[] = [];
  const start = (isDue: (event: ScheduledEvent) => boolean): void => {
    if (!events.some((event) => event.EventStatus === 'Scheduled' && isDue(event))) return;
    events = events.map((event) => (isDue(event) ? { ...event, EventStatus: 'Started', NotBefore: '' } : event));
    incarnation += 1;
  };
  const answer = async (request: IncomingMessage): Promise<{ status: number; body?: object }> => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://metadata');
    if (request.headers['metadata'] !== 'true') return { status: 400, body: { error: 'Bad request' } };
    const version = searchParams.get('api-version');
    if (pathname === '/metadata/instance/compute' && version === '2021-02-01') return { status: 200, body: instance };
    if (pathname !== '/metadata/scheduledevents' || version !== '2020-07-01') return { status: 404 };
    start(({ NotBefore }) => Date.parse(NotBefore) <= Date.now());
    if (request.method === 'GET') {
      polls += 1;
      return { status: 200, body: { DocumentIncarnation: incarnation, Events: events } };
    }
    const { StartRequests } = (await json(request)) as { StartRequests: { EventId: string }[] };
    const ids = StartRequests.map(({ EventId }) => EventId);
    if (!ids.every((id) => events.some(({ EventId }) => EventId === id))) return { status: 400 };
    for (const eventId of ids) approvals.push({ eventId, at: Date.now() });
    start(({ EventId }) => ids.includes(EventId));
    return { status: 200 };
  };
  const server = createServer(async (request, response) => {
    if (override !== undefined) return override(request, response);
    const { status, body } = await answer(request);
    response.writeHead(status, { 'content-type': 'application/json' }).end(body && JSON.stringify(body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    approvals,
    get polls() {
      return polls;
    },
    setEvents(next) {
      events = next;
      incarnation += 1;
    },
    answerWith(listener) {
      override = listener;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
