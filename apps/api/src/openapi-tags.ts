/** The groups of operations in the OpenAPI document, by the paths that belong to them; the first that fits counts. */
const tagTable = [
  { name: 'Captions', path: '/v1/captions', description: 'What is in an image, in words.' },
  { name: 'Matching', path: '/v1/match', description: 'How well texts go with an image.' },
  { name: 'Embeddings', path: '/v1/embed', description: 'Images and texts as vectors of one space.' },
  { name: 'Answers', path: '/v1/answer', description: 'Questions about an image.' },
  { name: 'Bulk', path: '/v1/bulk/', description: 'A great many images under one id.' },
  { name: 'Files', path: '/v1/files', description: 'Work and results of batches, in the form of OpenAI.' },
  {
    name: 'Batches',
    path: '/v1/batches',
    description: 'Files that are worked through in a day, in the form of OpenAI.',
  },
  { name: 'Webhooks', path: '/v1/webhooks', description: 'Being told of the ends of requests.' },
  { name: 'Models', path: '/v1/models', description: 'What the workers that are alive serve.' },
  { name: 'Azure AI Vision', path: '/computervision/', description: 'Captions in the form of Image Analysis 4.0.' },
  { name: 'Fleet', path: '/', description: 'What operators and probes ask.' },
] as const;

/** The group of a path. */
export const tagOf = (path: string): string => tagTable.find((tag) => path.startsWith(tag.path))?.name ?? 'Fleet';

/** The groups of these paths, as the document lists them. */
export const tagsOf = (paths: readonly string[]): { name: string; description: string }[] => {
  const used = new Set(paths.map(tagOf));
  return tagTable.filter(({ name }) => used.has(name)).map(({ name, description }) => ({ name, description }));
};
