import { createRequire } from "node:module";
import type { BuildCompilerFromPool } from "@fastify/ajv-compiler";
import type { SerializerFactory } from "@fastify/fast-json-stringify-compiler";

const require = createRequire(import.meta.url);

/**
 * Fastify's own compilers of schemas, loaded and run at the first request that needs them: to compile the schemas of
 * every route takes longer than the rest of a start. The tests ask every route, and so find a schema that is wrong.
 */
export const schemaCompilers = { compilersFactory: { buildValidator, buildSerializer } };

function buildValidator(...pool: Parameters<BuildCompilerFromPool>): ReturnType<BuildCompilerFromPool> {
  const compiler = once(() => (require("@fastify/ajv-compiler") as () => BuildCompilerFromPool)()(...pool));
  return (route) => {
    const validator = once(() => compiler()(route));
    const validate = (data: unknown) => {
      const compiled = validator();
      // Fastify looks for the faults on the function that it called, and that is not the one which found them.
      return compiled(data) === false ? { error: compiled.errors } : true;
    };
    return validate as unknown as ReturnType<ReturnType<BuildCompilerFromPool>>;
  };
}

function buildSerializer(...pool: Parameters<SerializerFactory>): ReturnType<SerializerFactory> {
  const compiler = once(() =>
    (require("@fastify/fast-json-stringify-compiler") as () => SerializerFactory)()(...pool),
  );
  return (route) => {
    const serializer = once(() => compiler()(route));
    return (data: unknown) => serializer()(data);
  };
}

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
