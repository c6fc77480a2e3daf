import { BlobServiceClient } from '@azure/storage-blob';

/** Names and bytes of all blobs of a container, read past our own storage code. */
export async function readBlobs(
  connectionString: string,
  container: string,
  prefix = '',
): Promise<Map<string, Buffer>> {
  const client = BlobServiceClient.fromConnectionString(connectionString).getContainerClient(container);
  const blobs = new Map<string, Buffer>();
  for await (const { name } of client.listBlobsFlat({ prefix })) {
    blobs.set(name, await client.getBlobClient(name).downloadToBuffer());
  }
  return blobs;
}

export async function countBlobs(
  connectionString: string,
  container: string,
  prefix: string,
  suffix: RegExp,
): Promise<number> {
  const client = BlobServiceClient.fromConnectionString(connectionString).getContainerClient(container);
  let count = 0;
  for await (const { name } of client.listBlobsFlat({ prefix })) if (suffix.test(name)) count += 1;
  return count;
}

export async function putBlob(connectionString: string, container: string, name: string, bytes: Buffer): Promise<void> {
  const client = BlobServiceClient.fromConnectionString(connectionString).getContainerClient(container);
  await client.getBlockBlobClient(name).uploadData(bytes);
}
