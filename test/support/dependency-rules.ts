// `npm run deps`: who may import whom. ARCHITECTURE.md draws these rules.
import { createRequire } from 'node:module';
import { cruise, type ICruiseResult, type IFlattenedRuleSet } from 'dependency-cruiser';

const middle = '^packages/(queue|blip|storage|telemetry|scaling)/';
const vendorOwners: Record<string, string> = {
  '(bullmq|ioredis|rate-limiter-flexible)': 'packages/queue',
  '(onnxruntime-node|onnxruntime-common|sharp|@huggingface/tokenizers)': 'packages/blip',
  '@azure': 'packages/storage',
  '(prom-client|pino|@opentelemetry)': 'packages/telemetry',
};

const ruleSet: IFlattenedRuleSet = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'apps-do-not-import-apps',
      severity: 'error',
      from: { path: '^apps/([^/]+)/' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    {
      name: 'middle-packages-do-not-import-each-other',
      severity: 'error',
      from: { path: middle },
      to: { path: middle, pathNot: '^packages/$1/' },
    },
    {
      name: 'packages-do-not-import-apps-or-tests',
      severity: 'error',
      from: { path: '^packages/', pathNot: '[.]test[.]ts$' },
      to: { path: '^(apps|test)/' },
    },
    {
      name: 'protocol-imports-none-of-ours',
      severity: 'error',
      from: { path: '^packages/protocol/' },
      to: { path: '^(apps|packages)/', pathNot: '^packages/protocol/' },
    },
    {
      name: 'client-imports-none-of-ours-and-nothing-of-node',
      severity: 'error',
      from: { path: '^packages/client/src/', pathNot: '[.]test[.]ts$' },
      to: { path: '^(apps|packages|scripts)/|^(node:)?[a-z_/]+$', pathNot: '^packages/client/src/' },
    },
    {
      name: 'packages-are-entered-through-their-exports',
      severity: 'error',
      from: { path: '^(apps|packages)/([^/]+)/', pathNot: '[.]test[.]ts$' },
      // A relative path into another member goes round its exports map.
      to: { path: '^(apps|packages)/', pathNot: '^$1/$2/', dependencyTypes: ['local'] },
    },
    ...Object.entries(vendorOwners).map(([vendor, owner]) => ({
      name: `only-${owner.replace('/', '-')}-imports-${vendor}`,
      severity: 'error' as const,
      from: { path: '^(apps|packages)/', pathNot: [`^${owner}/`, '[.]test[.]ts$'] },
      to: { path: `node_modules/${vendor}(/|$)` },
    })),
  ],
};

teachVisitorUsing();
const { output } = await cruise(['apps', 'packages', 'test', 'scripts'], {
  ruleSet,
  validate: true,
  parser: 'swc',
  doNotFollow: { path: 'node_modules' },
  tsPreCompilationDeps: true,
  enhancedResolveOptions: {
    exportsFields: ['exports'],
    conditionNames: ['import', 'node', 'default'],
    extensions: ['.ts', '.mjs', '.js'],
  },
});
const { summary } = output as ICruiseResult;
// Without a parser for TypeScript the cruise sees no module, finds no violation and is content; we are not.
if (summary.totalCruised < 20) {
  process.stderr.write(`dependency rules: only ${summary.totalCruised} modules were seen; the parser is broken\n`);
  process.exit(1);
}
for (const { rule, from, to } of summary.violations) process.stderr.write(`${rule.name}: ${from} -> ${to}\n`);
process.stdout.write(`dependency rules: ${summary.totalCruised} modules, ${summary.violations.length} violations\n`);
process.exitCode = summary.violations.length === 0 ? 0 : 1;

/** The visitor of @swc/core, through which the cruiser walks a file, gives up at `using` declarations. */
function teachVisitorUsing(): void {
  interface Statement {
    readonly type: string;
    decls: unknown;
  }
  interface VisitorPrototype {
    visitStatement(statement: Statement): Statement;
    visitVariableDeclarators(declarators: unknown): unknown;
  }
  const { Visitor } = createRequire(import.meta.url)('@swc/core/Visitor.js') as {
    Visitor: { prototype: VisitorPrototype };
  };
  const { prototype } = Visitor;
  const original = prototype.visitStatement;
  prototype.visitStatement = function (statement) {
    if (statement.type !== 'UsingDeclaration') return original.call(this, statement);
    statement.decls = this.visitVariableDeclarators(statement.decls);
    return statement;
  };
}
