import type { ModelCard } from './model-directory.ts';

/** Both models have inference-min-sku-spec 2|0|7|14, and the same words, in Azure Machine Learning's registry. */
const registryCard: ModelCard = {
  minimumMachine: { vcpus: 2, gpus: 0, memoryGiB: 7, diskGiB: 14 },
  notice: 'Safety and fairness must be assessed for the intended use before deployment.',
};

/** What is known of published models, by id. A checkpoint of anyone else's has no card of ours. */
export const modelCards: Readonly<Record<string, ModelCard>> = {
  'Salesforce/blip-image-captioning-base': registryCard,
  'Salesforce/blip-vqa-base': registryCard,
};
