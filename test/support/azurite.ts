import { azuriteConnectionString, startLocalAzurite } from '../../apps/cli/src/local-azurite.ts';
import { announce, startContainer } from './containers.ts';

export interface TestAzurite extends AsyncDisposable {
  readonly connectionString: string;
}

const image = 'mcr.microsoft.com/azure-storage/azurite:3.37.0';

/** An empty Blob storage of the test's own: a container of Azurite, or the one from npm. */
export async function startAzurite(): Promise<TestAzurite> {
  const container = await startContainer({
    image,
    port: 10000,
    command: ['azurite-blob', '--blobHost', '0.0.0.0', '--inMemoryPersistence', '--skipApiVersionCheck'],
  });
  if (container === undefined) {
    announce('Blob storage: local azurite');
    return await startLocalAzurite();
  }
  announce(`Blob storage: container ${image}`);
  return {
    connectionString: azuriteConnectionString(`http://${container.getHost()}:${container.getMappedPort(10000)}`),
    async [Symbol.asyncDispose]() {
      await container.stop();
    },
  };
}
