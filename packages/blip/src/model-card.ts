import type { ModelCard } from './model-directory.ts';

/** What is known of published models, by id. A checkpoint of anyone else's has no card of ours. */
export const modelCards: Readonly<Record<string, ModelCard>> = {
  'Salesforce/blip-image-captioning-base': {
    // inference-min-sku-spec 2|0|7|14 of the model in Azure Machine Learning's registry.
    minimumMachine: { vcpus: 2, gpus: 0, memoryGiB: 7, diskGiB: 14 },
    notice: 'Safety and fairness must be assessed for the intended use before deployment.',
  },
};
