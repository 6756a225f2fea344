/**
 * Writes the TypeScript types of the REST API from its OpenAPI document. With `--check` nothing is written: it fails
 * where the types are older than the document.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import openapiTS, { astToString } from 'openapi-typescript';
import ts from 'typescript';

const DOCUMENT = new URL('../../jupyter_envstore/server/openapi.yaml', import.meta.url);
const TYPES = new URL('../src/store/openapi.ts', import.meta.url);
const HEADER = `/**
 * The objects and requests of the REST API. Generated from the OpenAPI document: do not edit, run \`npm run types\` in
 * \`labextension/checks\` instead.
 */

`;

/** Return the type that stands below names in a type, one after the other; undefined where one is not there. */
function typeBelow(type, ...names) {
  for (const name of names) {
    type = type?.members?.find(member => member.name?.text === name)?.type;
  }
  return type;
}

/** Return a read-only property. */
function property(name, type) {
  const { factory } = ts;
  return factory.createPropertySignature([factory.createModifier(ts.SyntaxKind.ReadonlyKeyword)], name, undefined, type);
}

/** Return the type of the data that a request is answered with; undefined where the answer is not JSON. */
function answerOf(operation) {
  const codes = typeBelow(operation, 'responses')?.members.map(member => member.name.text) ?? [];
  const done = codes.find(code => code.startsWith('2'));
  const answer = typeBelow(operation, 'responses', done, 'content', 'application/json');
  // an answer that only says that something was done has no data
  return answer && (typeBelow(answer, 'data') ?? ts.factory.createKeywordTypeNode(ts.SyntaxKind.UnknownKeyword));
}

/** Return an interface with what is sent and what comes back, for each request whose answer is JSON. */
function requests(paths, operations) {
  const { factory } = ts;
  const never = factory.createKeywordTypeNode(ts.SyntaxKind.NeverKeyword);
  const found = paths.members.flatMap(path =>
    path.type.members.flatMap(method => {
      const id = method.type.indexType?.literal.text; // of operations["…"]
      const operation = id && operations.members.find(member => member.name.text === id)?.type;
      const data = operation && answerOf(operation);
      if (!data) {
        return [];
      }
      const body = typeBelow(operation, 'requestBody', 'content', 'application/json') ?? never;
      const name = `${method.name.text.toUpperCase()} ${path.name.text}`;
      return [property(factory.createStringLiteral(name), factory.createTypeLiteralNode([property('body', body), property('data', data)]))];
    })
  );
  const exported = [factory.createModifier(ts.SyntaxKind.ExportKeyword)];
  return factory.createInterfaceDeclaration(exported, 'requests', undefined, undefined, found);
}

/** Return the text of the module: the schemas, and the requests with their bodies and answers. */
async function generated() {
  const nodes = await openapiTS(DOCUMENT, { immutable: true, emptyObjectsUnknown: true });
  const named = name => nodes.find(node => node.name?.text === name);
  const components = named('components');
  const schemas = components.members.filter(member => member.name.text === 'schemas');
  return HEADER + astToString([{ ...components, members: schemas }, requests(named('paths'), named('operations'))]);
}

const text = await generated();
const name = fileURLToPath(TYPES);
if (!process.argv.includes('--check')) {
  writeFileSync(TYPES, text);
} else if (!existsSync(TYPES) || readFileSync(TYPES, 'utf8') !== text) {
  console.error(`${name} is older than ${fileURLToPath(DOCUMENT)}: run "npm run types" in labextension/checks`);
  process.exitCode = 1;
}
