// Written by `npm run client-types` from the OpenAPI document; a test holds it against the document.

export interface paths {
    "/v1/answer": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The requests for answers, newest first
         * @description Each request of a page costs the fleet one read and one listing; a filter by status costs as much for each request that it passes over.
         */
        get: operations["listAnswers"];
        put?: never;
        /**
         * Answer questions about images
         * @description Accepts 1 to 64 images. An image that is refused at the door fails alone; when all are, so is the request.
         */
        post: operations["createAnswers"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/answer/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The answers of a request, or how far they are */
        get: operations["getAnswers"];
        /**
         * Answer questions about images, under an id of the caller's
         * @description Accepts 1 to 64 images, once: sent again it answers with the status of now. An image that is refused at the door fails alone; when all are, so is the request.
         */
        put: operations["putAnswers"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/answer/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel what is not finished of a request
         * @description Images that no worker has taken are `aborted`, those that one has are `canceled`; what is finished stays. A second time changes nothing.
         */
        post: operations["cancelAnswers"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/answer/{id}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What becomes of a request, as server-sent events
         * @description `image.succeeded`, `image.failed`, `image.aborted` and `image.canceled` with the image as in the status document, then `request.finished` with the document without its images, and the end of the stream.
         */
        get: operations["streamAnswers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/batches": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The batches, newest first */
        get: operations["listBatches"];
        put?: never;
        /** Work through the lines of a file */
        post: operations["createBatch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/batches/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How far a batch is */
        get: operations["getBatch"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/batches/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Begin none of the lines that have not begun */
        post: operations["cancelBatch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/bulk/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How far a bulk request is */
        get: operations["getBulk"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/bulk/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Begin none of the items that have not begun */
        post: operations["cancelBulk"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/bulk/{id}/results": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What has become of the items that have ended, a line each */
        get: operations["getBulkResults"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/bulk/answer": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ask a great many images
         * @description As `application/json` up to 10000 items, as `application/x-ndjson` up to 100000 lines, each answered when it is safe.
         */
        post: operations["createBulkAnswers"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/bulk/captions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Caption a great many images
         * @description As `application/json` up to 10000 items, as `application/x-ndjson` up to 100000 lines, each answered when it is safe.
         */
        post: operations["createBulkCaptions"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/bulk/embed": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Embed a great many images
         * @description As `application/json` up to 10000 items, as `application/x-ndjson` up to 100000 lines, each answered when it is safe.
         */
        post: operations["createBulkEmbeddings"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/bulk/match": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Match a great many images with texts
         * @description As `application/json` up to 10000 items, as `application/x-ndjson` up to 100000 lines, each answered when it is safe.
         */
        post: operations["createBulkMatches"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/captions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The requests for captions, newest first
         * @description Each request of a page costs the fleet one read and one listing; a filter by status costs as much for each request that it passes over.
         */
        get: operations["listCaptions"];
        put?: never;
        /**
         * Caption images
         * @description Accepts 1 to 64 images. An image that is refused at the door fails alone; when all are, so is the request.
         */
        post: operations["createCaptions"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/captions/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The captions of a request, or how far they are */
        get: operations["getCaptions"];
        /**
         * Caption images, under an id of the caller's
         * @description Accepts 1 to 64 images, once: sent again it answers with the status of now. An image that is refused at the door fails alone; when all are, so is the request.
         */
        put: operations["putCaptions"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/captions/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel what is not finished of a request
         * @description Images that no worker has taken are `aborted`, those that one has are `canceled`; what is finished stays. A second time changes nothing.
         */
        post: operations["cancelCaptions"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/captions/{id}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What becomes of a request, as server-sent events
         * @description `image.succeeded`, `image.failed`, `image.aborted` and `image.canceled` with the image as in the status document, then `request.finished` with the document without its images, and the end of the stream.
         */
        get: operations["streamCaptions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/embed": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The requests for embeddings, newest first
         * @description Each request of a page costs the fleet one read and one listing; a filter by status costs as much for each request that it passes over.
         */
        get: operations["listEmbeddings"];
        put?: never;
        /**
         * Turn images and texts into vectors that can be compared
         * @description Accepts 1 to 64 images. An image that is refused at the door fails alone; when all are, so is the request.
         */
        post: operations["createEmbeddings"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/embed/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The embeddings of a request, or how far they are */
        get: operations["getEmbeddings"];
        /**
         * Turn images and texts into vectors that can be compared, under an id of the caller's
         * @description Accepts 1 to 64 images, once: sent again it answers with the status of now. An image that is refused at the door fails alone; when all are, so is the request.
         */
        put: operations["putEmbeddings"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/embed/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel what is not finished of a request
         * @description Images that no worker has taken are `aborted`, those that one has are `canceled`; what is finished stays. A second time changes nothing.
         */
        post: operations["cancelEmbeddings"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/embed/{id}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What becomes of a request, as server-sent events
         * @description `image.succeeded`, `image.failed`, `image.aborted` and `image.canceled` with the image as in the status document, then `request.finished` with the document without its images, and the end of the stream.
         */
        get: operations["streamEmbeddings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/files": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The files, newest first */
        get: operations["listFiles"];
        put?: never;
        /** Store a file for a batch */
        post: operations["createFile"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/files/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What is known of a file */
        get: operations["getFile"];
        put?: never;
        post?: never;
        /** Delete a file */
        delete: operations["deleteFile"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/files/{id}/content": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The bytes of a file */
        get: operations["getFileContent"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/match": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The requests for matches, newest first
         * @description Each request of a page costs the fleet one read and one listing; a filter by status costs as much for each request that it passes over.
         */
        get: operations["listMatches"];
        put?: never;
        /**
         * Say how well texts go with images
         * @description Accepts 1 to 64 images. An image that is refused at the door fails alone; when all are, so is the request.
         */
        post: operations["createMatches"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/match/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The matches of a request, or how far they are */
        get: operations["getMatches"];
        /**
         * Say how well texts go with images, under an id of the caller's
         * @description Accepts 1 to 64 images, once: sent again it answers with the status of now. An image that is refused at the door fails alone; when all are, so is the request.
         */
        put: operations["putMatches"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/match/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel what is not finished of a request
         * @description Images that no worker has taken are `aborted`, those that one has are `canceled`; what is finished stays. A second time changes nothing.
         */
        post: operations["cancelMatches"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/match/{id}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What becomes of a request, as server-sent events
         * @description `image.succeeded`, `image.failed`, `image.aborted` and `image.canceled` with the image as in the status document, then `request.finished` with the document without its images, and the end of the stream.
         */
        get: operations["streamMatches"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/models": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The models that workers serve now, with their cards */
        get: operations["listModels"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhooks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The endpoints, without their secrets */
        get: operations["listWebhooks"];
        put?: never;
        /** Register an endpoint that is told of the ends of requests */
        post: operations["createWebhook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhooks/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** An endpoint */
        get: operations["getWebhook"];
        put?: never;
        post?: never;
        /** Remove an endpoint; what was on its way to it is dropped */
        delete: operations["deleteWebhook"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhooks/{id}/enable": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Use an endpoint again that was disabled because its receiver answered 410 */
        post: operations["enableWebhook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhooks/{id}/messages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What was sent to an endpoint, the newest request first, with every attempt */
        get: operations["listWebhookMessages"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhooks/{id}/replay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Deliver messages again, one or those of a time
         * @description At most 1000 messages, the oldest first. Those whose attempts go on anyway are left alone.
         */
        post: operations["replayWebhook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhooks/{id}/rotate-secret": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Give an endpoint a new secret; the one before signs too for 24 hours
         * @description Of `default` it is the secret of the URLs that come with requests.
         */
        post: operations["rotateWebhookSecret"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        Answer: {
            /** @description Geometric mean of the probabilities that the model gave the generated tokens (the prompt excluded, the final sep included): exp(meanLogProbability), in (0, 1]. A likelihood, not a calibrated chance of being right. */
            confidence: number;
            /** @description Natural logarithm, per generated token, of the model's own distribution before any penalty or temperature. */
            meanLogProbability: number;
            question: string;
            text: string;
            /** @description Token ids with the leading bos, the prompt, and the final sep when generation reached it. */
            tokens: number[];
        };
        AnswerOptionsInput: {
            /** @description Draw tokens at random instead of taking the most probable. */
            do_sample?: boolean;
            /** @description When the beam search stops. */
            early_stopping?: boolean | "never";
            /** @description Exponent of the length that a beam score is divided by. */
            length_penalty?: number;
            /** @description The same with the leading bos; max_new_tokens wins over it. */
            max_length?: number;
            /** @description Tokens of an answer at most. */
            max_new_tokens?: number;
            /** @description No end before this many tokens in all. */
            min_length?: number;
            /** @description No end before this many new tokens. */
            min_new_tokens?: number;
            /** @description N-grams of this size occur only once; 0 is no limit. */
            no_repeat_ngram_size?: number;
            /** @description Beams of the beam search; 1 is greedy decoding or sampling. */
            num_beams?: number;
            /** @description Captions for each image; at most num_beams unless sampling. */
            num_return_sequences?: number;
            /** @description Divides the score of tokens already present; 1 is none. */
            repetition_penalty?: number;
            /** @description Makes sampling repeatable. */
            seed?: number;
            /** @description Divides the logits before sampling. */
            temperature?: number;
            /** @description Sample among this many most probable tokens; 0 is all. */
            top_k?: number;
            /** @description Sample among the fewest tokens whose probabilities sum to this. */
            top_p?: number;
        };
        AnswerRequestInput: {
            /**
             * Format: date-time
             * @description After this time nobody wants what is not finished; the earlier of this and Cancel-After counts.
             */
            deadline?: string;
            images: ({
                /** @description The caller's name of the image, repeated wherever it is spoken of. */
                customId?: string;
                /**
                 * Format: uri
                 * @description An http or https URL of at most 2048 characters.
                 */
                url: string;
            } | {
                /** @description The bytes of the image, at most 20971520 of them, in base64 (RFC 4648 section 4, padded). Line breaks and blanks are ignored; a leading "data:image/...;base64," too. */
                base64: string;
                /** @description The caller's name of the image, repeated wherever it is spoken of. */
                customId?: string;
            } | {
                /** @description A blob of the fleet's storage account, in a container that the fleet is configured to read. */
                blob: {
                    container: string;
                    name: string;
                };
                /** @description The caller's name of the image, repeated wherever it is spoken of. */
                customId?: string;
            })[];
            /**
             * @description Images of `bulk` wait until no image of `interactive` does; each lane has a queue of its own.
             * @default interactive
             * @enum {string}
             */
            lane?: "interactive" | "bulk";
            /** @default {} */
            options?: components["schemas"]["AnswerOptionsInput"];
            /** @description Each is asked of each image. */
            questions: string[];
            /** @description Is told of the end of this request. */
            webhook?: {
                /**
                 * @description The ends to be told of; all when absent.
                 * @default [
                 *       "request.succeeded",
                 *       "request.failed",
                 *       "request.aborted",
                 *       "request.canceled"
                 *     ]
                 */
                events?: ("request.succeeded" | "request.failed" | "request.aborted" | "request.canceled")[];
                /**
                 * @description standard: {type, timestamp, data}; cloudevents: CloudEvents 1.0 in structured JSON. Both are signed.
                 * @default standard
                 * @enum {string}
                 */
                format?: "standard" | "cloudevents";
                /** @description An https URL on a public address; it gets a signed POST. */
                url: string;
            };
        };
        AnswerRequestStatus: {
            counts: {
                /** @default 0 */
                aborted: number;
                /** @default 0 */
                canceled: number;
                failed: number;
                queued: number;
                running: number;
                succeeded: number;
            };
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            deadline?: string;
            id: string;
            images: ({
                customId?: string;
                index: number;
                /** @constant */
                status: "queued";
            } | {
                customId?: string;
                index: number;
                /** @constant */
                status: "running";
            } | {
                answers: components["schemas"]["Answer"][];
                /** @description What this image cost: the price of its machine for the time in which it had one of its inference processes. Without waiting, and without what a machine costs while it is idle; absent where no price is known. */
                costUsd?: number;
                customId?: string;
                image: {
                    format: string;
                    height: number;
                    sha256: string;
                    width: number;
                };
                index: number;
                model: {
                    id: string;
                    revision: string;
                    variant: string;
                };
                /** @constant */
                status: "succeeded";
                timings: {
                    batchMs?: number;
                    fetchMs: number;
                    inferenceMs: number;
                    preprocessMs: number;
                    queueMs?: number;
                };
            } | {
                customId?: string;
                error: components["schemas"]["ErrorReport"];
                index: number;
                /** @constant */
                status: "failed";
            } | {
                customId?: string;
                error: components["schemas"]["ErrorReport"];
                index: number;
                /** @constant */
                status: "aborted";
            } | {
                customId?: string;
                error: components["schemas"]["ErrorReport"];
                index: number;
                /** @constant */
                status: "canceled";
            })[];
            /** @enum {string} */
            status: "queued" | "running" | "succeeded" | "failed" | "aborted" | "canceled";
        };
        Batch: {
            cancelled_at: number | null;
            cancelling_at: number | null;
            completed_at: number | null;
            /** @constant */
            completion_window: "24h";
            /** @description Seconds since the epoch, as all times here. */
            created_at: number;
            endpoint: string;
            /** @description Lines that did not; null when all did. */
            error_file_id: string | null;
            /** @description Why it failed as a whole, by line of its file. */
            errors: {
                data: {
                    code: string;
                    line: number | null;
                    message: string;
                    param: string | null;
                }[];
                /** @constant */
                object: "list";
            } | null;
            expired_at: number | null;
            expires_at: number;
            failed_at: number | null;
            finalizing_at: number | null;
            id: string;
            in_progress_at: number | null;
            input_file_id: string;
            metadata: {
                [key: string]: string;
            } | null;
            /** @constant */
            object: "batch";
            /** @description Lines that succeeded, once the batch has ended; null when none did. */
            output_file_id: string | null;
            /** @description `total` is 0 while the file is read. */
            request_counts: {
                completed: number;
                failed: number;
                total: number;
            };
            /** @enum {string} */
            status: "validating" | "failed" | "in_progress" | "finalizing" | "completed" | "expired" | "cancelling" | "cancelled";
        };
        BatchCreationInput: {
            /** @constant */
            completion_window: "24h";
            /**
             * @description What each line asks for, and says again as its `url`.
             * @enum {string}
             */
            endpoint: "/v1/captions" | "/v1/match" | "/v1/embed" | "/v1/answer";
            /** @description A file of the purpose `batch`. */
            input_file_id: string;
            metadata?: {
                [key: string]: string;
            } | null;
        };
        Caption: {
            /** @description Geometric mean of the probabilities that the model gave the generated tokens (the prompt excluded, the final sep included): exp(meanLogProbability), in (0, 1]. A likelihood, not a calibrated chance of being right. */
            confidence: number;
            /** @description Natural logarithm, per generated token, of the model's own distribution before any penalty or temperature. */
            meanLogProbability: number;
            text: string;
            /** @description Token ids with the leading bos, the prompt, and the final sep when generation reached it. */
            tokens: number[];
        };
        CaptionRequestInput: {
            /**
             * Format: date-time
             * @description After this time nobody wants what is not finished; the earlier of this and Cancel-After counts.
             */
            deadline?: string;
            images: ({
                /** @description The caller's name of the image, repeated wherever it is spoken of. */
                customId?: string;
                /**
                 * Format: uri
                 * @description An http or https URL of at most 2048 characters.
                 */
                url: string;
            } | {
                /** @description The bytes of the image, at most 20971520 of them, in base64 (RFC 4648 section 4, padded). Line breaks and blanks are ignored; a leading "data:image/...;base64," too. */
                base64: string;
                /** @description The caller's name of the image, repeated wherever it is spoken of. */
                customId?: string;
            } | {
                /** @description A blob of the fleet's storage account, in a container that the fleet is configured to read. */
                blob: {
                    container: string;
                    name: string;
                };
                /** @description The caller's name of the image, repeated wherever it is spoken of. */
                customId?: string;
            })[];
            /**
             * @description Images of `bulk` wait until no image of `interactive` does; each lane has a queue of its own.
             * @default interactive
             * @enum {string}
             */
            lane?: "interactive" | "bulk";
            /** @default {} */
            options?: components["schemas"]["GenerationOptionsInput"];
            /** @description Is told of the end of this request. */
            webhook?: {
                /**
                 * @description The ends to be told of; all when absent.
                 * @default [
                 *       "request.succeeded",
                 *       "request.failed",
                 *       "request.aborted",
                 *       "request.canceled"
                 *     ]
                 */
                events?: ("request.succeeded" | "request.failed" | "request.aborted" | "request.canceled")[];
                /**
                 * @description standard: {type, timestamp, data}; cloudevents: CloudEvents 1.0 in structured JSON. Both are signed.
                 * @default standard
                 * @enum {string}
                 */
                format?: "standard" | "cloudevents";
                /** @description An https URL on a public address; it gets a signed POST. */
                url: string;
            };
        };
        CaptionRequestStatus: {
            counts: {
                /** @default 0 */
                aborted: number;
                /** @default 0 */
                canceled: number;
                failed: number;
                queued: number;
                running: number;
                succeeded: number;
            };
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            deadline?: string;
            id: string;
            images: ({
                customId?: string;
                index: number;
                /** @constant */
                status: "queued";
            } | {
                customId?: string;
                index: number;
                /** @constant */
                status: "running";
            } | {
                captions: components["schemas"]["Caption"][];
                /** @description What this image cost: the price of its machine for the time in which it had one of its inference processes. Without waiting, and without what a machine costs while it is idle; absent where no price is known. */
                costUsd?: number;
                customId?: string;
                image: {
                    format: string;
                    height: number;
                    sha256: string;
                    width: number;
                };
                index: number;
                model: {
                    id: string;
                    revision: string;
                    variant: string;
                };
                /** @constant */
                status: "succeeded";
                timings: {
                    batchMs?: number;
                    fetchMs: number;
                    inferenceMs: number;
                    preprocessMs: number;
                    queueMs?: number;
                };
            } | {
                customId?: string;
                error: components["schemas"]["ErrorReport"];
                index: number;
                /** @constant */
                status: "failed";
            } | {
                customId?: string;
                error: components["schemas"]["ErrorReport"];
                index: number;
                /** @constant */
                status: "aborted";
            } | {
                customId?: string;
                error: components["schemas"]["ErrorReport"];
                index: number;
                /** @constant */
                status: "canceled";
            })[];
            /** @enum {string} */
            status: "queued" | "running" | "succeeded" | "failed" | "aborted" | "canceled";
        };
        Embedding: {
            image: number[];
            texts: {
                embedding: number[];
                text: string;
            }[];
        };
        EmbedRequestInput: {
            /**
             * Format: date-time
             * @description After this time nobody wants what is not finished; the earlier of this and Cancel-After counts.
             */
            deadline?: string;
            images: ({
                /** @description The caller's name of the image, repeated wherever it is spoken of. */
                customId?: string;
                /**
                 * Format: uri
                 * @description An http or https URL of at most 2048 characters.
                 */
                url: string;
            } | {
                /** @description The bytes of the image, at most 20971520 of them, in base64 (RFC 4648 section 4, padded). Line breaks and blanks are ignored; a leading "data:image/...;base64," too. */
                base64: string;
                /** @description The caller's name of the image, repeated wherever it is spoken of. */
                customId?: string;
            } | {
                /** @description A blob of the fleet's storage account, in a container that the fleet is configured to read. */
                blob: {
                    container: string;
                    name: string;
                };
                /** @description The caller's name of the image, repeated wherever it is spoken of. */
                customId?: string;
            })[];
            /**
             * @description Images of `bulk` wait until no image of `interactive` does; each lane has a queue of its own.
             * @default interactive
             * @enum {string}
             */
            lane?: "interactive" | "bulk";
            /**
             * @description Embedded too, the same for each image.
             * @default []
             */
            texts?: string[];
            /** @description Is told of the end of this request. */
            webhook?: {
                /**
                 * @description The ends to be told of; all when absent.
                 * @default [
                 *       "request.succeeded",
                 *       "request.failed",
                 *       "request.aborted",
                 *       "request.canceled"
                 *     ]
                 */
                events?: ("request.succeeded" | "request.failed" | "request.aborted" | "request.canceled")[];
                /**
                 * @description standard: {type, timestamp, data}; cloudevents: CloudEvents 1.0 in structured JSON. Both are signed.
                 * @default standard
                 * @enum {string}
                 */
                format?: "standard" | "cloudevents";
                /** @description An https URL on a public address; it gets a signed POST. */
                url: string;
            };
        };
        EmbedRequestStatus: {
            counts: {
                /** @default 0 */
                aborted: number;
                /** @default 0 */
                canceled: number;
                failed: number;
                queued: number;
                running: number;
                succeeded: number;
            };
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            deadline?: string;
            id: string;
            images: ({
                customId?: string;
                index: number;
                /** @constant */
                status: "queued";
            } | {
                customId?: string;
                index: number;
                /** @constant */
                status: "running";
            } | {
                /** @description What this image cost: the price of its machine for the time in which it had one of its inference processes. Without waiting, and without what a machine costs while it is idle; absent where no price is known. */
                costUsd?: number;
                customId?: string;
                embedding: components["schemas"]["Embedding"];
                image: {
                    format: string;
                    height: number;
                    sha256: string;
                    width: number;
                };
                index: number;
                model: {
                    id: string;
                    revision: string;
                    variant: string;
                };
                /** @constant */
                status: "succeeded";
                timings: {
                    batchMs?: number;
                    fetchMs: number;
                    inferenceMs: number;
                    preprocessMs: number;
                    queueMs?: number;
                };
            } | {
                customId?: string;
                error: components["schemas"]["ErrorReport"];
                index: number;
                /** @constant */
                status: "failed";
            } | {
                customId?: string;
                error: components["schemas"]["ErrorReport"];
                index: number;
                /** @constant */
                status: "aborted";
            } | {
                customId?: string;
                error: components["schemas"]["ErrorReport"];
                index: number;
                /** @constant */
                status: "canceled";
            })[];
            /** @enum {string} */
            status: "queued" | "running" | "succeeded" | "failed" | "aborted" | "canceled";
        };
        ErrorReport: {
            /** @enum {string} */
            code: "CONFIG_INVALID" | "REQUEST_INVALID" | "OPTION_INVALID" | "IMAGES_REFUSED" | "REQUEST_TOO_LARGE" | "HEADERS_TOO_LARGE" | "REQUEST_TOO_SLOW" | "MEDIA_TYPE_UNSUPPORTED" | "UNAUTHENTICATED" | "FORBIDDEN" | "IDENTITY_UNAVAILABLE" | "RATE_LIMITED" | "NOT_FOUND" | "METHOD_NOT_ALLOWED" | "IDEMPOTENCY_CONFLICT" | "FILE_IN_USE" | "BATCH_ENDED" | "URL_REFUSED" | "SOURCE_NOT_FOUND" | "SOURCE_UNAVAILABLE" | "BASE64_INVALID" | "IMAGE_EMPTY" | "IMAGE_TOO_LARGE" | "IMAGE_FORMAT_UNKNOWN" | "IMAGE_CORRUPT" | "IMAGE_TOO_SMALL" | "IMAGE_TOO_MANY_PIXELS" | "IMAGE_QUARANTINED" | "MODEL_NOT_FOUND" | "MODEL_CORRUPT" | "MODEL_UNSUPPORTED" | "MACHINE_NOT_ALLOWED" | "MACHINE_UNSUITABLE" | "TASK_UNSUPPORTED" | "MODEL_DRIFTED" | "MODEL_DOWNLOAD_FAILED" | "QUEUE_FULL" | "DEADLINE_UNREACHABLE" | "DEADLINE_EXCEEDED" | "REQUEST_CANCELED" | "QUEUE_UNAVAILABLE" | "WEBHOOKS_FULL" | "STREAMS_FULL" | "STORAGE_UNAVAILABLE" | "METADATA_UNAVAILABLE" | "INFERENCE_FAILED" | "ATTEMPTS_EXHAUSTED" | "FILE_UNSUPPORTED" | "FILE_INVALID" | "ERROR_THRESHOLD_EXCEEDED" | "OUTPUT_EXISTS" | "JOB_TOO_LONG" | "RESULT_LATE" | "SHUTTING_DOWN" | "OUTPUT_FAILED" | "INTERNAL";
            message: string;
            retryable: boolean;
        };
        File: {
            bytes: number;
            /** @description Seconds since the epoch. */
            created_at: number;
            filename: string;
            id: string;
            /** @constant */
            object: "file";
            /** @enum {string} */
            purpose: "batch" | "batch_output";
            /** @constant */
            status: "processed";
        };
        GenerationOptionsInput: {
            /** @description Draw tokens at random instead of taking the most probable. */
            do_sample?: boolean;
            /** @description When the beam search stops. */
            early_stopping?: boolean | "never";
            /** @description Exponent of the length that a beam score is divided by. */
            length_penalty?: number;
            /** @description Tokens in all at most, with the leading bos and the prompt. */
            max_length?: number;
            /** @description Tokens to add after the prompt at most; wins over max_length. */
            max_new_tokens?: number;
            /** @description No end before this many tokens in all. */
            min_length?: number;
            /** @description No end before this many new tokens. */
            min_new_tokens?: number;
            /** @description N-grams of this size occur only once; 0 is no limit. */
            no_repeat_ngram_size?: number;
            /** @description Beams of the beam search; 1 is greedy decoding or sampling. */
            num_beams?: number;
            /** @description Captions for each image; at most num_beams unless sampling. */
            num_return_sequences?: number;
            /** @description Text the caption starts with, such as "a picture of"; it stays in the text. */
            prompt?: string;
            /** @description Divides the score of tokens already present; 1 is none. */
            repetition_penalty?: number;
            /** @description Makes sampling repeatable. */
            seed?: number;
            /** @description Divides the logits before sampling. */
            temperature?: number;
            /** @description Sample among this many most probable tokens; 0 is all. */
            top_k?: number;
            /** @description Sample among the fewest tokens whose probabilities sum to this. */
            top_p?: number;
        };
        ImageAnalysisError: {
            error: {
                /** @description Also in the header x-ms-error-code. */
                code: string;
                innererror?: {
                    code: string;
                    message: string;
                };
                message: string;
            };
        };
        ImageAnalysisResult: {
            captionResult: {
                /** @description Geometric mean of the probabilities of the caption's tokens, in (0, 1]: a likelihood, not calibrated. */
                confidence: number;
                text: string;
            };
            /** @description Pixels of the image as it is shown. */
            metadata: {
                height: number;
                width: number;
            };
            /** @description The model of the fleet, as id@revision. */
            modelVersion: string;
        };
        Match: {
            /** @description That the text is true of the image, in [0, 1], from the head that reads the text with the image before it (ITM). */
            probability: number;
            /** @description Cosine of the angle between the embeddings of the text and of the image, each made without the other (ITC). */
            similarity: number;
            text: string;
        };
        MatchRequestInput: {
            /**
             * Format: date-time
             * @description After this time nobody wants what is not finished; the earlier of this and Cancel-After counts.
             */
            deadline?: string;
            images: ({
                /** @description The caller's name of the image, repeated wherever it is spoken of. */
                customId?: string;
                /**
                 * Format: uri
                 * @description An http or https URL of at most 2048 characters.
                 */
                url: string;
            } | {
                /** @description The bytes of the image, at most 20971520 of them, in base64 (RFC 4648 section 4, padded). Line breaks and blanks are ignored; a leading "data:image/...;base64," too. */
                base64: string;
                /** @description The caller's name of the image, repeated wherever it is spoken of. */
                customId?: string;
            } | {
                /** @description A blob of the fleet's storage account, in a container that the fleet is configured to read. */
                blob: {
                    container: string;
                    name: string;
                };
                /** @description The caller's name of the image, repeated wherever it is spoken of. */
                customId?: string;
            })[];
            /**
             * @description Images of `bulk` wait until no image of `interactive` does; each lane has a queue of its own.
             * @default interactive
             * @enum {string}
             */
            lane?: "interactive" | "bulk";
            /** @description Each is matched with each image; as many tokens as the model takes, at most. */
            texts: string[];
            /** @description Is told of the end of this request. */
            webhook?: {
                /**
                 * @description The ends to be told of; all when absent.
                 * @default [
                 *       "request.succeeded",
                 *       "request.failed",
                 *       "request.aborted",
                 *       "request.canceled"
                 *     ]
                 */
                events?: ("request.succeeded" | "request.failed" | "request.aborted" | "request.canceled")[];
                /**
                 * @description standard: {type, timestamp, data}; cloudevents: CloudEvents 1.0 in structured JSON. Both are signed.
                 * @default standard
                 * @enum {string}
                 */
                format?: "standard" | "cloudevents";
                /** @description An https URL on a public address; it gets a signed POST. */
                url: string;
            };
        };
        MatchRequestStatus: {
            counts: {
                /** @default 0 */
                aborted: number;
                /** @default 0 */
                canceled: number;
                failed: number;
                queued: number;
                running: number;
                succeeded: number;
            };
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            deadline?: string;
            id: string;
            images: ({
                customId?: string;
                index: number;
                /** @constant */
                status: "queued";
            } | {
                customId?: string;
                index: number;
                /** @constant */
                status: "running";
            } | {
                /** @description What this image cost: the price of its machine for the time in which it had one of its inference processes. Without waiting, and without what a machine costs while it is idle; absent where no price is known. */
                costUsd?: number;
                customId?: string;
                image: {
                    format: string;
                    height: number;
                    sha256: string;
                    width: number;
                };
                index: number;
                matches: components["schemas"]["Match"][];
                model: {
                    id: string;
                    revision: string;
                    variant: string;
                };
                /** @constant */
                status: "succeeded";
                timings: {
                    batchMs?: number;
                    fetchMs: number;
                    inferenceMs: number;
                    preprocessMs: number;
                    queueMs?: number;
                };
            } | {
                customId?: string;
                error: components["schemas"]["ErrorReport"];
                index: number;
                /** @constant */
                status: "failed";
            } | {
                customId?: string;
                error: components["schemas"]["ErrorReport"];
                index: number;
                /** @constant */
                status: "aborted";
            } | {
                customId?: string;
                error: components["schemas"]["ErrorReport"];
                index: number;
                /** @constant */
                status: "canceled";
            })[];
            /** @enum {string} */
            status: "queued" | "running" | "succeeded" | "failed" | "aborted" | "canceled";
        };
        OpenAiError: {
            error: {
                /** @description A code of the table of errors. */
                code: string;
                message: string;
                /** @description The field of the request that is wrong, where it is one. */
                param: string | null;
                /** @enum {string} */
                type: "invalid_request_error" | "authentication_error" | "permission_error" | "rate_limit_error" | "server_error";
            };
        };
        Problem: {
            /** @enum {string} */
            code: "CONFIG_INVALID" | "REQUEST_INVALID" | "OPTION_INVALID" | "IMAGES_REFUSED" | "REQUEST_TOO_LARGE" | "HEADERS_TOO_LARGE" | "REQUEST_TOO_SLOW" | "MEDIA_TYPE_UNSUPPORTED" | "UNAUTHENTICATED" | "FORBIDDEN" | "IDENTITY_UNAVAILABLE" | "RATE_LIMITED" | "NOT_FOUND" | "METHOD_NOT_ALLOWED" | "IDEMPOTENCY_CONFLICT" | "FILE_IN_USE" | "BATCH_ENDED" | "URL_REFUSED" | "SOURCE_NOT_FOUND" | "SOURCE_UNAVAILABLE" | "BASE64_INVALID" | "IMAGE_EMPTY" | "IMAGE_TOO_LARGE" | "IMAGE_FORMAT_UNKNOWN" | "IMAGE_CORRUPT" | "IMAGE_TOO_SMALL" | "IMAGE_TOO_MANY_PIXELS" | "IMAGE_QUARANTINED" | "MODEL_NOT_FOUND" | "MODEL_CORRUPT" | "MODEL_UNSUPPORTED" | "MACHINE_NOT_ALLOWED" | "MACHINE_UNSUITABLE" | "TASK_UNSUPPORTED" | "MODEL_DRIFTED" | "MODEL_DOWNLOAD_FAILED" | "QUEUE_FULL" | "DEADLINE_UNREACHABLE" | "DEADLINE_EXCEEDED" | "REQUEST_CANCELED" | "QUEUE_UNAVAILABLE" | "WEBHOOKS_FULL" | "STREAMS_FULL" | "STORAGE_UNAVAILABLE" | "METADATA_UNAVAILABLE" | "INFERENCE_FAILED" | "ATTEMPTS_EXHAUSTED" | "FILE_UNSUPPORTED" | "FILE_INVALID" | "ERROR_THRESHOLD_EXCEEDED" | "OUTPUT_EXISTS" | "JOB_TOO_LONG" | "RESULT_LATE" | "SHUTTING_DOWN" | "OUTPUT_FAILED" | "INTERNAL";
            /** @description What was wrong this time. */
            detail: string;
            errors?: {
                /** @enum {string} */
                code: "CONFIG_INVALID" | "REQUEST_INVALID" | "OPTION_INVALID" | "IMAGES_REFUSED" | "REQUEST_TOO_LARGE" | "HEADERS_TOO_LARGE" | "REQUEST_TOO_SLOW" | "MEDIA_TYPE_UNSUPPORTED" | "UNAUTHENTICATED" | "FORBIDDEN" | "IDENTITY_UNAVAILABLE" | "RATE_LIMITED" | "NOT_FOUND" | "METHOD_NOT_ALLOWED" | "IDEMPOTENCY_CONFLICT" | "FILE_IN_USE" | "BATCH_ENDED" | "URL_REFUSED" | "SOURCE_NOT_FOUND" | "SOURCE_UNAVAILABLE" | "BASE64_INVALID" | "IMAGE_EMPTY" | "IMAGE_TOO_LARGE" | "IMAGE_FORMAT_UNKNOWN" | "IMAGE_CORRUPT" | "IMAGE_TOO_SMALL" | "IMAGE_TOO_MANY_PIXELS" | "IMAGE_QUARANTINED" | "MODEL_NOT_FOUND" | "MODEL_CORRUPT" | "MODEL_UNSUPPORTED" | "MACHINE_NOT_ALLOWED" | "MACHINE_UNSUITABLE" | "TASK_UNSUPPORTED" | "MODEL_DRIFTED" | "MODEL_DOWNLOAD_FAILED" | "QUEUE_FULL" | "DEADLINE_UNREACHABLE" | "DEADLINE_EXCEEDED" | "REQUEST_CANCELED" | "QUEUE_UNAVAILABLE" | "WEBHOOKS_FULL" | "STREAMS_FULL" | "STORAGE_UNAVAILABLE" | "METADATA_UNAVAILABLE" | "INFERENCE_FAILED" | "ATTEMPTS_EXHAUSTED" | "FILE_UNSUPPORTED" | "FILE_INVALID" | "ERROR_THRESHOLD_EXCEEDED" | "OUTPUT_EXISTS" | "JOB_TOO_LONG" | "RESULT_LATE" | "SHUTTING_DOWN" | "OUTPUT_FAILED" | "INTERNAL";
                /** @description Position of the image in the request. */
                index?: number;
                message: string;
                /** @description JSON Pointer (RFC 6901) into the request body. */
                pointer: string;
            }[];
            /** @description The X-Request-Id of this exchange, for the log. */
            requestId: string;
            /** @description Whether the same request may succeed later. */
            retryable: boolean;
            status: number;
            /** @description What the code means. */
            title: string;
            /** @description urn:captionfleet:error:CODE */
            type: string;
        };
        RequestListing: {
            /** @description Absent on the last page. */
            nextCursor?: string;
            /** @description Newest first. */
            requests: {
                counts: {
                    /** @default 0 */
                    aborted: number;
                    /** @default 0 */
                    canceled: number;
                    failed: number;
                    queued: number;
                    running: number;
                    succeeded: number;
                };
                /** Format: date-time */
                createdAt: string;
                id: string;
                /** @enum {string} */
                lane: "interactive" | "bulk";
                /** @enum {string} */
                status: "queued" | "running" | "succeeded" | "failed" | "aborted" | "canceled";
            }[];
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    listAnswers: {
        parameters: {
            query?: {
                /** @description Only requests whose ids are of this time or later (RFC 3339). */
                created_after?: string;
                /** @description `nextCursor` of the page before, as it is. */
                cursor?: string;
                /** @description Requests of a page at most, up to 100. */
                limit?: number;
                /** @description Only requests of this status. Storage cannot search for it: each request is looked at, up to 500 a call, so a page may hold fewer than `limit`, even none, and yet have a `nextCursor`. */
                status?: "queued" | "running" | "succeeded" | "failed" | "aborted" | "canceled";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page. */
            200: {
                headers: {
                    /** @description The wait that was applied. */
                    "Preference-Applied"?: string;
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description Once finished: the stages, in milliseconds, of the image that took longest, and their sum. */
                    "Server-Timing"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RequestListing"];
                };
            };
            /** @description `REQUEST_INVALID`: The request does not have the documented form. */
            400: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `UNAUTHENTICATED`: There is no key or token, or it is not one of this fleet, or no longer. */
            401: {
                headers: {
                    /** @description The scheme, and that the key or token was not accepted (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `FORBIDDEN`: The key or token lacks the scope of this route. */
            403: {
                headers: {
                    /** @description The scope that is missing (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_SLOW`: The request did not arrive whole in time. */
            408: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `MEDIA_TYPE_UNSUPPORTED`: The request body is not application/json, or is compressed. */
            415: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `RATE_LIMITED`: The caller sends more than its limit; Retry-After says when to go on. */
            429: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `HEADERS_TOO_LARGE`: The request line and headers are over the limit. */
            431: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `INTERNAL`: A defect of this fleet; the log has the cause. */
            500: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `IDENTITY_UNAVAILABLE`: The keys of the identity provider cannot be had, so its tokens cannot be checked.
             *
             *     `STORAGE_UNAVAILABLE`: Blob storage does not answer.
             *
             *     `QUEUE_UNAVAILABLE`: Redis does not answer.
             */
            503: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createAnswers: {
        parameters: {
            query?: never;
            header?: {
                /** @description Seconds, or a number with s, m or h, after which nobody wants what is not finished then. */
                "cancel-after"?: string;
                /** @description A name of this request among those of the caller, in quotes or without. Sent again with the same body it answers with the status of now and `Idempotent-Replayed: true`; with another body it is 409. */
                "idempotency-key"?: string;
                /** @description "wait=N" (RFC 7240) keeps the answer back for up to N seconds, 60 at most. */
                prefer?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AnswerRequestInput"];
            };
        };
        responses: {
            /** @description Finished in the time that `Prefer: wait` gave, or before. */
            200: {
                headers: {
                    /** @description `true` when an earlier call had sent this request. */
                    "Idempotent-Replayed"?: string;
                    /** @description Its path. */
                    Location?: string;
                    /** @description The absolute URL of the request. */
                    "Operation-Location"?: string;
                    /** @description The wait that was applied. */
                    "Preference-Applied"?: string;
                    /** @description Once finished: the stages, in milliseconds, of the image that took longest, and their sum. */
                    "Server-Timing"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AnswerRequestStatus"];
                };
            };
            /** @description Accepted: poll `Operation-Location`. */
            202: {
                headers: {
                    /** @description `true` when an earlier call had sent this request. */
                    "Idempotent-Replayed"?: string;
                    /** @description Its path. */
                    Location?: string;
                    /** @description The absolute URL of the request. */
                    "Operation-Location"?: string;
                    /** @description The wait that was applied. */
                    "Preference-Applied"?: string;
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AnswerRequestStatus"];
                };
            };
            /**
             * @description `REQUEST_INVALID`: The request does not have the documented form.
             *
             *     `OPTION_INVALID`: An option or a text of the task is unknown or out of range.
             */
            400: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `UNAUTHENTICATED`: There is no key or token, or it is not one of this fleet, or no longer. */
            401: {
                headers: {
                    /** @description The scheme, and that the key or token was not accepted (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `FORBIDDEN`: The key or token lacks the scope of this route. */
            403: {
                headers: {
                    /** @description The scope that is missing (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_SLOW`: The request did not arrive whole in time. */
            408: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `IDEMPOTENCY_CONFLICT`: This Idempotency-Key or id stands for a request with another body. */
            409: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_LARGE`: The request body is over the limit. */
            413: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `MEDIA_TYPE_UNSUPPORTED`: The request body is not application/json, or is compressed. */
            415: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `TASK_UNSUPPORTED`: No model here has a head for this task.
             *
             *     `URL_REFUSED`: The URL is malformed or points where the fleet will not go.
             *
             *     `IMAGES_REFUSED`: Every image was refused at the door; `errors` says why.
             */
            422: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `RATE_LIMITED`: The caller sends more than its limit; Retry-After says when to go on.
             *
             *     `QUEUE_FULL`: More work is waiting than the fleet accepts.
             *
             *     `DEADLINE_UNREACHABLE`: At the measured rate the work that waits takes longer than the deadline of the request allows.
             */
            429: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `HEADERS_TOO_LARGE`: The request line and headers are over the limit. */
            431: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `INTERNAL`: A defect of this fleet; the log has the cause. */
            500: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `IDENTITY_UNAVAILABLE`: The keys of the identity provider cannot be had, so its tokens cannot be checked.
             *
             *     `STORAGE_UNAVAILABLE`: Blob storage does not answer.
             *
             *     `QUEUE_UNAVAILABLE`: Redis does not answer.
             */
            503: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getAnswers: {
        parameters: {
            query?: never;
            header?: {
                /** @description "wait=N" (RFC 7240) keeps the answer back for up to N seconds, 60 at most. */
                prefer?: string;
            };
            path: {
                /** @description The `id` of a request. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The status of the request and of each image. */
            200: {
                headers: {
                    /** @description The wait that was applied. */
                    "Preference-Applied"?: string;
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description Once finished: the stages, in milliseconds, of the image that took longest, and their sum. */
                    "Server-Timing"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AnswerRequestStatus"];
                };
            };
            /** @description `REQUEST_INVALID`: The request does not have the documented form. */
            400: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `UNAUTHENTICATED`: There is no key or token, or it is not one of this fleet, or no longer. */
            401: {
                headers: {
                    /** @description The scheme, and that the key or token was not accepted (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `FORBIDDEN`: The key or token lacks the scope of this route. */
            403: {
                headers: {
                    /** @description The scope that is missing (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `NOT_FOUND`: There is no such route, request or webhook endpoint. */
            404: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_SLOW`: The request did not arrive whole in time. */
            408: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `MEDIA_TYPE_UNSUPPORTED`: The request body is not application/json, or is compressed. */
            415: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `RATE_LIMITED`: The caller sends more than its limit; Retry-After says when to go on. */
            429: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `HEADERS_TOO_LARGE`: The request line and headers are over the limit. */
            431: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `INTERNAL`: A defect of this fleet; the log has the cause. */
            500: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `IDENTITY_UNAVAILABLE`: The keys of the identity provider cannot be had, so its tokens cannot be checked.
             *
             *     `STORAGE_UNAVAILABLE`: Blob storage does not answer.
             *
             *     `QUEUE_UNAVAILABLE`: Redis does not answer.
             */
            503: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    putAnswers: {
        parameters: {
            query?: never;
            header?: {
                /** @description Seconds, or a number with s, m or h, after which nobody wants what is not finished then. */
                "cancel-after"?: string;
                /** @description "wait=N" (RFC 7240) keeps the answer back for up to N seconds, 60 at most. */
                prefer?: string;
            };
            path: {
                /** @description A ULID in lower case, new for each request. */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AnswerRequestInput"];
            };
        };
        responses: {
            /** @description Finished in the time that `Prefer: wait` gave, or before. */
            200: {
                headers: {
                    /** @description `true` when an earlier call had sent this request. */
                    "Idempotent-Replayed"?: string;
                    /** @description Its path. */
                    Location?: string;
                    /** @description The absolute URL of the request. */
                    "Operation-Location"?: string;
                    /** @description The wait that was applied. */
                    "Preference-Applied"?: string;
                    /** @description Once finished: the stages, in milliseconds, of the image that took longest, and their sum. */
                    "Server-Timing"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AnswerRequestStatus"];
                };
            };
            /** @description Accepted: poll `Operation-Location`. */
            202: {
                headers: {
                    /** @description `true` when an earlier call had sent this request. */
                    "Idempotent-Replayed"?: string;
                    /** @description Its path. */
                    Location?: string;
                    /** @description The absolute URL of the request. */
                    "Operation-Location"?: string;
                    /** @description The wait that was applied. */
                    "Preference-Applied"?: string;
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AnswerRequestStatus"];
                };
            };
            /**
             * @description `REQUEST_INVALID`: The request does not have the documented form.
             *
             *     `OPTION_INVALID`: An option or a text of the task is unknown or out of range.
             */
            400: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `UNAUTHENTICATED`: There is no key or token, or it is not one of this fleet, or no longer. */
            401: {
                headers: {
                    /** @description The scheme, and that the key or token was not accepted (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `FORBIDDEN`: The key or token lacks the scope of this route. */
            403: {
                headers: {
                    /** @description The scope that is missing (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_SLOW`: The request did not arrive whole in time. */
            408: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `IDEMPOTENCY_CONFLICT`: This Idempotency-Key or id stands for a request with another body. */
            409: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_LARGE`: The request body is over the limit. */
            413: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `MEDIA_TYPE_UNSUPPORTED`: The request body is not application/json, or is compressed. */
            415: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `TASK_UNSUPPORTED`: No model here has a head for this task.
             *
             *     `URL_REFUSED`: The URL is malformed or points where the fleet will not go.
             *
             *     `IMAGES_REFUSED`: Every image was refused at the door; `errors` says why.
             */
            422: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `RATE_LIMITED`: The caller sends more than its limit; Retry-After says when to go on.
             *
             *     `QUEUE_FULL`: More work is waiting than the fleet accepts.
             *
             *     `DEADLINE_UNREACHABLE`: At the measured rate the work that waits takes longer than the deadline of the request allows.
             */
            429: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `HEADERS_TOO_LARGE`: The request line and headers are over the limit. */
            431: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `INTERNAL`: A defect of this fleet; the log has the cause. */
            500: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `IDENTITY_UNAVAILABLE`: The keys of the identity provider cannot be had, so its tokens cannot be checked.
             *
             *     `STORAGE_UNAVAILABLE`: Blob storage does not answer.
             *
             *     `QUEUE_UNAVAILABLE`: Redis does not answer.
             */
            503: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    cancelAnswers: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `id` of a request. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The status of the request, in which nothing is open any more. */
            200: {
                headers: {
                    /** @description The wait that was applied. */
                    "Preference-Applied"?: string;
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description Once finished: the stages, in milliseconds, of the image that took longest, and their sum. */
                    "Server-Timing"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AnswerRequestStatus"];
                };
            };
            /** @description `REQUEST_INVALID`: The request does not have the documented form. */
            400: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `UNAUTHENTICATED`: There is no key or token, or it is not one of this fleet, or no longer. */
            401: {
                headers: {
                    /** @description The scheme, and that the key or token was not accepted (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `FORBIDDEN`: The key or token lacks the scope of this route. */
            403: {
                headers: {
                    /** @description The scope that is missing (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `NOT_FOUND`: There is no such route, request or webhook endpoint. */
            404: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_SLOW`: The request did not arrive whole in time. */
            408: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `MEDIA_TYPE_UNSUPPORTED`: The request body is not application/json, or is compressed. */
            415: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `RATE_LIMITED`: The caller sends more than its limit; Retry-After says when to go on. */
            429: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `HEADERS_TOO_LARGE`: The request line and headers are over the limit. */
            431: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `INTERNAL`: A defect of this fleet; the log has the cause. */
            500: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `IDENTITY_UNAVAILABLE`: The keys of the identity provider cannot be had, so its tokens cannot be checked.
             *
             *     `STORAGE_UNAVAILABLE`: Blob storage does not answer.
             *
             *     `QUEUE_UNAVAILABLE`: Redis does not answer.
             */
            503: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    streamAnswers: {
        parameters: {
            query?: never;
            header?: {
                /** @description The id of the last event that was received: everything after it is sent. */
                "last-event-id"?: string;
            };
            path: {
                /** @description The `id` of a request. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The events. */
            200: {
                headers: {
                    /** @description The wait that was applied. */
                    "Preference-Applied"?: string;
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description Once finished: the stages, in milliseconds, of the image that took longest, and their sum. */
                    "Server-Timing"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            /** @description Everything was received: do not ask again. */
            204: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `REQUEST_INVALID`: The request does not have the documented form. */
            400: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `UNAUTHENTICATED`: There is no key or token, or it is not one of this fleet, or no longer. */
            401: {
                headers: {
                    /** @description The scheme, and that the key or token was not accepted (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `FORBIDDEN`: The key or token lacks the scope of this route. */
            403: {
                headers: {
                    /** @description The scope that is missing (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `NOT_FOUND`: There is no such route, request or webhook endpoint. */
            404: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_SLOW`: The request did not arrive whole in time. */
            408: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `MEDIA_TYPE_UNSUPPORTED`: The request body is not application/json, or is compressed. */
            415: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `RATE_LIMITED`: The caller sends more than its limit; Retry-After says when to go on. */
            429: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `HEADERS_TOO_LARGE`: The request line and headers are over the limit. */
            431: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `INTERNAL`: A defect of this fleet; the log has the cause. */
            500: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `IDENTITY_UNAVAILABLE`: The keys of the identity provider cannot be had, so its tokens cannot be checked.
             *
             *     `STORAGE_UNAVAILABLE`: Blob storage does not answer.
             *
             *     `STREAMS_FULL`: This process has as many event streams open as it serves.
             *
             *     `QUEUE_UNAVAILABLE`: Redis does not answer.
             */
            503: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listBatches: {
        parameters: {
            query?: {
                /** @description The last id of the page before. */
                after?: string;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of them. */
            200: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["Batch"][];
                        first_id: string | null;
                        has_more: boolean;
                        last_id: string | null;
                        /** @enum {string} */
                        object: "list";
                    };
                };
            };
            /** @description `REQUEST_INVALID`: The request does not have the documented form. */
            400: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `UNAUTHENTICATED`: There is no key or token, or it is not one of this fleet, or no longer. */
            401: {
                headers: {
                    /** @description The scheme, and that the key or token was not accepted (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            /** @description `FORBIDDEN`: The key or token lacks the scope of this route. */
            403: {
                headers: {
                    /** @description The scope that is missing (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            /** @description `REQUEST_TOO_SLOW`: The request did not arrive whole in time. */
            408: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `MEDIA_TYPE_UNSUPPORTED`: The request body is not application/json, or is compressed. */
            415: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `RATE_LIMITED`: The caller sends more than its limit; Retry-After says when to go on. */
            429: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            /** @description `HEADERS_TOO_LARGE`: The request line and headers are over the limit. */
            431: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `INTERNAL`: A defect of this fleet; the log has the cause. */
            500: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            /**
             * @description `IDENTITY_UNAVAILABLE`: The keys of the identity provider cannot be had, so its tokens cannot be checked.
             *
             *     `STORAGE_UNAVAILABLE`: Blob storage does not answer.
             */
            503: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
        };
    };
    createBatch: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BatchCreationInput"];
            };
        };
        responses: {
            /** @description It is validated and worked through from here on. */
            200: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Batch"];
                };
            };
            /** @description `REQUEST_INVALID`: The request does not have the documented form. */
            400: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `UNAUTHENTICATED`: There is no key or token, or it is not one of this fleet, or no longer. */
            401: {
                headers: {
                    /** @description The scheme, and that the key or token was not accepted (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            /** @description `FORBIDDEN`: The key or token lacks the scope of this route. */
            403: {
                headers: {
                    /** @description The scope that is missing (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            /** @description `NOT_FOUND`: There is no such route, request or webhook endpoint. */
            404: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            /** @description `REQUEST_TOO_SLOW`: The request did not arrive whole in time. */
            408: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_LARGE`: The request body is over the limit. */
            413: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            /** @description `MEDIA_TYPE_UNSUPPORTED`: The request body is not application/json, or is compressed. */
            415: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `TASK_UNSUPPORTED`: No model here has a head for this task. */
            422: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            /** @description `RATE_LIMITED`: The caller sends more than its limit; Retry-After says when to go on. */
            429: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            /** @description `HEADERS_TOO_LARGE`: The request line and headers are over the limit. */
            431: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `INTERNAL`: A defect of this fleet; the log has the cause. */
            500: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            /**
             * @description `IDENTITY_UNAVAILABLE`: The keys of the identity provider cannot be had, so its tokens cannot be checked.
             *
             *     `STORAGE_UNAVAILABLE`: Blob storage does not answer.
             */
            503: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
        };
    };
    getBatch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `id` of a batch. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The batch. */
            200: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Batch"];
                };
            };
            /** @description `REQUEST_INVALID`: The request does not have the documented form. */
            400: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `UNAUTHENTICATED`: There is no key or token, or it is not one of this fleet, or no longer. */
            401: {
                headers: {
                    /** @description The scheme, and that the key or token was not accepted (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            /** @description `FORBIDDEN`: The key or token lacks the scope of this route. */
            403: {
                headers: {
                    /** @description The scope that is missing (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            /** @description `NOT_FOUND`: There is no such route, request or webhook endpoint. */
            404: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            /** @description `REQUEST_TOO_SLOW`: The request did not arrive whole in time. */
            408: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `MEDIA_TYPE_UNSUPPORTED`: The request body is not application/json, or is compressed. */
            415: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `RATE_LIMITED`: The caller sends more than its limit; Retry-After says when to go on. */
            429: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            /** @description `HEADERS_TOO_LARGE`: The request line and headers are over the limit. */
            431: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `INTERNAL`: A defect of this fleet; the log has the cause. */
            500: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            /**
             * @description `IDENTITY_UNAVAILABLE`: The keys of the identity provider cannot be had, so its tokens cannot be checked.
             *
             *     `STORAGE_UNAVAILABLE`: Blob storage does not answer.
             */
            503: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
        };
    };
    cancelBatch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `id` of a batch. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is `cancelling`, and soon `cancelled`. */
            200: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Batch"];
                };
            };
            /** @description `REQUEST_INVALID`: The request does not have the documented form. */
            400: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `UNAUTHENTICATED`: There is no key or token, or it is not one of this fleet, or no longer. */
            401: {
                headers: {
                    /** @description The scheme, and that the key or token was not accepted (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            /** @description `FORBIDDEN`: The key or token lacks the scope of this route. */
            403: {
                headers: {
                    /** @description The scope that is missing (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            /** @description `NOT_FOUND`: There is no such route, request or webhook endpoint. */
            404: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            /** @description `REQUEST_TOO_SLOW`: The request did not arrive whole in time. */
            408: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `BATCH_ENDED`: The batch has ended and cannot be cancelled any more. */
            409: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            /** @description `MEDIA_TYPE_UNSUPPORTED`: The request body is not application/json, or is compressed. */
            415: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `RATE_LIMITED`: The caller sends more than its limit; Retry-After says when to go on. */
            429: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            /** @description `HEADERS_TOO_LARGE`: The request line and headers are over the limit. */
            431: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `INTERNAL`: A defect of this fleet; the log has the cause. */
            500: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            /**
             * @description `IDENTITY_UNAVAILABLE`: The keys of the identity provider cannot be had, so its tokens cannot be checked.
             *
             *     `STORAGE_UNAVAILABLE`: Blob storage does not answer.
             */
            503: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
        };
    };
    getBulk: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `id` of a bulk request. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description How far it is. */
            200: {
                headers: {
                    /** @description The wait that was applied. */
                    "Preference-Applied"?: string;
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description Once finished: the stages, in milliseconds, of the image that took longest, and their sum. */
                    "Server-Timing"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        counts: {
                            cancelled: number;
                            failed: number;
                            pending: number;
                            succeeded: number;
                        };
                        /** Format: date-time */
                        createdAt: string;
                        id: string;
                        /** @description Whether the upload came to its end; false for one that broke off, or goes on. */
                        isComplete: boolean;
                        /**
                         * @description `receiving` while items come; `ended` when all have an outcome; `cancelled` whatever runs still.
                         * @enum {string}
                         */
                        status: "receiving" | "running" | "ended" | "cancelled";
                        /** @enum {string} */
                        task: "caption" | "match" | "embed" | "answer";
                    };
                };
            };
            /** @description `REQUEST_INVALID`: The request does not have the documented form. */
            400: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `UNAUTHENTICATED`: There is no key or token, or it is not one of this fleet, or no longer. */
            401: {
                headers: {
                    /** @description The scheme, and that the key or token was not accepted (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `FORBIDDEN`: The key or token lacks the scope of this route. */
            403: {
                headers: {
                    /** @description The scope that is missing (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `NOT_FOUND`: There is no such route, request or webhook endpoint. */
            404: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_SLOW`: The request did not arrive whole in time. */
            408: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `MEDIA_TYPE_UNSUPPORTED`: The request body is not application/json, or is compressed. */
            415: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `RATE_LIMITED`: The caller sends more than its limit; Retry-After says when to go on. */
            429: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `HEADERS_TOO_LARGE`: The request line and headers are over the limit. */
            431: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `INTERNAL`: A defect of this fleet; the log has the cause. */
            500: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `IDENTITY_UNAVAILABLE`: The keys of the identity provider cannot be had, so its tokens cannot be checked.
             *
             *     `STORAGE_UNAVAILABLE`: Blob storage does not answer.
             *
             *     `QUEUE_UNAVAILABLE`: Redis does not answer.
             */
            503: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    cancelBulk: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `id` of a bulk request. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description How far it is. */
            200: {
                headers: {
                    /** @description The wait that was applied. */
                    "Preference-Applied"?: string;
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description Once finished: the stages, in milliseconds, of the image that took longest, and their sum. */
                    "Server-Timing"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        counts: {
                            cancelled: number;
                            failed: number;
                            pending: number;
                            succeeded: number;
                        };
                        /** Format: date-time */
                        createdAt: string;
                        id: string;
                        /** @description Whether the upload came to its end; false for one that broke off, or goes on. */
                        isComplete: boolean;
                        /**
                         * @description `receiving` while items come; `ended` when all have an outcome; `cancelled` whatever runs still.
                         * @enum {string}
                         */
                        status: "receiving" | "running" | "ended" | "cancelled";
                        /** @enum {string} */
                        task: "caption" | "match" | "embed" | "answer";
                    };
                };
            };
            /** @description `REQUEST_INVALID`: The request does not have the documented form. */
            400: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `UNAUTHENTICATED`: There is no key or token, or it is not one of this fleet, or no longer. */
            401: {
                headers: {
                    /** @description The scheme, and that the key or token was not accepted (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `FORBIDDEN`: The key or token lacks the scope of this route. */
            403: {
                headers: {
                    /** @description The scope that is missing (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `NOT_FOUND`: There is no such route, request or webhook endpoint. */
            404: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_SLOW`: The request did not arrive whole in time. */
            408: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `MEDIA_TYPE_UNSUPPORTED`: The request body is not application/json, or is compressed. */
            415: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `RATE_LIMITED`: The caller sends more than its limit; Retry-After says when to go on. */
            429: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `HEADERS_TOO_LARGE`: The request line and headers are over the limit. */
            431: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `INTERNAL`: A defect of this fleet; the log has the cause. */
            500: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `IDENTITY_UNAVAILABLE`: The keys of the identity provider cannot be had, so its tokens cannot be checked.
             *
             *     `STORAGE_UNAVAILABLE`: Blob storage does not answer.
             *
             *     `QUEUE_UNAVAILABLE`: Redis does not answer.
             */
            503: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getBulkResults: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `id` of a bulk request. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description In the order of the items. */
            200: {
                headers: {
                    /** @description The wait that was applied. */
                    "Preference-Applied"?: string;
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description Once finished: the stages, in milliseconds, of the image that took longest, and their sum. */
                    "Server-Timing"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": string;
                };
            };
            /** @description `REQUEST_INVALID`: The request does not have the documented form. */
            400: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `UNAUTHENTICATED`: There is no key or token, or it is not one of this fleet, or no longer. */
            401: {
                headers: {
                    /** @description The scheme, and that the key or token was not accepted (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `FORBIDDEN`: The key or token lacks the scope of this route. */
            403: {
                headers: {
                    /** @description The scope that is missing (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `NOT_FOUND`: There is no such route, request or webhook endpoint. */
            404: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_SLOW`: The request did not arrive whole in time. */
            408: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `MEDIA_TYPE_UNSUPPORTED`: The request body is not application/json, or is compressed. */
            415: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `RATE_LIMITED`: The caller sends more than its limit; Retry-After says when to go on. */
            429: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `HEADERS_TOO_LARGE`: The request line and headers are over the limit. */
            431: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `INTERNAL`: A defect of this fleet; the log has the cause. */
            500: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `IDENTITY_UNAVAILABLE`: The keys of the identity provider cannot be had, so its tokens cannot be checked.
             *
             *     `STORAGE_UNAVAILABLE`: Blob storage does not answer.
             *
             *     `QUEUE_UNAVAILABLE`: Redis does not answer.
             */
            503: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createBulkAnswers: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    items: {
                        custom_id?: string;
                        image: {
                            /** @description The caller's name of the image, repeated wherever it is spoken of. */
                            customId?: string;
                            /**
                             * Format: uri
                             * @description An http or https URL of at most 2048 characters.
                             */
                            url: string;
                        } | {
                            /** @description The bytes of the image, at most 20971520 of them, in base64 (RFC 4648 section 4, padded). Line breaks and blanks are ignored; a leading "data:image/...;base64," too. */
                            base64: string;
                            /** @description The caller's name of the image, repeated wherever it is spoken of. */
                            customId?: string;
                        } | {
                            /** @description A blob of the fleet's storage account, in a container that the fleet is configured to read. */
                            blob: {
                                container: string;
                                name: string;
                            };
                            /** @description The caller's name of the image, repeated wherever it is spoken of. */
                            customId?: string;
                        };
                    }[];
                } & {
                    [key: string]: unknown;
                };
                "application/x-ndjson": string;
            };
        };
        responses: {
            /** @description What became of each item: one document for a document, a line for a line. */
            202: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        counts: {
                            accepted: number;
                            duplicate: number;
                            refused: number;
                        };
                        id: string;
                        items: {
                            custom_id?: string;
                            error?: components["schemas"]["ErrorReport"];
                            /** @description Position among all items, from 0. */
                            index: number;
                            /** @enum {string} */
                            status: "accepted" | "duplicate" | "refused";
                        }[];
                    };
                    "application/x-ndjson": string;
                };
            };
            /**
             * @description `REQUEST_INVALID`: The request does not have the documented form.
             *
             *     `OPTION_INVALID`: An option or a text of the task is unknown or out of range.
             */
            400: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `UNAUTHENTICATED`: There is no key or token, or it is not one of this fleet, or no longer. */
            401: {
                headers: {
                    /** @description The scheme, and that the key or token was not accepted (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `FORBIDDEN`: The key or token lacks the scope of this route. */
            403: {
                headers: {
                    /** @description The scope that is missing (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_SLOW`: The request did not arrive whole in time. */
            408: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_LARGE`: The request body is over the limit. */
            413: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `MEDIA_TYPE_UNSUPPORTED`: The request body is not application/json, or is compressed. */
            415: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `TASK_UNSUPPORTED`: No model here has a head for this task. */
            422: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `RATE_LIMITED`: The caller sends more than its limit; Retry-After says when to go on.
             *
             *     `QUEUE_FULL`: More work is waiting than the fleet accepts.
             */
            429: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `HEADERS_TOO_LARGE`: The request line and headers are over the limit. */
            431: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `INTERNAL`: A defect of this fleet; the log has the cause. */
            500: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `IDENTITY_UNAVAILABLE`: The keys of the identity provider cannot be had, so its tokens cannot be checked.
             *
             *     `STORAGE_UNAVAILABLE`: Blob storage does not answer.
             *
             *     `QUEUE_UNAVAILABLE`: Redis does not answer.
             */
            503: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createBulkCaptions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    items: {
                        custom_id?: string;
                        image: {
                            /** @description The caller's name of the image, repeated wherever it is spoken of. */
                            customId?: string;
                            /**
                             * Format: uri
                             * @description An http or https URL of at most 2048 characters.
                             */
                            url: string;
                        } | {
                            /** @description The bytes of the image, at most 20971520 of them, in base64 (RFC 4648 section 4, padded). Line breaks and blanks are ignored; a leading "data:image/...;base64," too. */
                            base64: string;
                            /** @description The caller's name of the image, repeated wherever it is spoken of. */
                            customId?: string;
                        } | {
                            /** @description A blob of the fleet's storage account, in a container that the fleet is configured to read. */
                            blob: {
                                container: string;
                                name: string;
                            };
                            /** @description The caller's name of the image, repeated wherever it is spoken of. */
                            customId?: string;
                        };
                    }[];
                } & {
                    [key: string]: unknown;
                };
                "application/x-ndjson": string;
            };
        };
        responses: {
            /** @description What became of each item: one document for a document, a line for a line. */
            202: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        counts: {
                            accepted: number;
                            duplicate: number;
                            refused: number;
                        };
                        id: string;
                        items: {
                            custom_id?: string;
                            error?: components["schemas"]["ErrorReport"];
                            /** @description Position among all items, from 0. */
                            index: number;
                            /** @enum {string} */
                            status: "accepted" | "duplicate" | "refused";
                        }[];
                    };
                    "application/x-ndjson": string;
                };
            };
            /**
             * @description `REQUEST_INVALID`: The request does not have the documented form.
             *
             *     `OPTION_INVALID`: An option or a text of the task is unknown or out of range.
             */
            400: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `UNAUTHENTICATED`: There is no key or token, or it is not one of this fleet, or no longer. */
            401: {
                headers: {
                    /** @description The scheme, and that the key or token was not accepted (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `FORBIDDEN`: The key or token lacks the scope of this route. */
            403: {
                headers: {
                    /** @description The scope that is missing (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_SLOW`: The request did not arrive whole in time. */
            408: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_LARGE`: The request body is over the limit. */
            413: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `MEDIA_TYPE_UNSUPPORTED`: The request body is not application/json, or is compressed. */
            415: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `TASK_UNSUPPORTED`: No model here has a head for this task. */
            422: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `RATE_LIMITED`: The caller sends more than its limit; Retry-After says when to go on.
             *
             *     `QUEUE_FULL`: More work is waiting than the fleet accepts.
             */
            429: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `HEADERS_TOO_LARGE`: The request line and headers are over the limit. */
            431: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `INTERNAL`: A defect of this fleet; the log has the cause. */
            500: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `IDENTITY_UNAVAILABLE`: The keys of the identity provider cannot be had, so its tokens cannot be checked.
             *
             *     `STORAGE_UNAVAILABLE`: Blob storage does not answer.
             *
             *     `QUEUE_UNAVAILABLE`: Redis does not answer.
             */
            503: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createBulkEmbeddings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    items: {
                        custom_id?: string;
                        image: {
                            /** @description The caller's name of the image, repeated wherever it is spoken of. */
                            customId?: string;
                            /**
                             * Format: uri
                             * @description An http or https URL of at most 2048 characters.
                             */
                            url: string;
                        } | {
                            /** @description The bytes of the image, at most 20971520 of them, in base64 (RFC 4648 section 4, padded). Line breaks and blanks are ignored; a leading "data:image/...;base64," too. */
                            base64: string;
                            /** @description The caller's name of the image, repeated wherever it is spoken of. */
                            customId?: string;
                        } | {
                            /** @description A blob of the fleet's storage account, in a container that the fleet is configured to read. */
                            blob: {
                                container: string;
                                name: string;
                            };
                            /** @description The caller's name of the image, repeated wherever it is spoken of. */
                            customId?: string;
                        };
                    }[];
                } & {
                    [key: string]: unknown;
                };
                "application/x-ndjson": string;
            };
        };
        responses: {
            /** @description What became of each item: one document for a document, a line for a line. */
            202: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        counts: {
                            accepted: number;
                            duplicate: number;
                            refused: number;
                        };
                        id: string;
                        items: {
                            custom_id?: string;
                            error?: components["schemas"]["ErrorReport"];
                            /** @description Position among all items, from 0. */
                            index: number;
                            /** @enum {string} */
                            status: "accepted" | "duplicate" | "refused";
                        }[];
                    };
                    "application/x-ndjson": string;
                };
            };
            /**
             * @description `REQUEST_INVALID`: The request does not have the documented form.
             *
             *     `OPTION_INVALID`: An option or a text of the task is unknown or out of range.
             */
            400: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `UNAUTHENTICATED`: There is no key or token, or it is not one of this fleet, or no longer. */
            401: {
                headers: {
                    /** @description The scheme, and that the key or token was not accepted (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `FORBIDDEN`: The key or token lacks the scope of this route. */
            403: {
                headers: {
                    /** @description The scope that is missing (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_SLOW`: The request did not arrive whole in time. */
            408: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_LARGE`: The request body is over the limit. */
            413: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `MEDIA_TYPE_UNSUPPORTED`: The request body is not application/json, or is compressed. */
            415: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `TASK_UNSUPPORTED`: No model here has a head for this task. */
            422: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `RATE_LIMITED`: The caller sends more than its limit; Retry-After says when to go on.
             *
             *     `QUEUE_FULL`: More work is waiting than the fleet accepts.
             */
            429: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `HEADERS_TOO_LARGE`: The request line and headers are over the limit. */
            431: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `INTERNAL`: A defect of this fleet; the log has the cause. */
            500: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `IDENTITY_UNAVAILABLE`: The keys of the identity provider cannot be had, so its tokens cannot be checked.
             *
             *     `STORAGE_UNAVAILABLE`: Blob storage does not answer.
             *
             *     `QUEUE_UNAVAILABLE`: Redis does not answer.
             */
            503: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createBulkMatches: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    items: {
                        custom_id?: string;
                        image: {
                            /** @description The caller's name of the image, repeated wherever it is spoken of. */
                            customId?: string;
                            /**
                             * Format: uri
                             * @description An http or https URL of at most 2048 characters.
                             */
                            url: string;
                        } | {
                            /** @description The bytes of the image, at most 20971520 of them, in base64 (RFC 4648 section 4, padded). Line breaks and blanks are ignored; a leading "data:image/...;base64," too. */
                            base64: string;
                            /** @description The caller's name of the image, repeated wherever it is spoken of. */
                            customId?: string;
                        } | {
                            /** @description A blob of the fleet's storage account, in a container that the fleet is configured to read. */
                            blob: {
                                container: string;
                                name: string;
                            };
                            /** @description The caller's name of the image, repeated wherever it is spoken of. */
                            customId?: string;
                        };
                    }[];
                } & {
                    [key: string]: unknown;
                };
                "application/x-ndjson": string;
            };
        };
        responses: {
            /** @description What became of each item: one document for a document, a line for a line. */
            202: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        counts: {
                            accepted: number;
                            duplicate: number;
                            refused: number;
                        };
                        id: string;
                        items: {
                            custom_id?: string;
                            error?: components["schemas"]["ErrorReport"];
                            /** @description Position among all items, from 0. */
                            index: number;
                            /** @enum {string} */
                            status: "accepted" | "duplicate" | "refused";
                        }[];
                    };
                    "application/x-ndjson": string;
                };
            };
            /**
             * @description `REQUEST_INVALID`: The request does not have the documented form.
             *
             *     `OPTION_INVALID`: An option or a text of the task is unknown or out of range.
             */
            400: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `UNAUTHENTICATED`: There is no key or token, or it is not one of this fleet, or no longer. */
            401: {
                headers: {
                    /** @description The scheme, and that the key or token was not accepted (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `FORBIDDEN`: The key or token lacks the scope of this route. */
            403: {
                headers: {
                    /** @description The scope that is missing (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_SLOW`: The request did not arrive whole in time. */
            408: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_LARGE`: The request body is over the limit. */
            413: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `MEDIA_TYPE_UNSUPPORTED`: The request body is not application/json, or is compressed. */
            415: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `TASK_UNSUPPORTED`: No model here has a head for this task. */
            422: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `RATE_LIMITED`: The caller sends more than its limit; Retry-After says when to go on.
             *
             *     `QUEUE_FULL`: More work is waiting than the fleet accepts.
             */
            429: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `HEADERS_TOO_LARGE`: The request line and headers are over the limit. */
            431: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `INTERNAL`: A defect of this fleet; the log has the cause. */
            500: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `IDENTITY_UNAVAILABLE`: The keys of the identity provider cannot be had, so its tokens cannot be checked.
             *
             *     `STORAGE_UNAVAILABLE`: Blob storage does not answer.
             *
             *     `QUEUE_UNAVAILABLE`: Redis does not answer.
             */
            503: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listCaptions: {
        parameters: {
            query?: {
                /** @description Only requests whose ids are of this time or later (RFC 3339). */
                created_after?: string;
                /** @description `nextCursor` of the page before, as it is. */
                cursor?: string;
                /** @description Requests of a page at most, up to 100. */
                limit?: number;
                /** @description Only requests of this status. Storage cannot search for it: each request is looked at, up to 500 a call, so a page may hold fewer than `limit`, even none, and yet have a `nextCursor`. */
                status?: "queued" | "running" | "succeeded" | "failed" | "aborted" | "canceled";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page. */
            200: {
                headers: {
                    /** @description The wait that was applied. */
                    "Preference-Applied"?: string;
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description Once finished: the stages, in milliseconds, of the image that took longest, and their sum. */
                    "Server-Timing"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RequestListing"];
                };
            };
            /** @description `REQUEST_INVALID`: The request does not have the documented form. */
            400: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `UNAUTHENTICATED`: There is no key or token, or it is not one of this fleet, or no longer. */
            401: {
                headers: {
                    /** @description The scheme, and that the key or token was not accepted (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `FORBIDDEN`: The key or token lacks the scope of this route. */
            403: {
                headers: {
                    /** @description The scope that is missing (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_SLOW`: The request did not arrive whole in time. */
            408: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `MEDIA_TYPE_UNSUPPORTED`: The request body is not application/json, or is compressed. */
            415: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `RATE_LIMITED`: The caller sends more than its limit; Retry-After says when to go on. */
            429: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `HEADERS_TOO_LARGE`: The request line and headers are over the limit. */
            431: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `INTERNAL`: A defect of this fleet; the log has the cause. */
            500: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `IDENTITY_UNAVAILABLE`: The keys of the identity provider cannot be had, so its tokens cannot be checked.
             *
             *     `STORAGE_UNAVAILABLE`: Blob storage does not answer.
             *
             *     `QUEUE_UNAVAILABLE`: Redis does not answer.
             */
            503: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createCaptions: {
        parameters: {
            query?: never;
            header?: {
                /** @description Seconds, or a number with s, m or h, after which nobody wants what is not finished then. */
                "cancel-after"?: string;
                /** @description A name of this request among those of the caller, in quotes or without. Sent again with the same body it answers with the status of now and `Idempotent-Replayed: true`; with another body it is 409. */
                "idempotency-key"?: string;
                /** @description "wait=N" (RFC 7240) keeps the answer back for up to N seconds, 60 at most. */
                prefer?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CaptionRequestInput"];
            };
        };
        responses: {
            /** @description Finished in the time that `Prefer: wait` gave, or before. */
            200: {
                headers: {
                    /** @description `true` when an earlier call had sent this request. */
                    "Idempotent-Replayed"?: string;
                    /** @description Its path. */
                    Location?: string;
                    /** @description The absolute URL of the request. */
                    "Operation-Location"?: string;
                    /** @description The wait that was applied. */
                    "Preference-Applied"?: string;
                    /** @description Once finished: the stages, in milliseconds, of the image that took longest, and their sum. */
                    "Server-Timing"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CaptionRequestStatus"];
                };
            };
            /** @description Accepted: poll `Operation-Location`. */
            202: {
                headers: {
                    /** @description `true` when an earlier call had sent this request. */
                    "Idempotent-Replayed"?: string;
                    /** @description Its path. */
                    Location?: string;
                    /** @description The absolute URL of the request. */
                    "Operation-Location"?: string;
                    /** @description The wait that was applied. */
                    "Preference-Applied"?: string;
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CaptionRequestStatus"];
                };
            };
            /**
             * @description `REQUEST_INVALID`: The request does not have the documented form.
             *
             *     `OPTION_INVALID`: An option or a text of the task is unknown or out of range.
             */
            400: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `UNAUTHENTICATED`: There is no key or token, or it is not one of this fleet, or no longer. */
            401: {
                headers: {
                    /** @description The scheme, and that the key or token was not accepted (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `FORBIDDEN`: The key or token lacks the scope of this route. */
            403: {
                headers: {
                    /** @description The scope that is missing (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_SLOW`: The request did not arrive whole in time. */
            408: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `IDEMPOTENCY_CONFLICT`: This Idempotency-Key or id stands for a request with another body. */
            409: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_LARGE`: The request body is over the limit. */
            413: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `MEDIA_TYPE_UNSUPPORTED`: The request body is not application/json, or is compressed. */
            415: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `TASK_UNSUPPORTED`: No model here has a head for this task.
             *
             *     `URL_REFUSED`: The URL is malformed or points where the fleet will not go.
             *
             *     `IMAGES_REFUSED`: Every image was refused at the door; `errors` says why.
             */
            422: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `RATE_LIMITED`: The caller sends more than its limit; Retry-After says when to go on.
             *
             *     `QUEUE_FULL`: More work is waiting than the fleet accepts.
             *
             *     `DEADLINE_UNREACHABLE`: At the measured rate the work that waits takes longer than the deadline of the request allows.
             */
            429: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `HEADERS_TOO_LARGE`: The request line and headers are over the limit. */
            431: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `INTERNAL`: A defect of this fleet; the log has the cause. */
            500: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `IDENTITY_UNAVAILABLE`: The keys of the identity provider cannot be had, so its tokens cannot be checked.
             *
             *     `STORAGE_UNAVAILABLE`: Blob storage does not answer.
             *
             *     `QUEUE_UNAVAILABLE`: Redis does not answer.
             */
            503: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getCaptions: {
        parameters: {
            query?: never;
            header?: {
                /** @description "wait=N" (RFC 7240) keeps the answer back for up to N seconds, 60 at most. */
                prefer?: string;
            };
            path: {
                /** @description The `id` of a request. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The status of the request and of each image. */
            200: {
                headers: {
                    /** @description The wait that was applied. */
                    "Preference-Applied"?: string;
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description Once finished: the stages, in milliseconds, of the image that took longest, and their sum. */
                    "Server-Timing"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CaptionRequestStatus"];
                };
            };
            /** @description `REQUEST_INVALID`: The request does not have the documented form. */
            400: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `UNAUTHENTICATED`: There is no key or token, or it is not one of this fleet, or no longer. */
            401: {
                headers: {
                    /** @description The scheme, and that the key or token was not accepted (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `FORBIDDEN`: The key or token lacks the scope of this route. */
            403: {
                headers: {
                    /** @description The scope that is missing (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `NOT_FOUND`: There is no such route, request or webhook endpoint. */
            404: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_SLOW`: The request did not arrive whole in time. */
            408: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `MEDIA_TYPE_UNSUPPORTED`: The request body is not application/json, or is compressed. */
            415: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `RATE_LIMITED`: The caller sends more than its limit; Retry-After says when to go on. */
            429: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `HEADERS_TOO_LARGE`: The request line and headers are over the limit. */
            431: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `INTERNAL`: A defect of this fleet; the log has the cause. */
            500: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `IDENTITY_UNAVAILABLE`: The keys of the identity provider cannot be had, so its tokens cannot be checked.
             *
             *     `STORAGE_UNAVAILABLE`: Blob storage does not answer.
             *
             *     `QUEUE_UNAVAILABLE`: Redis does not answer.
             */
            503: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    putCaptions: {
        parameters: {
            query?: never;
            header?: {
                /** @description Seconds, or a number with s, m or h, after which nobody wants what is not finished then. */
                "cancel-after"?: string;
                /** @description "wait=N" (RFC 7240) keeps the answer back for up to N seconds, 60 at most. */
                prefer?: string;
            };
            path: {
                /** @description A ULID in lower case, new for each request. */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CaptionRequestInput"];
            };
        };
        responses: {
            /** @description Finished in the time that `Prefer: wait` gave, or before. */
            200: {
                headers: {
                    /** @description `true` when an earlier call had sent this request. */
                    "Idempotent-Replayed"?: string;
                    /** @description Its path. */
                    Location?: string;
                    /** @description The absolute URL of the request. */
                    "Operation-Location"?: string;
                    /** @description The wait that was applied. */
                    "Preference-Applied"?: string;
                    /** @description Once finished: the stages, in milliseconds, of the image that took longest, and their sum. */
                    "Server-Timing"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CaptionRequestStatus"];
                };
            };
            /** @description Accepted: poll `Operation-Location`. */
            202: {
                headers: {
                    /** @description `true` when an earlier call had sent this request. */
                    "Idempotent-Replayed"?: string;
                    /** @description Its path. */
                    Location?: string;
                    /** @description The absolute URL of the request. */
                    "Operation-Location"?: string;
                    /** @description The wait that was applied. */
                    "Preference-Applied"?: string;
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CaptionRequestStatus"];
                };
            };
            /**
             * @description `REQUEST_INVALID`: The request does not have the documented form.
             *
             *     `OPTION_INVALID`: An option or a text of the task is unknown or out of range.
             */
            400: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `UNAUTHENTICATED`: There is no key or token, or it is not one of this fleet, or no longer. */
            401: {
                headers: {
                    /** @description The scheme, and that the key or token was not accepted (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `FORBIDDEN`: The key or token lacks the scope of this route. */
            403: {
                headers: {
                    /** @description The scope that is missing (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_SLOW`: The request did not arrive whole in time. */
            408: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `IDEMPOTENCY_CONFLICT`: This Idempotency-Key or id stands for a request with another body. */
            409: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_LARGE`: The request body is over the limit. */
            413: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `MEDIA_TYPE_UNSUPPORTED`: The request body is not application/json, or is compressed. */
            415: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `TASK_UNSUPPORTED`: No model here has a head for this task.
             *
             *     `URL_REFUSED`: The URL is malformed or points where the fleet will not go.
             *
             *     `IMAGES_REFUSED`: Every image was refused at the door; `errors` says why.
             */
            422: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `RATE_LIMITED`: The caller sends more than its limit; Retry-After says when to go on.
             *
             *     `QUEUE_FULL`: More work is waiting than the fleet accepts.
             *
             *     `DEADLINE_UNREACHABLE`: At the measured rate the work that waits takes longer than the deadline of the request allows.
             */
            429: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `HEADERS_TOO_LARGE`: The request line and headers are over the limit. */
            431: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `INTERNAL`: A defect of this fleet; the log has the cause. */
            500: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `IDENTITY_UNAVAILABLE`: The keys of the identity provider cannot be had, so its tokens cannot be checked.
             *
             *     `STORAGE_UNAVAILABLE`: Blob storage does not answer.
             *
             *     `QUEUE_UNAVAILABLE`: Redis does not answer.
             */
            503: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    cancelCaptions: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `id` of a request. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The status of the request, in which nothing is open any more. */
            200: {
                headers: {
                    /** @description The wait that was applied. */
                    "Preference-Applied"?: string;
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description Once finished: the stages, in milliseconds, of the image that took longest, and their sum. */
                    "Server-Timing"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CaptionRequestStatus"];
                };
            };
            /** @description `REQUEST_INVALID`: The request does not have the documented form. */
            400: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `UNAUTHENTICATED`: There is no key or token, or it is not one of this fleet, or no longer. */
            401: {
                headers: {
                    /** @description The scheme, and that the key or token was not accepted (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `FORBIDDEN`: The key or token lacks the scope of this route. */
            403: {
                headers: {
                    /** @description The scope that is missing (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `NOT_FOUND`: There is no such route, request or webhook endpoint. */
            404: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_SLOW`: The request did not arrive whole in time. */
            408: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `MEDIA_TYPE_UNSUPPORTED`: The request body is not application/json, or is compressed. */
            415: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `RATE_LIMITED`: The caller sends more than its limit; Retry-After says when to go on. */
            429: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `HEADERS_TOO_LARGE`: The request line and headers are over the limit. */
            431: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `INTERNAL`: A defect of this fleet; the log has the cause. */
            500: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `IDENTITY_UNAVAILABLE`: The keys of the identity provider cannot be had, so its tokens cannot be checked.
             *
             *     `STORAGE_UNAVAILABLE`: Blob storage does not answer.
             *
             *     `QUEUE_UNAVAILABLE`: Redis does not answer.
             */
            503: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    streamCaptions: {
        parameters: {
            query?: never;
            header?: {
                /** @description The id of the last event that was received: everything after it is sent. */
                "last-event-id"?: string;
            };
            path: {
                /** @description The `id` of a request. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The events. */
            200: {
                headers: {
                    /** @description The wait that was applied. */
                    "Preference-Applied"?: string;
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description Once finished: the stages, in milliseconds, of the image that took longest, and their sum. */
                    "Server-Timing"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            /** @description Everything was received: do not ask again. */
            204: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `REQUEST_INVALID`: The request does not have the documented form. */
            400: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `UNAUTHENTICATED`: There is no key or token, or it is not one of this fleet, or no longer. */
            401: {
                headers: {
                    /** @description The scheme, and that the key or token was not accepted (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `FORBIDDEN`: The key or token lacks the scope of this route. */
            403: {
                headers: {
                    /** @description The scope that is missing (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `NOT_FOUND`: There is no such route, request or webhook endpoint. */
            404: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_SLOW`: The request did not arrive whole in time. */
            408: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `MEDIA_TYPE_UNSUPPORTED`: The request body is not application/json, or is compressed. */
            415: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `RATE_LIMITED`: The caller sends more than its limit; Retry-After says when to go on. */
            429: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `HEADERS_TOO_LARGE`: The request line and headers are over the limit. */
            431: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `INTERNAL`: A defect of this fleet; the log has the cause. */
            500: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `IDENTITY_UNAVAILABLE`: The keys of the identity provider cannot be had, so its tokens cannot be checked.
             *
             *     `STORAGE_UNAVAILABLE`: Blob storage does not answer.
             *
             *     `STREAMS_FULL`: This process has as many event streams open as it serves.
             *
             *     `QUEUE_UNAVAILABLE`: Redis does not answer.
             */
            503: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listEmbeddings: {
        parameters: {
            query?: {
                /** @description Only requests whose ids are of this time or later (RFC 3339). */
                created_after?: string;
                /** @description `nextCursor` of the page before, as it is. */
                cursor?: string;
                /** @description Requests of a page at most, up to 100. */
                limit?: number;
                /** @description Only requests of this status. Storage cannot search for it: each request is looked at, up to 500 a call, so a page may hold fewer than `limit`, even none, and yet have a `nextCursor`. */
                status?: "queued" | "running" | "succeeded" | "failed" | "aborted" | "canceled";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page. */
            200: {
                headers: {
                    /** @description The wait that was applied. */
                    "Preference-Applied"?: string;
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description Once finished: the stages, in milliseconds, of the image that took longest, and their sum. */
                    "Server-Timing"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RequestListing"];
                };
            };
            /** @description `REQUEST_INVALID`: The request does not have the documented form. */
            400: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `UNAUTHENTICATED`: There is no key or token, or it is not one of this fleet, or no longer. */
            401: {
                headers: {
                    /** @description The scheme, and that the key or token was not accepted (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `FORBIDDEN`: The key or token lacks the scope of this route. */
            403: {
                headers: {
                    /** @description The scope that is missing (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_SLOW`: The request did not arrive whole in time. */
            408: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `MEDIA_TYPE_UNSUPPORTED`: The request body is not application/json, or is compressed. */
            415: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `RATE_LIMITED`: The caller sends more than its limit; Retry-After says when to go on. */
            429: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `HEADERS_TOO_LARGE`: The request line and headers are over the limit. */
            431: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `INTERNAL`: A defect of this fleet; the log has the cause. */
            500: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `IDENTITY_UNAVAILABLE`: The keys of the identity provider cannot be had, so its tokens cannot be checked.
             *
             *     `STORAGE_UNAVAILABLE`: Blob storage does not answer.
             *
             *     `QUEUE_UNAVAILABLE`: Redis does not answer.
             */
            503: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createEmbeddings: {
        parameters: {
            query?: never;
            header?: {
                /** @description Seconds, or a number with s, m or h, after which nobody wants what is not finished then. */
                "cancel-after"?: string;
                /** @description A name of this request among those of the caller, in quotes or without. Sent again with the same body it answers with the status of now and `Idempotent-Replayed: true`; with another body it is 409. */
                "idempotency-key"?: string;
                /** @description "wait=N" (RFC 7240) keeps the answer back for up to N seconds, 60 at most. */
                prefer?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EmbedRequestInput"];
            };
        };
        responses: {
            /** @description Finished in the time that `Prefer: wait` gave, or before. */
            200: {
                headers: {
                    /** @description `true` when an earlier call had sent this request. */
                    "Idempotent-Replayed"?: string;
                    /** @description Its path. */
                    Location?: string;
                    /** @description The absolute URL of the request. */
                    "Operation-Location"?: string;
                    /** @description The wait that was applied. */
                    "Preference-Applied"?: string;
                    /** @description Once finished: the stages, in milliseconds, of the image that took longest, and their sum. */
                    "Server-Timing"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EmbedRequestStatus"];
                };
            };
            /** @description Accepted: poll `Operation-Location`. */
            202: {
                headers: {
                    /** @description `true` when an earlier call had sent this request. */
                    "Idempotent-Replayed"?: string;
                    /** @description Its path. */
                    Location?: string;
                    /** @description The absolute URL of the request. */
                    "Operation-Location"?: string;
                    /** @description The wait that was applied. */
                    "Preference-Applied"?: string;
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EmbedRequestStatus"];
                };
            };
            /**
             * @description `REQUEST_INVALID`: The request does not have the documented form.
             *
             *     `OPTION_INVALID`: An option or a text of the task is unknown or out of range.
             */
            400: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `UNAUTHENTICATED`: There is no key or token, or it is not one of this fleet, or no longer. */
            401: {
                headers: {
                    /** @description The scheme, and that the key or token was not accepted (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `FORBIDDEN`: The key or token lacks the scope of this route. */
            403: {
                headers: {
                    /** @description The scope that is missing (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_SLOW`: The request did not arrive whole in time. */
            408: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `IDEMPOTENCY_CONFLICT`: This Idempotency-Key or id stands for a request with another body. */
            409: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_LARGE`: The request body is over the limit. */
            413: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `MEDIA_TYPE_UNSUPPORTED`: The request body is not application/json, or is compressed. */
            415: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `TASK_UNSUPPORTED`: No model here has a head for this task.
             *
             *     `URL_REFUSED`: The URL is malformed or points where the fleet will not go.
             *
             *     `IMAGES_REFUSED`: Every image was refused at the door; `errors` says why.
             */
            422: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `RATE_LIMITED`: The caller sends more than its limit; Retry-After says when to go on.
             *
             *     `QUEUE_FULL`: More work is waiting than the fleet accepts.
             *
             *     `DEADLINE_UNREACHABLE`: At the measured rate the work that waits takes longer than the deadline of the request allows.
             */
            429: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `HEADERS_TOO_LARGE`: The request line and headers are over the limit. */
            431: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `INTERNAL`: A defect of this fleet; the log has the cause. */
            500: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `IDENTITY_UNAVAILABLE`: The keys of the identity provider cannot be had, so its tokens cannot be checked.
             *
             *     `STORAGE_UNAVAILABLE`: Blob storage does not answer.
             *
             *     `QUEUE_UNAVAILABLE`: Redis does not answer.
             */
            503: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getEmbeddings: {
        parameters: {
            query?: never;
            header?: {
                /** @description "wait=N" (RFC 7240) keeps the answer back for up to N seconds, 60 at most. */
                prefer?: string;
            };
            path: {
                /** @description The `id` of a request. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The status of the request and of each image. */
            200: {
                headers: {
                    /** @description The wait that was applied. */
                    "Preference-Applied"?: string;
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description Once finished: the stages, in milliseconds, of the image that took longest, and their sum. */
                    "Server-Timing"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EmbedRequestStatus"];
                };
            };
            /** @description `REQUEST_INVALID`: The request does not have the documented form. */
            400: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `UNAUTHENTICATED`: There is no key or token, or it is not one of this fleet, or no longer. */
            401: {
                headers: {
                    /** @description The scheme, and that the key or token was not accepted (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `FORBIDDEN`: The key or token lacks the scope of this route. */
            403: {
                headers: {
                    /** @description The scope that is missing (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `NOT_FOUND`: There is no such route, request or webhook endpoint. */
            404: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_SLOW`: The request did not arrive whole in time. */
            408: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `MEDIA_TYPE_UNSUPPORTED`: The request body is not application/json, or is compressed. */
            415: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `RATE_LIMITED`: The caller sends more than its limit; Retry-After says when to go on. */
            429: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `HEADERS_TOO_LARGE`: The request line and headers are over the limit. */
            431: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `INTERNAL`: A defect of this fleet; the log has the cause. */
            500: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `IDENTITY_UNAVAILABLE`: The keys of the identity provider cannot be had, so its tokens cannot be checked.
             *
             *     `STORAGE_UNAVAILABLE`: Blob storage does not answer.
             *
             *     `QUEUE_UNAVAILABLE`: Redis does not answer.
             */
            503: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    putEmbeddings: {
        parameters: {
            query?: never;
            header?: {
                /** @description Seconds, or a number with s, m or h, after which nobody wants what is not finished then. */
                "cancel-after"?: string;
                /** @description "wait=N" (RFC 7240) keeps the answer back for up to N seconds, 60 at most. */
                prefer?: string;
            };
            path: {
                /** @description A ULID in lower case, new for each request. */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EmbedRequestInput"];
            };
        };
        responses: {
            /** @description Finished in the time that `Prefer: wait` gave, or before. */
            200: {
                headers: {
                    /** @description `true` when an earlier call had sent this request. */
                    "Idempotent-Replayed"?: string;
                    /** @description Its path. */
                    Location?: string;
                    /** @description The absolute URL of the request. */
                    "Operation-Location"?: string;
                    /** @description The wait that was applied. */
                    "Preference-Applied"?: string;
                    /** @description Once finished: the stages, in milliseconds, of the image that took longest, and their sum. */
                    "Server-Timing"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EmbedRequestStatus"];
                };
            };
            /** @description Accepted: poll `Operation-Location`. */
            202: {
                headers: {
                    /** @description `true` when an earlier call had sent this request. */
                    "Idempotent-Replayed"?: string;
                    /** @description Its path. */
                    Location?: string;
                    /** @description The absolute URL of the request. */
                    "Operation-Location"?: string;
                    /** @description The wait that was applied. */
                    "Preference-Applied"?: string;
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EmbedRequestStatus"];
                };
            };
            /**
             * @description `REQUEST_INVALID`: The request does not have the documented form.
             *
             *     `OPTION_INVALID`: An option or a text of the task is unknown or out of range.
             */
            400: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `UNAUTHENTICATED`: There is no key or token, or it is not one of this fleet, or no longer. */
            401: {
                headers: {
                    /** @description The scheme, and that the key or token was not accepted (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `FORBIDDEN`: The key or token lacks the scope of this route. */
            403: {
                headers: {
                    /** @description The scope that is missing (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_SLOW`: The request did not arrive whole in time. */
            408: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `IDEMPOTENCY_CONFLICT`: This Idempotency-Key or id stands for a request with another body. */
            409: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_LARGE`: The request body is over the limit. */
            413: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `MEDIA_TYPE_UNSUPPORTED`: The request body is not application/json, or is compressed. */
            415: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `TASK_UNSUPPORTED`: No model here has a head for this task.
             *
             *     `URL_REFUSED`: The URL is malformed or points where the fleet will not go.
             *
             *     `IMAGES_REFUSED`: Every image was refused at the door; `errors` says why.
             */
            422: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `RATE_LIMITED`: The caller sends more than its limit; Retry-After says when to go on.
             *
             *     `QUEUE_FULL`: More work is waiting than the fleet accepts.
             *
             *     `DEADLINE_UNREACHABLE`: At the measured rate the work that waits takes longer than the deadline of the request allows.
             */
            429: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `HEADERS_TOO_LARGE`: The request line and headers are over the limit. */
            431: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `INTERNAL`: A defect of this fleet; the log has the cause. */
            500: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `IDENTITY_UNAVAILABLE`: The keys of the identity provider cannot be had, so its tokens cannot be checked.
             *
             *     `STORAGE_UNAVAILABLE`: Blob storage does not answer.
             *
             *     `QUEUE_UNAVAILABLE`: Redis does not answer.
             */
            503: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    cancelEmbeddings: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `id` of a request. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The status of the request, in which nothing is open any more. */
            200: {
                headers: {
                    /** @description The wait that was applied. */
                    "Preference-Applied"?: string;
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description Once finished: the stages, in milliseconds, of the image that took longest, and their sum. */
                    "Server-Timing"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EmbedRequestStatus"];
                };
            };
            /** @description `REQUEST_INVALID`: The request does not have the documented form. */
            400: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `UNAUTHENTICATED`: There is no key or token, or it is not one of this fleet, or no longer. */
            401: {
                headers: {
                    /** @description The scheme, and that the key or token was not accepted (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `FORBIDDEN`: The key or token lacks the scope of this route. */
            403: {
                headers: {
                    /** @description The scope that is missing (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `NOT_FOUND`: There is no such route, request or webhook endpoint. */
            404: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_SLOW`: The request did not arrive whole in time. */
            408: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `MEDIA_TYPE_UNSUPPORTED`: The request body is not application/json, or is compressed. */
            415: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `RATE_LIMITED`: The caller sends more than its limit; Retry-After says when to go on. */
            429: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `HEADERS_TOO_LARGE`: The request line and headers are over the limit. */
            431: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `INTERNAL`: A defect of this fleet; the log has the cause. */
            500: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `IDENTITY_UNAVAILABLE`: The keys of the identity provider cannot be had, so its tokens cannot be checked.
             *
             *     `STORAGE_UNAVAILABLE`: Blob storage does not answer.
             *
             *     `QUEUE_UNAVAILABLE`: Redis does not answer.
             */
            503: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    streamEmbeddings: {
        parameters: {
            query?: never;
            header?: {
                /** @description The id of the last event that was received: everything after it is sent. */
                "last-event-id"?: string;
            };
            path: {
                /** @description The `id` of a request. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The events. */
            200: {
                headers: {
                    /** @description The wait that was applied. */
                    "Preference-Applied"?: string;
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description Once finished: the stages, in milliseconds, of the image that took longest, and their sum. */
                    "Server-Timing"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            /** @description Everything was received: do not ask again. */
            204: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `REQUEST_INVALID`: The request does not have the documented form. */
            400: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `UNAUTHENTICATED`: There is no key or token, or it is not one of this fleet, or no longer. */
            401: {
                headers: {
                    /** @description The scheme, and that the key or token was not accepted (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `FORBIDDEN`: The key or token lacks the scope of this route. */
            403: {
                headers: {
                    /** @description The scope that is missing (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `NOT_FOUND`: There is no such route, request or webhook endpoint. */
            404: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_SLOW`: The request did not arrive whole in time. */
            408: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `MEDIA_TYPE_UNSUPPORTED`: The request body is not application/json, or is compressed. */
            415: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `RATE_LIMITED`: The caller sends more than its limit; Retry-After says when to go on. */
            429: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `HEADERS_TOO_LARGE`: The request line and headers are over the limit. */
            431: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `INTERNAL`: A defect of this fleet; the log has the cause. */
            500: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `IDENTITY_UNAVAILABLE`: The keys of the identity provider cannot be had, so its tokens cannot be checked.
             *
             *     `STORAGE_UNAVAILABLE`: Blob storage does not answer.
             *
             *     `STREAMS_FULL`: This process has as many event streams open as it serves.
             *
             *     `QUEUE_UNAVAILABLE`: Redis does not answer.
             */
            503: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listFiles: {
        parameters: {
            query?: {
                /** @description The last id of the page before. */
                after?: string;
                limit?: number;
                order?: "desc";
                purpose?: "batch" | "batch_output";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of them. */
            200: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["File"][];
                        first_id: string | null;
                        has_more: boolean;
                        last_id: string | null;
                        /** @enum {string} */
                        object: "list";
                    };
                };
            };
            /** @description `REQUEST_INVALID`: The request does not have the documented form. */
            400: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `UNAUTHENTICATED`: There is no key or token, or it is not one of this fleet, or no longer. */
            401: {
                headers: {
                    /** @description The scheme, and that the key or token was not accepted (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            /** @description `FORBIDDEN`: The key or token lacks the scope of this route. */
            403: {
                headers: {
                    /** @description The scope that is missing (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            /** @description `REQUEST_TOO_SLOW`: The request did not arrive whole in time. */
            408: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `MEDIA_TYPE_UNSUPPORTED`: The request body is not application/json, or is compressed. */
            415: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `RATE_LIMITED`: The caller sends more than its limit; Retry-After says when to go on. */
            429: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            /** @description `HEADERS_TOO_LARGE`: The request line and headers are over the limit. */
            431: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `INTERNAL`: A defect of this fleet; the log has the cause. */
            500: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            /**
             * @description `IDENTITY_UNAVAILABLE`: The keys of the identity provider cannot be had, so its tokens cannot be checked.
             *
             *     `STORAGE_UNAVAILABLE`: Blob storage does not answer.
             */
            503: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
        };
    };
    createFile: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "multipart/form-data": {
                    /** @description At most 200 MiB: a line for each image, at most 50000. */
                    file: string;
                    /** @constant */
                    purpose: "batch";
                };
            };
        };
        responses: {
            /** @description It is stored. */
            200: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["File"];
                };
            };
            /** @description `REQUEST_INVALID`: The request does not have the documented form. */
            400: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `UNAUTHENTICATED`: There is no key or token, or it is not one of this fleet, or no longer. */
            401: {
                headers: {
                    /** @description The scheme, and that the key or token was not accepted (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            /** @description `FORBIDDEN`: The key or token lacks the scope of this route. */
            403: {
                headers: {
                    /** @description The scope that is missing (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            /** @description `REQUEST_TOO_SLOW`: The request did not arrive whole in time. */
            408: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_LARGE`: The request body is over the limit. */
            413: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            /** @description `MEDIA_TYPE_UNSUPPORTED`: The request body is not application/json, or is compressed. */
            415: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `RATE_LIMITED`: The caller sends more than its limit; Retry-After says when to go on.
             *
             *     `QUEUE_FULL`: More work is waiting than the fleet accepts.
             */
            429: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            /** @description `HEADERS_TOO_LARGE`: The request line and headers are over the limit. */
            431: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `INTERNAL`: A defect of this fleet; the log has the cause. */
            500: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            /**
             * @description `IDENTITY_UNAVAILABLE`: The keys of the identity provider cannot be had, so its tokens cannot be checked.
             *
             *     `STORAGE_UNAVAILABLE`: Blob storage does not answer.
             */
            503: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
        };
    };
    getFile: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `id` of a file. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file. */
            200: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["File"];
                };
            };
            /** @description `REQUEST_INVALID`: The request does not have the documented form. */
            400: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `UNAUTHENTICATED`: There is no key or token, or it is not one of this fleet, or no longer. */
            401: {
                headers: {
                    /** @description The scheme, and that the key or token was not accepted (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            /** @description `FORBIDDEN`: The key or token lacks the scope of this route. */
            403: {
                headers: {
                    /** @description The scope that is missing (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            /** @description `NOT_FOUND`: There is no such route, request or webhook endpoint. */
            404: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            /** @description `REQUEST_TOO_SLOW`: The request did not arrive whole in time. */
            408: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `MEDIA_TYPE_UNSUPPORTED`: The request body is not application/json, or is compressed. */
            415: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `RATE_LIMITED`: The caller sends more than its limit; Retry-After says when to go on. */
            429: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            /** @description `HEADERS_TOO_LARGE`: The request line and headers are over the limit. */
            431: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `INTERNAL`: A defect of this fleet; the log has the cause. */
            500: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            /**
             * @description `IDENTITY_UNAVAILABLE`: The keys of the identity provider cannot be had, so its tokens cannot be checked.
             *
             *     `STORAGE_UNAVAILABLE`: Blob storage does not answer.
             */
            503: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
        };
    };
    deleteFile: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `id` of a file. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is no more. */
            200: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @enum {boolean} */
                        deleted: true;
                        id: string;
                        /** @enum {string} */
                        object: "file";
                    };
                };
            };
            /** @description `REQUEST_INVALID`: The request does not have the documented form. */
            400: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `UNAUTHENTICATED`: There is no key or token, or it is not one of this fleet, or no longer. */
            401: {
                headers: {
                    /** @description The scheme, and that the key or token was not accepted (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            /** @description `FORBIDDEN`: The key or token lacks the scope of this route. */
            403: {
                headers: {
                    /** @description The scope that is missing (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            /** @description `NOT_FOUND`: There is no such route, request or webhook endpoint. */
            404: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            /** @description `REQUEST_TOO_SLOW`: The request did not arrive whole in time. */
            408: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `FILE_IN_USE`: The file is the input of a batch that has not ended. */
            409: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            /** @description `MEDIA_TYPE_UNSUPPORTED`: The request body is not application/json, or is compressed. */
            415: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `RATE_LIMITED`: The caller sends more than its limit; Retry-After says when to go on. */
            429: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            /** @description `HEADERS_TOO_LARGE`: The request line and headers are over the limit. */
            431: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `INTERNAL`: A defect of this fleet; the log has the cause. */
            500: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            /**
             * @description `IDENTITY_UNAVAILABLE`: The keys of the identity provider cannot be had, so its tokens cannot be checked.
             *
             *     `STORAGE_UNAVAILABLE`: Blob storage does not answer.
             */
            503: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
        };
    };
    getFileContent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `id` of a file. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As they are. */
            200: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": string;
                };
            };
            /** @description `REQUEST_INVALID`: The request does not have the documented form. */
            400: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `UNAUTHENTICATED`: There is no key or token, or it is not one of this fleet, or no longer. */
            401: {
                headers: {
                    /** @description The scheme, and that the key or token was not accepted (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            /** @description `FORBIDDEN`: The key or token lacks the scope of this route. */
            403: {
                headers: {
                    /** @description The scope that is missing (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            /** @description `NOT_FOUND`: There is no such route, request or webhook endpoint. */
            404: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            /** @description `REQUEST_TOO_SLOW`: The request did not arrive whole in time. */
            408: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `MEDIA_TYPE_UNSUPPORTED`: The request body is not application/json, or is compressed. */
            415: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `RATE_LIMITED`: The caller sends more than its limit; Retry-After says when to go on. */
            429: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            /** @description `HEADERS_TOO_LARGE`: The request line and headers are over the limit. */
            431: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `INTERNAL`: A defect of this fleet; the log has the cause. */
            500: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            /**
             * @description `IDENTITY_UNAVAILABLE`: The keys of the identity provider cannot be had, so its tokens cannot be checked.
             *
             *     `STORAGE_UNAVAILABLE`: Blob storage does not answer.
             */
            503: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
        };
    };
    listMatches: {
        parameters: {
            query?: {
                /** @description Only requests whose ids are of this time or later (RFC 3339). */
                created_after?: string;
                /** @description `nextCursor` of the page before, as it is. */
                cursor?: string;
                /** @description Requests of a page at most, up to 100. */
                limit?: number;
                /** @description Only requests of this status. Storage cannot search for it: each request is looked at, up to 500 a call, so a page may hold fewer than `limit`, even none, and yet have a `nextCursor`. */
                status?: "queued" | "running" | "succeeded" | "failed" | "aborted" | "canceled";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page. */
            200: {
                headers: {
                    /** @description The wait that was applied. */
                    "Preference-Applied"?: string;
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description Once finished: the stages, in milliseconds, of the image that took longest, and their sum. */
                    "Server-Timing"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RequestListing"];
                };
            };
            /** @description `REQUEST_INVALID`: The request does not have the documented form. */
            400: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `UNAUTHENTICATED`: There is no key or token, or it is not one of this fleet, or no longer. */
            401: {
                headers: {
                    /** @description The scheme, and that the key or token was not accepted (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `FORBIDDEN`: The key or token lacks the scope of this route. */
            403: {
                headers: {
                    /** @description The scope that is missing (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_SLOW`: The request did not arrive whole in time. */
            408: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `MEDIA_TYPE_UNSUPPORTED`: The request body is not application/json, or is compressed. */
            415: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `RATE_LIMITED`: The caller sends more than its limit; Retry-After says when to go on. */
            429: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `HEADERS_TOO_LARGE`: The request line and headers are over the limit. */
            431: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `INTERNAL`: A defect of this fleet; the log has the cause. */
            500: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `IDENTITY_UNAVAILABLE`: The keys of the identity provider cannot be had, so its tokens cannot be checked.
             *
             *     `STORAGE_UNAVAILABLE`: Blob storage does not answer.
             *
             *     `QUEUE_UNAVAILABLE`: Redis does not answer.
             */
            503: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createMatches: {
        parameters: {
            query?: never;
            header?: {
                /** @description Seconds, or a number with s, m or h, after which nobody wants what is not finished then. */
                "cancel-after"?: string;
                /** @description A name of this request among those of the caller, in quotes or without. Sent again with the same body it answers with the status of now and `Idempotent-Replayed: true`; with another body it is 409. */
                "idempotency-key"?: string;
                /** @description "wait=N" (RFC 7240) keeps the answer back for up to N seconds, 60 at most. */
                prefer?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MatchRequestInput"];
            };
        };
        responses: {
            /** @description Finished in the time that `Prefer: wait` gave, or before. */
            200: {
                headers: {
                    /** @description `true` when an earlier call had sent this request. */
                    "Idempotent-Replayed"?: string;
                    /** @description Its path. */
                    Location?: string;
                    /** @description The absolute URL of the request. */
                    "Operation-Location"?: string;
                    /** @description The wait that was applied. */
                    "Preference-Applied"?: string;
                    /** @description Once finished: the stages, in milliseconds, of the image that took longest, and their sum. */
                    "Server-Timing"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MatchRequestStatus"];
                };
            };
            /** @description Accepted: poll `Operation-Location`. */
            202: {
                headers: {
                    /** @description `true` when an earlier call had sent this request. */
                    "Idempotent-Replayed"?: string;
                    /** @description Its path. */
                    Location?: string;
                    /** @description The absolute URL of the request. */
                    "Operation-Location"?: string;
                    /** @description The wait that was applied. */
                    "Preference-Applied"?: string;
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MatchRequestStatus"];
                };
            };
            /**
             * @description `REQUEST_INVALID`: The request does not have the documented form.
             *
             *     `OPTION_INVALID`: An option or a text of the task is unknown or out of range.
             */
            400: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `UNAUTHENTICATED`: There is no key or token, or it is not one of this fleet, or no longer. */
            401: {
                headers: {
                    /** @description The scheme, and that the key or token was not accepted (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `FORBIDDEN`: The key or token lacks the scope of this route. */
            403: {
                headers: {
                    /** @description The scope that is missing (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_SLOW`: The request did not arrive whole in time. */
            408: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `IDEMPOTENCY_CONFLICT`: This Idempotency-Key or id stands for a request with another body. */
            409: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_LARGE`: The request body is over the limit. */
            413: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `MEDIA_TYPE_UNSUPPORTED`: The request body is not application/json, or is compressed. */
            415: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `TASK_UNSUPPORTED`: No model here has a head for this task.
             *
             *     `URL_REFUSED`: The URL is malformed or points where the fleet will not go.
             *
             *     `IMAGES_REFUSED`: Every image was refused at the door; `errors` says why.
             */
            422: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `RATE_LIMITED`: The caller sends more than its limit; Retry-After says when to go on.
             *
             *     `QUEUE_FULL`: More work is waiting than the fleet accepts.
             *
             *     `DEADLINE_UNREACHABLE`: At the measured rate the work that waits takes longer than the deadline of the request allows.
             */
            429: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `HEADERS_TOO_LARGE`: The request line and headers are over the limit. */
            431: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `INTERNAL`: A defect of this fleet; the log has the cause. */
            500: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `IDENTITY_UNAVAILABLE`: The keys of the identity provider cannot be had, so its tokens cannot be checked.
             *
             *     `STORAGE_UNAVAILABLE`: Blob storage does not answer.
             *
             *     `QUEUE_UNAVAILABLE`: Redis does not answer.
             */
            503: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getMatches: {
        parameters: {
            query?: never;
            header?: {
                /** @description "wait=N" (RFC 7240) keeps the answer back for up to N seconds, 60 at most. */
                prefer?: string;
            };
            path: {
                /** @description The `id` of a request. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The status of the request and of each image. */
            200: {
                headers: {
                    /** @description The wait that was applied. */
                    "Preference-Applied"?: string;
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description Once finished: the stages, in milliseconds, of the image that took longest, and their sum. */
                    "Server-Timing"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MatchRequestStatus"];
                };
            };
            /** @description `REQUEST_INVALID`: The request does not have the documented form. */
            400: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `UNAUTHENTICATED`: There is no key or token, or it is not one of this fleet, or no longer. */
            401: {
                headers: {
                    /** @description The scheme, and that the key or token was not accepted (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `FORBIDDEN`: The key or token lacks the scope of this route. */
            403: {
                headers: {
                    /** @description The scope that is missing (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `NOT_FOUND`: There is no such route, request or webhook endpoint. */
            404: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_SLOW`: The request did not arrive whole in time. */
            408: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `MEDIA_TYPE_UNSUPPORTED`: The request body is not application/json, or is compressed. */
            415: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `RATE_LIMITED`: The caller sends more than its limit; Retry-After says when to go on. */
            429: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `HEADERS_TOO_LARGE`: The request line and headers are over the limit. */
            431: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `INTERNAL`: A defect of this fleet; the log has the cause. */
            500: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `IDENTITY_UNAVAILABLE`: The keys of the identity provider cannot be had, so its tokens cannot be checked.
             *
             *     `STORAGE_UNAVAILABLE`: Blob storage does not answer.
             *
             *     `QUEUE_UNAVAILABLE`: Redis does not answer.
             */
            503: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    putMatches: {
        parameters: {
            query?: never;
            header?: {
                /** @description Seconds, or a number with s, m or h, after which nobody wants what is not finished then. */
                "cancel-after"?: string;
                /** @description "wait=N" (RFC 7240) keeps the answer back for up to N seconds, 60 at most. */
                prefer?: string;
            };
            path: {
                /** @description A ULID in lower case, new for each request. */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MatchRequestInput"];
            };
        };
        responses: {
            /** @description Finished in the time that `Prefer: wait` gave, or before. */
            200: {
                headers: {
                    /** @description `true` when an earlier call had sent this request. */
                    "Idempotent-Replayed"?: string;
                    /** @description Its path. */
                    Location?: string;
                    /** @description The absolute URL of the request. */
                    "Operation-Location"?: string;
                    /** @description The wait that was applied. */
                    "Preference-Applied"?: string;
                    /** @description Once finished: the stages, in milliseconds, of the image that took longest, and their sum. */
                    "Server-Timing"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MatchRequestStatus"];
                };
            };
            /** @description Accepted: poll `Operation-Location`. */
            202: {
                headers: {
                    /** @description `true` when an earlier call had sent this request. */
                    "Idempotent-Replayed"?: string;
                    /** @description Its path. */
                    Location?: string;
                    /** @description The absolute URL of the request. */
                    "Operation-Location"?: string;
                    /** @description The wait that was applied. */
                    "Preference-Applied"?: string;
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MatchRequestStatus"];
                };
            };
            /**
             * @description `REQUEST_INVALID`: The request does not have the documented form.
             *
             *     `OPTION_INVALID`: An option or a text of the task is unknown or out of range.
             */
            400: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `UNAUTHENTICATED`: There is no key or token, or it is not one of this fleet, or no longer. */
            401: {
                headers: {
                    /** @description The scheme, and that the key or token was not accepted (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `FORBIDDEN`: The key or token lacks the scope of this route. */
            403: {
                headers: {
                    /** @description The scope that is missing (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_SLOW`: The request did not arrive whole in time. */
            408: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `IDEMPOTENCY_CONFLICT`: This Idempotency-Key or id stands for a request with another body. */
            409: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_LARGE`: The request body is over the limit. */
            413: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `MEDIA_TYPE_UNSUPPORTED`: The request body is not application/json, or is compressed. */
            415: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `TASK_UNSUPPORTED`: No model here has a head for this task.
             *
             *     `URL_REFUSED`: The URL is malformed or points where the fleet will not go.
             *
             *     `IMAGES_REFUSED`: Every image was refused at the door; `errors` says why.
             */
            422: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `RATE_LIMITED`: The caller sends more than its limit; Retry-After says when to go on.
             *
             *     `QUEUE_FULL`: More work is waiting than the fleet accepts.
             *
             *     `DEADLINE_UNREACHABLE`: At the measured rate the work that waits takes longer than the deadline of the request allows.
             */
            429: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `HEADERS_TOO_LARGE`: The request line and headers are over the limit. */
            431: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `INTERNAL`: A defect of this fleet; the log has the cause. */
            500: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `IDENTITY_UNAVAILABLE`: The keys of the identity provider cannot be had, so its tokens cannot be checked.
             *
             *     `STORAGE_UNAVAILABLE`: Blob storage does not answer.
             *
             *     `QUEUE_UNAVAILABLE`: Redis does not answer.
             */
            503: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    cancelMatches: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `id` of a request. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The status of the request, in which nothing is open any more. */
            200: {
                headers: {
                    /** @description The wait that was applied. */
                    "Preference-Applied"?: string;
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description Once finished: the stages, in milliseconds, of the image that took longest, and their sum. */
                    "Server-Timing"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MatchRequestStatus"];
                };
            };
            /** @description `REQUEST_INVALID`: The request does not have the documented form. */
            400: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `UNAUTHENTICATED`: There is no key or token, or it is not one of this fleet, or no longer. */
            401: {
                headers: {
                    /** @description The scheme, and that the key or token was not accepted (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `FORBIDDEN`: The key or token lacks the scope of this route. */
            403: {
                headers: {
                    /** @description The scope that is missing (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `NOT_FOUND`: There is no such route, request or webhook endpoint. */
            404: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_SLOW`: The request did not arrive whole in time. */
            408: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `MEDIA_TYPE_UNSUPPORTED`: The request body is not application/json, or is compressed. */
            415: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `RATE_LIMITED`: The caller sends more than its limit; Retry-After says when to go on. */
            429: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `HEADERS_TOO_LARGE`: The request line and headers are over the limit. */
            431: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `INTERNAL`: A defect of this fleet; the log has the cause. */
            500: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `IDENTITY_UNAVAILABLE`: The keys of the identity provider cannot be had, so its tokens cannot be checked.
             *
             *     `STORAGE_UNAVAILABLE`: Blob storage does not answer.
             *
             *     `QUEUE_UNAVAILABLE`: Redis does not answer.
             */
            503: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    streamMatches: {
        parameters: {
            query?: never;
            header?: {
                /** @description The id of the last event that was received: everything after it is sent. */
                "last-event-id"?: string;
            };
            path: {
                /** @description The `id` of a request. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The events. */
            200: {
                headers: {
                    /** @description The wait that was applied. */
                    "Preference-Applied"?: string;
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description Once finished: the stages, in milliseconds, of the image that took longest, and their sum. */
                    "Server-Timing"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            /** @description Everything was received: do not ask again. */
            204: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `REQUEST_INVALID`: The request does not have the documented form. */
            400: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `UNAUTHENTICATED`: There is no key or token, or it is not one of this fleet, or no longer. */
            401: {
                headers: {
                    /** @description The scheme, and that the key or token was not accepted (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `FORBIDDEN`: The key or token lacks the scope of this route. */
            403: {
                headers: {
                    /** @description The scope that is missing (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `NOT_FOUND`: There is no such route, request or webhook endpoint. */
            404: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_SLOW`: The request did not arrive whole in time. */
            408: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `MEDIA_TYPE_UNSUPPORTED`: The request body is not application/json, or is compressed. */
            415: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `RATE_LIMITED`: The caller sends more than its limit; Retry-After says when to go on. */
            429: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `HEADERS_TOO_LARGE`: The request line and headers are over the limit. */
            431: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `INTERNAL`: A defect of this fleet; the log has the cause. */
            500: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `IDENTITY_UNAVAILABLE`: The keys of the identity provider cannot be had, so its tokens cannot be checked.
             *
             *     `STORAGE_UNAVAILABLE`: Blob storage does not answer.
             *
             *     `STREAMS_FULL`: This process has as many event streams open as it serves.
             *
             *     `QUEUE_UNAVAILABLE`: Redis does not answer.
             */
            503: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listModels: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A list in the form of OpenAI's. */
            200: {
                headers: {
                    /** @description The wait that was applied. */
                    "Preference-Applied"?: string;
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description Once finished: the stages, in milliseconds, of the image that took longest, and their sum. */
                    "Server-Timing"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: {
                            /** @description Seconds since the epoch since which a worker has served it without a break. */
                            created: number;
                            id: string;
                            /** @description Of all its workers together, as each measured it when it last worked. */
                            imagesPerSecond?: number;
                            lanes: ("interactive" | "bulk")[];
                            licence: string;
                            minimumMachine?: {
                                diskGiB: number;
                                gpus: number;
                                memoryGiB: number;
                                vcpus: number;
                            };
                            notice?: string;
                            /** @enum {string} */
                            object: "model";
                            owned_by: string;
                            revision: string;
                            source?: string;
                            tasks: ("caption" | "match" | "answer")[];
                            variant: string;
                            workers: number;
                        }[];
                        /** @enum {string} */
                        object: "list";
                    };
                };
            };
            /** @description `REQUEST_INVALID`: The request does not have the documented form. */
            400: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `UNAUTHENTICATED`: There is no key or token, or it is not one of this fleet, or no longer. */
            401: {
                headers: {
                    /** @description The scheme, and that the key or token was not accepted (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `FORBIDDEN`: The key or token lacks the scope of this route. */
            403: {
                headers: {
                    /** @description The scope that is missing (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_SLOW`: The request did not arrive whole in time. */
            408: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `MEDIA_TYPE_UNSUPPORTED`: The request body is not application/json, or is compressed. */
            415: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `RATE_LIMITED`: The caller sends more than its limit; Retry-After says when to go on. */
            429: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `HEADERS_TOO_LARGE`: The request line and headers are over the limit. */
            431: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `INTERNAL`: A defect of this fleet; the log has the cause. */
            500: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `IDENTITY_UNAVAILABLE`: The keys of the identity provider cannot be had, so its tokens cannot be checked.
             *
             *     `STORAGE_UNAVAILABLE`: Blob storage does not answer.
             *
             *     `QUEUE_UNAVAILABLE`: Redis does not answer.
             */
            503: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listWebhooks: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All of them. */
            200: {
                headers: {
                    /** @description The wait that was applied. */
                    "Preference-Applied"?: string;
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description Once finished: the stages, in milliseconds, of the image that took longest, and their sum. */
                    "Server-Timing"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: {
                            /** Format: date-time */
                            createdAt: string;
                            disabled?: {
                                /** Format: date-time */
                                at: string;
                                reason: string;
                            };
                            /**
                             * @description The ends to be told of; all when absent.
                             * @default [
                             *       "request.succeeded",
                             *       "request.failed",
                             *       "request.aborted",
                             *       "request.canceled"
                             *     ]
                             */
                            events?: ("request.succeeded" | "request.failed" | "request.aborted" | "request.canceled")[];
                            /**
                             * @description standard: {type, timestamp, data}; cloudevents: CloudEvents 1.0 in structured JSON. Both are signed.
                             * @default standard
                             * @enum {string}
                             */
                            format?: "standard" | "cloudevents";
                            id: string;
                            /** @description An https URL on a public address; it gets a signed POST. */
                            url?: string;
                        }[];
                    };
                };
            };
            /** @description `REQUEST_INVALID`: The request does not have the documented form. */
            400: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `UNAUTHENTICATED`: There is no key or token, or it is not one of this fleet, or no longer. */
            401: {
                headers: {
                    /** @description The scheme, and that the key or token was not accepted (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `FORBIDDEN`: The key or token lacks the scope of this route. */
            403: {
                headers: {
                    /** @description The scope that is missing (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_SLOW`: The request did not arrive whole in time. */
            408: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `MEDIA_TYPE_UNSUPPORTED`: The request body is not application/json, or is compressed. */
            415: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `RATE_LIMITED`: The caller sends more than its limit; Retry-After says when to go on. */
            429: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `HEADERS_TOO_LARGE`: The request line and headers are over the limit. */
            431: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `INTERNAL`: A defect of this fleet; the log has the cause. */
            500: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `IDENTITY_UNAVAILABLE`: The keys of the identity provider cannot be had, so its tokens cannot be checked.
             *
             *     `STORAGE_UNAVAILABLE`: Blob storage does not answer.
             */
            503: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createWebhook: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /**
                     * @description The ends to be told of; all when absent.
                     * @default [
                     *       "request.succeeded",
                     *       "request.failed",
                     *       "request.aborted",
                     *       "request.canceled"
                     *     ]
                     */
                    events?: ("request.succeeded" | "request.failed" | "request.aborted" | "request.canceled")[];
                    /**
                     * @description standard: {type, timestamp, data}; cloudevents: CloudEvents 1.0 in structured JSON. Both are signed.
                     * @default standard
                     * @enum {string}
                     */
                    format?: "standard" | "cloudevents";
                    /** @description An https URL on a public address; it gets a signed POST. */
                    url: string;
                };
            };
        };
        responses: {
            /** @description The endpoint, with its secret. */
            201: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** Format: date-time */
                        createdAt: string;
                        disabled?: {
                            /** Format: date-time */
                            at: string;
                            reason: string;
                        };
                        /**
                         * @description The ends to be told of; all when absent.
                         * @default [
                         *       "request.succeeded",
                         *       "request.failed",
                         *       "request.aborted",
                         *       "request.canceled"
                         *     ]
                         */
                        events?: ("request.succeeded" | "request.failed" | "request.aborted" | "request.canceled")[];
                        /**
                         * @description standard: {type, timestamp, data}; cloudevents: CloudEvents 1.0 in structured JSON. Both are signed.
                         * @default standard
                         * @enum {string}
                         */
                        format?: "standard" | "cloudevents";
                        id: string;
                        /** @description `whsec_` and base64. It is shown here and never again. */
                        secret: string;
                        /** @description An https URL on a public address; it gets a signed POST. */
                        url?: string;
                    };
                };
            };
            /** @description `REQUEST_INVALID`: The request does not have the documented form. */
            400: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `UNAUTHENTICATED`: There is no key or token, or it is not one of this fleet, or no longer. */
            401: {
                headers: {
                    /** @description The scheme, and that the key or token was not accepted (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `FORBIDDEN`: The key or token lacks the scope of this route. */
            403: {
                headers: {
                    /** @description The scope that is missing (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `NOT_FOUND`: There is no such route, request or webhook endpoint. */
            404: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_SLOW`: The request did not arrive whole in time. */
            408: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `WEBHOOKS_FULL`: The tenant has as many webhook endpoints as it may. */
            409: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `MEDIA_TYPE_UNSUPPORTED`: The request body is not application/json, or is compressed. */
            415: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `URL_REFUSED`: The URL is malformed or points where the fleet will not go. */
            422: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `RATE_LIMITED`: The caller sends more than its limit; Retry-After says when to go on. */
            429: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `HEADERS_TOO_LARGE`: The request line and headers are over the limit. */
            431: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `INTERNAL`: A defect of this fleet; the log has the cause. */
            500: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `IDENTITY_UNAVAILABLE`: The keys of the identity provider cannot be had, so its tokens cannot be checked.
             *
             *     `STORAGE_UNAVAILABLE`: Blob storage does not answer.
             */
            503: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getWebhook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `id` of an endpoint, or `default`. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Without its secret. */
            200: {
                headers: {
                    /** @description The wait that was applied. */
                    "Preference-Applied"?: string;
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description Once finished: the stages, in milliseconds, of the image that took longest, and their sum. */
                    "Server-Timing"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** Format: date-time */
                        createdAt: string;
                        disabled?: {
                            /** Format: date-time */
                            at: string;
                            reason: string;
                        };
                        /**
                         * @description The ends to be told of; all when absent.
                         * @default [
                         *       "request.succeeded",
                         *       "request.failed",
                         *       "request.aborted",
                         *       "request.canceled"
                         *     ]
                         */
                        events?: ("request.succeeded" | "request.failed" | "request.aborted" | "request.canceled")[];
                        /**
                         * @description standard: {type, timestamp, data}; cloudevents: CloudEvents 1.0 in structured JSON. Both are signed.
                         * @default standard
                         * @enum {string}
                         */
                        format?: "standard" | "cloudevents";
                        id: string;
                        /** @description An https URL on a public address; it gets a signed POST. */
                        url?: string;
                    };
                };
            };
            /** @description `REQUEST_INVALID`: The request does not have the documented form. */
            400: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `UNAUTHENTICATED`: There is no key or token, or it is not one of this fleet, or no longer. */
            401: {
                headers: {
                    /** @description The scheme, and that the key or token was not accepted (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `FORBIDDEN`: The key or token lacks the scope of this route. */
            403: {
                headers: {
                    /** @description The scope that is missing (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `NOT_FOUND`: There is no such route, request or webhook endpoint. */
            404: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_SLOW`: The request did not arrive whole in time. */
            408: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `MEDIA_TYPE_UNSUPPORTED`: The request body is not application/json, or is compressed. */
            415: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `RATE_LIMITED`: The caller sends more than its limit; Retry-After says when to go on. */
            429: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `HEADERS_TOO_LARGE`: The request line and headers are over the limit. */
            431: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `INTERNAL`: A defect of this fleet; the log has the cause. */
            500: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `IDENTITY_UNAVAILABLE`: The keys of the identity provider cannot be had, so its tokens cannot be checked.
             *
             *     `STORAGE_UNAVAILABLE`: Blob storage does not answer.
             */
            503: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteWebhook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `id` of an endpoint, or `default`. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone. */
            204: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `REQUEST_INVALID`: The request does not have the documented form. */
            400: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `UNAUTHENTICATED`: There is no key or token, or it is not one of this fleet, or no longer. */
            401: {
                headers: {
                    /** @description The scheme, and that the key or token was not accepted (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `FORBIDDEN`: The key or token lacks the scope of this route. */
            403: {
                headers: {
                    /** @description The scope that is missing (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `NOT_FOUND`: There is no such route, request or webhook endpoint. */
            404: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_SLOW`: The request did not arrive whole in time. */
            408: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `MEDIA_TYPE_UNSUPPORTED`: The request body is not application/json, or is compressed. */
            415: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `RATE_LIMITED`: The caller sends more than its limit; Retry-After says when to go on. */
            429: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `HEADERS_TOO_LARGE`: The request line and headers are over the limit. */
            431: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `INTERNAL`: A defect of this fleet; the log has the cause. */
            500: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `IDENTITY_UNAVAILABLE`: The keys of the identity provider cannot be had, so its tokens cannot be checked.
             *
             *     `STORAGE_UNAVAILABLE`: Blob storage does not answer.
             */
            503: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    enableWebhook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `id` of an endpoint, or `default`. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The endpoint. */
            200: {
                headers: {
                    /** @description The wait that was applied. */
                    "Preference-Applied"?: string;
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description Once finished: the stages, in milliseconds, of the image that took longest, and their sum. */
                    "Server-Timing"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** Format: date-time */
                        createdAt: string;
                        disabled?: {
                            /** Format: date-time */
                            at: string;
                            reason: string;
                        };
                        /**
                         * @description The ends to be told of; all when absent.
                         * @default [
                         *       "request.succeeded",
                         *       "request.failed",
                         *       "request.aborted",
                         *       "request.canceled"
                         *     ]
                         */
                        events?: ("request.succeeded" | "request.failed" | "request.aborted" | "request.canceled")[];
                        /**
                         * @description standard: {type, timestamp, data}; cloudevents: CloudEvents 1.0 in structured JSON. Both are signed.
                         * @default standard
                         * @enum {string}
                         */
                        format?: "standard" | "cloudevents";
                        id: string;
                        /** @description An https URL on a public address; it gets a signed POST. */
                        url?: string;
                    };
                };
            };
            /** @description `REQUEST_INVALID`: The request does not have the documented form. */
            400: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `UNAUTHENTICATED`: There is no key or token, or it is not one of this fleet, or no longer. */
            401: {
                headers: {
                    /** @description The scheme, and that the key or token was not accepted (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `FORBIDDEN`: The key or token lacks the scope of this route. */
            403: {
                headers: {
                    /** @description The scope that is missing (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `NOT_FOUND`: There is no such route, request or webhook endpoint. */
            404: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_SLOW`: The request did not arrive whole in time. */
            408: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `MEDIA_TYPE_UNSUPPORTED`: The request body is not application/json, or is compressed. */
            415: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `RATE_LIMITED`: The caller sends more than its limit; Retry-After says when to go on. */
            429: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `HEADERS_TOO_LARGE`: The request line and headers are over the limit. */
            431: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `INTERNAL`: A defect of this fleet; the log has the cause. */
            500: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `IDENTITY_UNAVAILABLE`: The keys of the identity provider cannot be had, so its tokens cannot be checked.
             *
             *     `STORAGE_UNAVAILABLE`: Blob storage does not answer.
             */
            503: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listWebhookMessages: {
        parameters: {
            query?: {
                limit?: number;
            };
            header?: never;
            path: {
                /** @description The `id` of an endpoint, or `default`. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The messages. */
            200: {
                headers: {
                    /** @description The wait that was applied. */
                    "Preference-Applied"?: string;
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description Once finished: the stages, in milliseconds, of the image that took longest, and their sum. */
                    "Server-Timing"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: {
                            attempts: {
                                /** Format: date-time */
                                at: string;
                                milliseconds: number;
                                /** Format: date-time */
                                nextAt?: string;
                                /** @enum {string} */
                                outcome: "succeeded" | "failed";
                                reason?: string;
                                status?: number;
                            }[];
                            /** Format: date-time */
                            createdAt: string;
                            /** @description Whether attempts go on. */
                            delivering: boolean;
                            /** @enum {string} */
                            event: "request.succeeded" | "request.failed" | "request.aborted" | "request.canceled";
                            id: string;
                            requestId: string;
                        }[];
                    };
                };
            };
            /** @description `REQUEST_INVALID`: The request does not have the documented form. */
            400: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `UNAUTHENTICATED`: There is no key or token, or it is not one of this fleet, or no longer. */
            401: {
                headers: {
                    /** @description The scheme, and that the key or token was not accepted (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `FORBIDDEN`: The key or token lacks the scope of this route. */
            403: {
                headers: {
                    /** @description The scope that is missing (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `NOT_FOUND`: There is no such route, request or webhook endpoint. */
            404: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_SLOW`: The request did not arrive whole in time. */
            408: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `MEDIA_TYPE_UNSUPPORTED`: The request body is not application/json, or is compressed. */
            415: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `RATE_LIMITED`: The caller sends more than its limit; Retry-After says when to go on. */
            429: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `HEADERS_TOO_LARGE`: The request line and headers are over the limit. */
            431: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `INTERNAL`: A defect of this fleet; the log has the cause. */
            500: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `IDENTITY_UNAVAILABLE`: The keys of the identity provider cannot be had, so its tokens cannot be checked.
             *
             *     `STORAGE_UNAVAILABLE`: Blob storage does not answer.
             */
            503: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    replayWebhook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `id` of an endpoint, or `default`. */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description The `id` of a message. */
                    message?: string;
                    /** Format: date-time */
                    since?: string;
                    /** Format: date-time */
                    until?: string;
                };
            };
        };
        responses: {
            /** @description How many are delivered again. */
            202: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        replayed: number;
                    };
                };
            };
            /** @description `REQUEST_INVALID`: The request does not have the documented form. */
            400: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `UNAUTHENTICATED`: There is no key or token, or it is not one of this fleet, or no longer. */
            401: {
                headers: {
                    /** @description The scheme, and that the key or token was not accepted (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `FORBIDDEN`: The key or token lacks the scope of this route. */
            403: {
                headers: {
                    /** @description The scope that is missing (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `NOT_FOUND`: There is no such route, request or webhook endpoint. */
            404: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_SLOW`: The request did not arrive whole in time. */
            408: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `MEDIA_TYPE_UNSUPPORTED`: The request body is not application/json, or is compressed. */
            415: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `RATE_LIMITED`: The caller sends more than its limit; Retry-After says when to go on. */
            429: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `HEADERS_TOO_LARGE`: The request line and headers are over the limit. */
            431: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `INTERNAL`: A defect of this fleet; the log has the cause. */
            500: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `IDENTITY_UNAVAILABLE`: The keys of the identity provider cannot be had, so its tokens cannot be checked.
             *
             *     `STORAGE_UNAVAILABLE`: Blob storage does not answer.
             *
             *     `QUEUE_UNAVAILABLE`: Redis does not answer.
             */
            503: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    rotateWebhookSecret: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `id` of an endpoint, or `default`. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The new secret. */
            200: {
                headers: {
                    /** @description The wait that was applied. */
                    "Preference-Applied"?: string;
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description Once finished: the stages, in milliseconds, of the image that took longest, and their sum. */
                    "Server-Timing"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description `whsec_` and base64. It is shown here and never again. */
                        secret: string;
                    };
                };
            };
            /** @description `REQUEST_INVALID`: The request does not have the documented form. */
            400: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `UNAUTHENTICATED`: There is no key or token, or it is not one of this fleet, or no longer. */
            401: {
                headers: {
                    /** @description The scheme, and that the key or token was not accepted (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `FORBIDDEN`: The key or token lacks the scope of this route. */
            403: {
                headers: {
                    /** @description The scope that is missing (RFC 6750). */
                    "WWW-Authenticate"?: string;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `NOT_FOUND`: There is no such route, request or webhook endpoint. */
            404: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `REQUEST_TOO_SLOW`: The request did not arrive whole in time. */
            408: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `MEDIA_TYPE_UNSUPPORTED`: The request body is not application/json, or is compressed. */
            415: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `RATE_LIMITED`: The caller sends more than its limit; Retry-After says when to go on. */
            429: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `HEADERS_TOO_LARGE`: The request line and headers are over the limit. */
            431: {
                headers: {
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `INTERNAL`: A defect of this fleet; the log has the cause. */
            500: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `IDENTITY_UNAVAILABLE`: The keys of the identity provider cannot be had, so its tokens cannot be checked.
             *
             *     `STORAGE_UNAVAILABLE`: Blob storage does not answer.
             */
            503: {
                headers: {
                    /** @description Seconds after which to ask again. */
                    "Retry-After"?: number;
                    /** @description The id of this exchange in the log: the caller's own, where it sent one. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
