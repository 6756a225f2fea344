import { needOf } from '../../src/notebook/package-need';

const cell = (source: string, ename = '', evalue = ''): any => ({
  cell_type: 'code',
  source,
  outputs: [
    { output_type: 'stream', name: 'stdout', text: 'before' },
    ...(ename ? [{ output_type: 'error', ename, evalue, traceback: [] }] : [])
  ]
});

describe('what a cell lacks', () => {
  it.each([
    [cell('import sklearn', 'ModuleNotFoundError', "No module named 'sklearn'"), { language: 'python', module: 'sklearn' }],
    [cell('import a', 'ModuleNotFoundError', "No module named 'google.cloud'"), { language: 'python', module: 'google.cloud' }],
    [cell('library(dplyr)', 'ERROR', 'Error in library(dplyr): there is no package called ‘dplyr’\n'), { language: 'r', module: 'dplyr' }],
    [cell('x', 'NameError', "No module named 'x'"), null],
    [cell('import six'), null],
    [{ cell_type: 'markdown', source: 'No module named x' }, null]
  ])('is read from its error %#', (given, need) => {
    expect(needOf(given)).toEqual(need);
  });

  it.each([
    ['%pip install six', ['pip:six']],
    ['import os\n%pip install -q "numpy<2" six --upgrade', ['pip:numpy<2', 'pip:six']],
    ['!pip install -i https://index.example/simple six', null],
    ['!python -m pip install six  # why', ['pip:six']],
    ['%conda install -y numpy=2', ['numpy=2']],
    ['%conda install -c somewhere numpy=2', null],
    ['!uv pip install six && echo done', ['pip:six']],
    ['%pip install -r requirements.txt', null],
    ['%pip install ./here', null],
    ['%pip install {name}', null],
    ['%pip list', null],
    ['!pip install pandas; echo ok', ['pip:pandas']],
    ['!pip install pandas | tail -1', ['pip:pandas']],
    ['!pip install pandas > log.txt', ['pip:pandas']],
    ['!pip install "pandas>=2" numpy[extra]==1.*', ['pip:pandas>=2', 'pip:numpy[extra]==1.*']],
    ['%pip install --index-url https://index.example/x pandas', null],
    ['%pip install --trusted-host index.example pandas', ['pip:pandas']],
    ['%pip install --upgrade-strategy eager pandas', null],
    ['%pip install pandas --constraint constraints.txt', null],
    ['%conda install --file requirements.txt', null],
    ['%pip install requirements.txt', null],
    ['print("pip install six")', null]
  ])('is read from a command that installs: %s', (source, packages) => {
    expect(needOf(cell(source))).toEqual(packages && { packages });
  });
});
