/** What the REST API answers, as far as the panel uses it. */

export type BuildStatus = 'QUEUED' | 'BUILDING' | 'COMPLETED' | 'FAILED' | 'CANCELED';

export interface IBuild {
  id: number;
  environment_id: number;
  number: number;
  build_key: string;
  status: BuildStatus;
  status_info: string | null;
  /** Bytes of the environment on disk, and of those that no other build shares. */
  size: number;
  own_size: number;
  /** How many warnings it has; `warnings` names them, where one build was asked for. */
  warning_count: number;
  warnings?: readonly IBuildWarning[];
  package_count: number;
  scheduled_on: string;
  started_on: string | null;
  ended_on: string | null;
  active: boolean;
  packed_away: boolean;
  /** Kept by hand: the retention settings do not pack it away. */
  pinned: boolean;
  kept_packages: IKept;
  platform: string | null;
  created_by: string;
  trigger: string;
  /** Packages uploaded later were left out; where one build was asked for. */
  exclude_newer?: string | null;
  specification: ISpecification | null;
  namespace?: string;
  environment?: string;
  /** The platforms that it is locked for (null), or why it is not; where one build was asked for. */
  locked_platforms?: Record<string, string | null>;
}

/** Whether the files of a build's packages are kept in the store: bytes, and how many could not be had. */
export interface IKept {
  state: 'no' | 'keeping' | 'kept' | 'partly' | 'failed';
  size: number;
  missing: number;
}

/** What people should know of a build that can be used all the same. */
export interface IBuildWarning {
  kind: string;
  package: string;
  path: string;
  message: string;
}

export interface ISpecification {
  text: string;
  is_lockfile: boolean;
}

export interface IEnvironment {
  id: number;
  name: string;
  namespace: {
    id: number;
    name: string;
    /** How many other people have a role in it, apart from those of the configuration. */
    members: number;
  };
  description: string;
  current_build_id: number | null;
  current_build: IBuild | null;
  /** Whether a build has completed, so that the environment can be used. */
  active: boolean;
  newest_build_id: number | null;
  newest_build_status: BuildStatus | null;
  /** The newest build, where it is not the current one. */
  newest_build: IBuild | null;
  permissions: string[];
  kernels: string[];
  /** Languages of the kernels, as people write them. */
  languages: string[];
  created_on: string;
  kernel_note: string | null;
  /** Where packages were asked for, what of its build they mean. */
  packages_found?: { name: string; version: string }[];
  /** Where its active build is on the server; null where it has no files. */
  path: string | null;
  created_by: string;
}

export interface IStep {
  name: string;
  state: 'running' | 'done' | 'failed';
  attempt: number;
  done: number;
  total: number;
  unit: string;
  message: string;
  started_on: string;
  duration: number | null;
}

export interface IProgress {
  id: number;
  number: number;
  status: BuildStatus;
  reason: string;
  steps: IStep[];
  busy: boolean;
  started_on: string | null;
  ended_on: string | null;
  duration: number | null;
}

export interface IFault {
  message: string;
  line: number | null;
  field: string;
  /** A word of the line that is written wrongly, and what may have been meant. */
  fix?: { word: string; meant: readonly string[] };
}

export type ArtifactState = 'pending' | 'building' | 'ready' | 'failed' | 'dropped' | 'absent';

export interface IArtifact {
  id: number;
  type: string;
  variant: string;
  state: ArtifactState;
  size: number;
  sha256: string | null;
  duration: number | null;
  reason: string;
  file_name: string;
  media_type: string;
  tools: Record<string, string>;
  made_on: string | null;
  url: string;
  /** From where the addresses in a list of packages can be reached: this machine, its network, anywhere. */
  reach?: 'here' | 'private' | 'anywhere';
}

export interface IContent {
  name: string;
  version: string;
  build: string;
  manager: 'conda' | 'pip';
  channel: string;
  size: number;
  license: string | null;
  /** What the specification asked for; null for what others need. */
  requested: string | null;
  needed_by: string[];
}

export interface IPackageChange {
  change: 'added' | 'removed' | 'changed';
  manager: string;
  name: string;
  from: string;
  to: string;
}

export interface IFoundPackage {
  name: string;
  version: string;
  build: string;
  subdir: string;
  size: number;
  channel_id: string;
}

export interface ISolved {
  packages: IFoundPackage[];
  changes: IPackageChange[] | null;
  notes: string[];
  seconds: number;
  /** Bytes that the server's cache does not hold. */
  to_download: number;
  /** What it was solved for. */
  platform: string;
  /** When the indexes were read, where they were not read for this. */
  index_from: string | null;
}

/** What a package says of itself; what is not known is empty. */
export interface IAbout {
  name: string;
  version: string;
  summary: string;
  license: string;
  home: string;
  documentation: string;
  source: string;
}

/** How full the store's disk is, in bytes, and for admins what could be freed. */
export interface ISpace {
  free: number;
  total: number;
  /** Whether too little is free to build anything. */
  low: boolean;
  plan?: {
    size: number;
    count: number;
    removals: { kind: string; name: string; reason: string; size: number }[];
  };
}

/** A change that an import made. */
export interface ITextChange {
  what: string;
  why: string;
  /** How the server is told not to make it; empty where it must be made. */
  choice: string;
}

/** What a file has to choose from, and what was taken of it; nothing where there is no choice. */
export interface IOffer {
  environments: readonly string[];
  environment: string;
  categories: readonly string[];
  taken: readonly string[];
}

/** What somebody wants of a file; nothing for what its own tool would take. */
export interface IPick {
  environment?: string;
  categories?: readonly string[];
}

export interface IChecked {
  name: string | null;
  description: string;
  is_lockfile: boolean;
  channels: string[];
  conda: string[];
  pip: string[];
  platforms: string[];
  text: string;
  changes: ITextChange[];
  offer: IOffer;
  /** Packages uploaded later are left out of a build: the file wants it, its text here cannot hold it. */
  exclude_newer: string | null;
  /** How many packages a lockfile holds. */
  packages: number | null;
  /** A specification to begin with in place of a lockfile. */
  starting_point: string | null;
  notes: string[];
  refused: string | null;
  /** What is refused, to what is allowed in its place. */
  suggestions: Record<string, string[]>;
  faults: IFault[];
}

export interface IPermissions {
  authenticated: boolean;
  username: string | null;
  primary_namespace: string;
  entity_permissions: Record<string, string[]>;
  entity_roles: Record<string, string[]>;
  /** How this store is worked with in a terminal of the server: program, `--root`, folder. */
  command?: string[] | null;
}

export interface IToken {
  id: number;
  name: string;
  prefix: string;
  username: string;
  primary_namespace: string;
  role_bindings: Record<string, string[]> | null;
  created_on: string;
  expiration: string | null;
  last_used_on: string | null;
}

export interface INamespaceRole {
  id: number;
  namespace: string;
  other_namespace: string;
  role: string;
}

export interface IUsage {
  num_environments: number;
  num_builds: number;
  storage: number;
}

/** Names of an environment. */
export type IPlace = {
  namespace: string;
  name: string;
};
