/**
 * Writes the TypeScript types of the REST API from its OpenAPI document. With `--check` nothing is written: it fails
 * where the types are older than the document.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import openapiTS, { astToString } from 'openapi-typescript';

const DOCUMENT = new URL('../../jupyter_envstore/server/openapi.yaml', import.meta.url);
const TYPES = new URL('../src/store/openapi.ts', import.meta.url);
const HEADER = `/**
 * The objects of the REST API. Generated from the OpenAPI document: do not edit, run \`npm run types\` in
 * \`labextension/checks\` instead.
 */

`;

/** Return the text of the module: the schemas alone, since requests are written by hand in `api.ts`. */
async function generated() {
  const nodes = await openapiTS(DOCUMENT, { immutable: true, emptyObjectsUnknown: true });
  const components = nodes.find(node => node.name?.text === 'components');
  const schemas = components.members.filter(member => member.name.text === 'schemas');
  return HEADER + astToString([{ ...components, members: schemas }]);
}

const text = await generated();
const name = fileURLToPath(TYPES);
if (!process.argv.includes('--check')) {
  writeFileSync(TYPES, text);
} else if (!existsSync(TYPES) || readFileSync(TYPES, 'utf8') !== text) {
  console.error(`${name} is older than ${fileURLToPath(DOCUMENT)}: run "npm run types" in labextension/checks`);
  process.exitCode = 1;
}
