/**
 * Rules for the imports of the extension. Imports of types count too, so that no two modules need each other.
 *
 * The layers, from top to bottom: a module imports from its own folder and from layers below it. Folders that share a
 * layer do not import each other.
 */
const LAYERS = [
  ['index.ts'],
  ['commands/', 'notebook-bar/', 'sidebar/', 'view/[^/]+$'],
  ['view/create/', 'view/environment/'],
  ['view/specification/'],
  ['view/shared/'],
  ['components/'],
  ['lab/', 'notebook/', 'storage/'],
  ['presentation/'],
  ['command-ids.ts', 'icons.ts', 'tokens.ts'],
  ['store/']
];

const pathOf = folder => `^src/${folder.replace('.ts', '\\.ts$')}`;

const layerRules = LAYERS.flatMap((layer, level) =>
  layer.map(folder => ({
    name: `layers-${folder.replace(/\W+/g, '-')}`,
    comment: 'Imports lead to lower layers: move what is needed to a lower one.',
    severity: 'error',
    from: { path: pathOf(folder) },
    to: { path: [...LAYERS.slice(0, level).flat(), ...layer.filter(other => other !== folder)].map(pathOf) }
  }))
).filter(rule => rule.to.path.length > 0);

module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      comment: 'Move what both modules need to a third one.',
      severity: 'error',
      from: {},
      to: { circular: true }
    },
    {
      name: 'every-module-has-a-layer',
      comment: 'Name the new folder in LAYERS.',
      severity: 'error',
      from: { path: '^src/', pathNot: [...LAYERS.flat().map(pathOf), '^src/svg\\.d\\.ts$'] },
      to: {}
    },
    {
      name: 'no-react-below-components',
      severity: 'error',
      from: { path: '^src/(store|presentation)/' },
      to: { path: 'node_modules/react' }
    },
    ...layerRules
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { extensions: ['.ts', '.tsx', '.d.ts', '.js'] }
  }
};
