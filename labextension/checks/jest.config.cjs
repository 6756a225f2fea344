/** Jest for the extension's models and components; JupyterLab's packages are modules, so they are transformed too. */
module.exports = {
  rootDir: '..',
  roots: ['<rootDir>/checks/tests'],
  testEnvironment: require.resolve('jest-environment-jsdom'),
  transform: { '\\.[jt]sx?$': [require.resolve('ts-jest'), { tsconfig: '<rootDir>/checks/tsconfig.json', diagnostics: false }] },
  transformIgnorePatterns: ['/node_modules/(?!(@jupyterlab|@jupyter|@microsoft|@rjsf|@codemirror|@lezer|lib0|yjs|y-protocols|exenv-es6|lodash-es|nanoid|vscode-|@marijn|style-mod|w3c-keyname|crelt)/?)'],
  moduleNameMapper: {
    '\\.(css|less)$': '<rootDir>/checks/tests/empty.cjs',
    '\\.svg$': '<rootDir>/checks/tests/svg.cjs'
  },
  setupFiles: ['<rootDir>/checks/tests/setup.cjs']
};
