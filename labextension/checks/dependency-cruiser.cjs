/** Rules for the imports of the extension; types count too, so that no two modules need each other. */
module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      comment: 'Move what both modules need to a third one.',
      severity: 'error',
      from: {},
      to: { circular: true }
    }
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { extensions: ['.ts', '.tsx', '.d.ts', '.js'] }
  }
};
