import { CaptionfleetError } from '@captionfleet/protocol/errors';
import type { BlobPlace } from '@captionfleet/protocol/scoring-job';

/** What a datastore of the workspace was: a container of the fleet's account, or a folder in one. */
export interface Datastore extends BlobPlace {
  readonly datastore: string;
}

export interface BatchPlaces {
  /** The fleet's own storage account, as clients write it. */
  readonly account: { readonly name: string; readonly url: string };
  readonly datastores: readonly Datastore[];
  /** Containers that inputs may be in. */
  readonly inputContainers: readonly string[];
  /** Containers that callers may have predictions written to. */
  readonly outputContainers: readonly string[];
}

type Use = 'input' | 'output';

/**
 * The container and name that a URI of a batch client stands for. Nothing is fetched from a URI: it names a blob of the
 * fleet's account, or it is refused.
 *
 * @throws REQUEST_INVALID for a URI that is none of these; URL_REFUSED for one that may not be used so
 */
export function readBlobUri(uri: string, use: Use, places: BatchPlaces): BlobPlace {
  const place = datastorePlace(uri, places) ?? hadoopPlace(uri, places) ?? accountPlace(uri, places);
  if (place === undefined) {
    const forms = `${places.account.url}/CONTAINER/PATH or azureml://datastores/NAME/paths/PATH`;
    throw new CaptionfleetError('REQUEST_INVALID', `${use}: the URI must be like ${forms}`);
  }
  const allowed = use === 'input' ? places.inputContainers : places.outputContainers;
  if (allowed.includes(place.container)) return place;
  const what = use === 'input' ? 'read from' : 'written to';
  throw new CaptionfleetError('URL_REFUSED', `${use}: container "${place.container}" is not one that may be ${what}`);
}

/** `azureml://datastores/NAME/paths/PATH`, also with the workspace before it, and the ARM id of a datastore with a path. */
function datastorePlace(uri: string, { datastores }: BatchPlaces): BlobPlace | undefined {
  const [, name, path = ''] =
    /^(?:azureml:\/|(?:azureml:)?(?=\/subscriptions\/))(?:\/[^?#]*?)?\/datastores\/([^/]+)(?:\/paths\/(.*))?$/i.exec(
      uri,
    ) ?? [];
  if (name === undefined) return undefined;
  const store = datastores.find(({ datastore }) => datastore === name);
  if (store === undefined)
    throw new CaptionfleetError('URL_REFUSED', `datastore "${name}" is not one of this endpoint`);
  return { container: store.container, name: joined(store.name, path) };
}

/** `wasbs://CONTAINER@ACCOUNT.blob.core.windows.net/PATH`, and `abfss://`. */
function hadoopPlace(uri: string, { account }: BatchPlaces): BlobPlace | undefined {
  const [, container, host = '', path = ''] = /^(?:wasbs?|abfss?):\/\/([^@/]+)@([^/?#]+)\/?([^?#]*)$/i.exec(uri) ?? [];
  if (container === undefined) return undefined;
  assertAccount(host, account.name);
  return { container, name: unescaped(path) };
}

function accountPlace(uri: string, { account }: BatchPlaces): BlobPlace | undefined {
  const url = URL.parse(uri);
  if (url === null || !/^https?:$/.test(url.protocol)) return undefined;
  if (url.search !== '' || url.username !== '' || url.hash !== '') {
    const message = 'a URI must have no signature, query or fragment: the fleet has rights of its own';
    throw new CaptionfleetError('REQUEST_INVALID', message);
  }
  const own = `${account.url}/`;
  const isOwn = url.href.startsWith(own);
  if (!isOwn) assertAccount(url.host, account.name);
  const [container = '', ...path] = (isOwn ? url.href.slice(own.length) : url.pathname.slice(1)).split('/');
  return { container, name: unescaped(path.join('/')) };
}

function assertAccount(host: string, name: string): void {
  const [own = '', service = '', ...cloud] = host.toLowerCase().split('.');
  if (own === name && ['blob', 'dfs'].includes(service) && cloud[0] === 'core') return;
  throw new CaptionfleetError('URL_REFUSED', `"${host}" is not the storage account of this endpoint, ${name}`);
}

const joined = (folder: string, path: string): string =>
  [folder.replace(/\/+$/, ''), path.replace(/^\/+/, '')].filter((part) => part !== '').join('/');

function unescaped(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw new CaptionfleetError('REQUEST_INVALID', 'the path of a URI has a % that is no escape');
  }
}

/** Where the names of a folder's blobs begin. */
export const folderPrefix = (name: string): string => (name === '' ? '' : `${name.replace(/\/+$/, '')}/`);
