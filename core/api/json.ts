// How messages are written in JSON: nothing left out, nothing overlooked.
import type { JsonReadOptions, JsonWriteOptions } from '@bufbuild/protobuf';

/** A misspelt field is an error, a default is written out. */
export const JSON_OPTIONS: Partial<JsonReadOptions & JsonWriteOptions> = {
  ignoreUnknownFields: false,
  alwaysEmitImplicit: true,
};
