import { repeated, requestOf } from '../../src/store/routes';

describe('requests', () => {
  it('put values into the places of the path, encoded', () => {
    const place = { namespace: 'data science', name: 'a/b' };
    expect(requestOf('GET /environment/{namespace}/{name}/', { path: place })).toEqual([
      'GET',
      'environment/data%20science/a%2Fb/',
      {}
    ]);
    expect(requestOf('GET /build/{build_id}/diff/{other_id}/', { path: { build_id: 3, other_id: 12 } })[1]).toBe('build/3/diff/12/');
  });

  it('without a query have no question mark', () => {
    expect(requestOf('GET /environment/', { query: repeated('packages', []) })[1]).toBe('environment/');
    expect(requestOf('GET /environment/', { query: repeated('packages', ['numpy', 'r base']) })[1]).toBe(
      'environment/?packages=numpy&packages=r%20base'
    );
  });

  it('keep their body, their signal and how long they may take', () => {
    const { signal } = new AbortController();
    const body = { specification: 'dependencies: []' };
    expect(requestOf('POST /solve/', { body, signal, patience: 'long' })).toEqual(['POST', 'solve/', { body, signal, patience: 'long' }]);
    expect(requestOf('GET /', undefined)).toEqual(['GET', '', {}]);
  });
});
