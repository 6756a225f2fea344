import type { Kernel } from '@jupyterlab/services';

const MARK = 'envstore-packages:';
/** Lists the packages of a Python kernel: those requested from conda, or not needed by others; and those from pip. */
const CODE = `
def _envstore_list():
    import ast, importlib.metadata as metadata, json, pathlib, re, sys
    folder = pathlib.Path(sys.prefix, "conda-meta")
    norm = lambda name: re.sub(r"[-_.]+", "-", name).lower()
    conda = {}
    for path in folder.glob("*.json") if folder.is_dir() else ():
        record = json.loads(path.read_text())
        conda[record["name"]] = record
    needed = {d.split()[0] for r in conda.values() for d in r.get("depends", ())}
    asked = set()
    history = folder / "history"
    if history.is_file():
        for line in history.read_text().splitlines():
            if line.startswith("# update specs: "):
                specs = ast.literal_eval(line[len("# update specs: "):])
                asked |= {re.match(r"[A-Za-z0-9_.-]*", s.split("::")[-1]).group().lower() for s in specs}
    if not asked & set(conda):
        asked = {n for n in conda if n not in needed}
    wanted = {n: r for n, r in conda.items() if n in asked or n in ("python", "ipykernel")}
    pip, requires = {}, set()
    for found in metadata.distributions():
        if (found.read_text("INSTALLER") or "").strip() == "conda" or not found.metadata["Name"]:
            continue
        pip[norm(found.metadata["Name"])] = found.version
        for line in found.requires or ():
            if "extra ==" not in line:
                requires.add(norm(re.match(r"[A-Za-z0-9._-]+", line).group()))
    for name in {norm(n) for n in conda}:
        pip.pop(name, None)
    keep = {n: v for n, v in pip.items() if n not in requires or n == "ipykernel"}
    skip = {"pip", "setuptools", "wheel"}
    channels = sorted({re.sub(r"/(noarch|[a-z]+-[0-9a-z]+)/*$", "", r.get("channel", "")) for r in conda.values()} - {""})
    return {
        "python": "%d.%d" % sys.version_info[:2],
        "channels": channels,
        "conda": {n: r["version"] for n, r in sorted(wanted.items())},
        "pip": {n: v for n, v in sorted(keep.items()) if n not in skip},
    }
import json as _envstore_json
print("${MARK}" + _envstore_json.dumps(_envstore_list()))
del _envstore_list, _envstore_json
`;

interface IListed {
  python: string;
  channels: string[];
  conda: Record<string, string>;
  pip: Record<string, string>;
}

/** Return a specification of the packages that a kernel has, as text. */
export async function specificationOfKernel(kernel: Kernel.IKernelConnection): Promise<string> {
  let output = '';
  let failure = '';
  const future = kernel.requestExecute({ code: CODE, silent: false, store_history: false, stop_on_error: false });
  future.onIOPub = message => {
    const content = message.content as any;
    if (message.header.msg_type === 'stream') {
      output += content.text;
    } else if (message.header.msg_type === 'error') {
      failure = `${content.ename}: ${content.evalue}`;
    }
  };
  await future.done;
  const place = output.indexOf(MARK);
  if (place < 0) {
    throw new Error(failure || 'only Python kernels can tell');
  }
  return specificationText(JSON.parse(output.slice(place + MARK.length)) as IListed);
}

/** Return the packages that a kernel listed, as the text of a specification. */
export function specificationText(listed: IListed): string {
  const channels = listed.channels.map(channel => `  - ${JSON.stringify(channel)}\n`).join('');
  const conda = { ...listed.conda };
  delete conda['python'];
  delete conda['ipykernel'];
  const lines = Object.entries(conda).map(([name, version]) => `  - ${name}=${version}\n`);
  const pip = Object.entries(listed.pip).filter(([name]) => name !== 'ipykernel');
  const block = pip.length
    ? `  - pip\n  - pip:\n${pip.map(([name, version]) => `      - ${name}==${version}\n`).join('')}`
    : '';
  return (
    (channels ? `channels:\n${channels}` : '') +
    `dependencies:\n  - python=${listed.python}\n  - ipykernel\n${lines.join('')}${block}`
  );
}
