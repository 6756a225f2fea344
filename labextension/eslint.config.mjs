import { createRequire } from 'node:module';

const load = createRequire(new URL('./checks/package.json', import.meta.url)); // the tools lie there
const typescript = load('typescript-eslint');
const hooks = load('eslint-plugin-react-hooks');
const jupyter = load('@jupyter/eslint-plugin');
const jupyterPlugin = jupyter.default ?? jupyter;

export default typescript.config(
  { ignores: ['**/*.cjs', 'src/store/openapi.ts'] }, // that one is generated
  ...typescript.configs.recommended,
  {
    files: ['**/*.ts', '**/*.tsx'],
    plugins: { '@jupyter': jupyterPlugin, 'react-hooks': hooks },
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname }
    },
    rules: {
      ...Object.fromEntries(Object.keys(jupyterPlugin.rules).map(name => [`@jupyter/${name}`, 'error'])),
      'react-hooks/rules-of-hooks': 'error',
      '@typescript-eslint/no-explicit-any': 'off',
      '@typescript-eslint/no-namespace': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
      eqeqeq: 'error',
      'no-console': ['error', { allow: ['warn', 'error'] }]
    }
  },
  {
    // a longer function holds a hook, a component or a table that deserves a name of its own
    files: ['src/**/*.ts', 'src/**/*.tsx'],
    rules: { 'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }] }
  }
);
