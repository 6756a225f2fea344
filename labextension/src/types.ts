/** What the REST API answers, as far as the panel uses it. */

export type BuildStatus = 'QUEUED' | 'BUILDING' | 'COMPLETED' | 'FAILED' | 'CANCELED';

export interface IBuild {
  id: number;
  environment_id: number;
  number: number;
  status: BuildStatus;
  status_info: string | null;
  size: number;
  own_size: number;
  package_count: number;
  scheduled_on: string;
  started_on: string | null;
  ended_on: string | null;
  active: boolean;
  packed_away: boolean;
  created_by: string;
  trigger: string;
  specification: { text: string; is_lockfile: boolean } | null;
}

export interface IEnvironment {
  id: number;
  name: string;
  namespace: { id: number; name: string };
  description: string;
  current_build_id: number | null;
  current_build: IBuild | null;
  /** Whether a build has completed, so that the environment can be used. */
  active: boolean;
  newest_build_id: number | null;
  newest_build_status: BuildStatus | null;
  permissions: string[];
  kernels: string[];
  kernel_note: string | null;
}

export interface IStep {
  name: string;
  state: 'running' | 'done' | 'failed';
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
}

export interface IFault {
  message: string;
  line: number | null;
  field: string;
}
