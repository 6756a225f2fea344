/**
 * The objects and requests of the REST API. Generated from the OpenAPI document: do not edit, run `npm run types` in
 * `labextension/checks` instead.
 */

export interface components {
    schemas: {
        /** @description A build that a server elsewhere makes kernels of. */
        readonly KernelBuild: {
            readonly environment_id: number;
            readonly namespace: string;
            readonly environment: string;
            readonly build_id: number;
            /** @description Number of the build in its environment. */
            readonly number: number;
            /** @description Whether it is the active build of its environment. */
            readonly active: boolean;
            /** @description `sha256:` and the hash of its build record. */
            readonly record: string;
            /** @description Where its files are on the machine of the store, if other accounts may read them. */
            readonly prefix: string | null;
            /** @description Kernels that its packages are known to bring. */
            readonly kernels: readonly {
                readonly name: string;
                readonly label: string;
                readonly language: string;
            }[];
        };
        /** @description What is wrong and what to do. */
        readonly Error: {
            /** @constant */
            readonly status: "error";
            readonly message: string;
            readonly code: string;
            readonly faults?: readonly components["schemas"]["Fault"][];
            /** @description What is written wrongly, to what may have been meant. */
            readonly suggestions?: {
                readonly [key: string]: readonly string[];
            };
            /** @description Where a channel is away, when all indexes concerned were read last; POST solve/ may take them. */
            readonly last_index?: string;
            /** @description With code unknown_places, the addresses that have to be accepted. */
            readonly places?: readonly string[];
        };
        /** @description One fault of a specification, with its line (from 1). */
        readonly Fault: {
            readonly message: string;
            readonly line: number | null;
            readonly field: string;
        };
        /** @description What a package says of itself; what is not known is empty. */
        readonly About: {
            readonly name: string;
            readonly version: string;
            readonly summary: string;
            readonly license: string;
            readonly home: string;
            readonly documentation: string;
            readonly source: string;
        };
        /** @description Bytes of the store's disk; whether too little is free to build anything; what could be freed. */
        readonly Space: {
            /** @description Bytes that are free. */
            readonly free: number;
            /** @description Bytes of the whole disk. */
            readonly total: number;
            /** @description Whether too little is free to build anything. */
            readonly low: boolean;
            /** @description For admins, what could be freed, or what was. */
            readonly plan?: {
                readonly size: number;
                readonly count: number;
                readonly removals: readonly {
                    readonly kind: string;
                    readonly name: string;
                    readonly reason: string;
                    readonly size: number;
                }[];
            };
        };
        readonly Acknowledgement: {
            /** @constant */
            readonly status: "ok";
            readonly message: string | null;
        };
        readonly RoleMapping: {
            readonly id: number;
            readonly entity: string;
            /** @enum {string} */
            readonly role: "viewer" | "developer" | "editor" | "admin";
        };
        readonly NamespaceRole: {
            readonly id: number;
            readonly namespace: string;
            readonly other_namespace: string;
            /** @enum {string} */
            readonly role: "viewer" | "developer" | "editor" | "admin";
        };
        readonly Namespace: {
            readonly id: number;
            readonly name: string;
            readonly metadata_: Record<string, unknown>;
            readonly role_mappings: readonly components["schemas"]["RoleMapping"][];
        };
        readonly NamespaceName: {
            readonly id: number;
            readonly name: string;
        };
        readonly BuildArtifact: {
            readonly id: number;
            readonly artifact_type: string;
            readonly key: string;
        };
        readonly Specification: {
            readonly id: number;
            readonly name: string;
            readonly spec: Record<string, unknown>;
            readonly sha256: string;
            /**
             * Format: naive-date-time
             * @description ISO 8601, UTC, without a zone.
             */
            readonly created_on: string;
            readonly is_lockfile: boolean;
            readonly text: string;
        };
        readonly Package: {
            readonly id: number;
            readonly channel: {
                readonly id: number;
                readonly name: string;
            };
            readonly license: string | null;
            readonly name: string;
            readonly version: string;
            readonly summary: string | null;
            readonly build: string;
            /** @enum {string} */
            readonly manager: "conda" | "pip";
            readonly size: number;
        };
        readonly FoundPackage: {
            readonly id: number;
            readonly channel_id: string;
            readonly channel: {
                readonly id: number;
                readonly name: string;
            };
            readonly name: string;
            readonly version: string;
            readonly build: string;
            readonly build_number: number;
            readonly sha256: string;
            readonly md5: string;
            readonly subdir: string;
            readonly size: number;
            readonly license: string | null;
            readonly depends: readonly string[];
            readonly constrains: readonly string[];
            readonly summary: string | null;
            readonly manager: string;
        };
        readonly Build: {
            readonly id: number;
            readonly environment_id: number;
            readonly specification: components["schemas"]["Specification"] | null;
            readonly packages: readonly components["schemas"]["Package"][] | null;
            /** @enum {string} */
            readonly status: "QUEUED" | "BUILDING" | "COMPLETED" | "FAILED" | "CANCELED";
            readonly status_info: string | null;
            /** @description Bytes of the environment on disk. */
            readonly size: number;
            /**
             * Format: naive-date-time
             * @description ISO 8601, UTC, without a zone.
             */
            readonly scheduled_on: string;
            /**
             * Format: naive-date-time
             * @description ISO 8601, UTC, without a zone.
             */
            readonly started_on: string | null;
            /**
             * Format: naive-date-time
             * @description ISO 8601, UTC, without a zone.
             */
            readonly ended_on: string | null;
            readonly build_artifacts: readonly components["schemas"]["BuildArtifact"][];
            readonly number: number;
            readonly build_key: string;
            /** @description Whether it is the build that the environment uses now. */
            readonly active: boolean;
            /** @description Whether its files were removed to save space; its lockfile brings them back. */
            readonly packed_away: boolean;
            /** @description Whether it is pinned, so that the retention settings do not pack it away. */
            readonly pinned: boolean;
            readonly kept_packages: components["schemas"]["Kept"];
            readonly platform: string | null;
            readonly package_count: number;
            /** @description Bytes of the environment on disk that no other build shares. */
            readonly own_size: number;
            /** @description How many warnings the build has; the answer about one build names them. */
            readonly warning_count: number;
            /** @description In the answer about one build, what people should know of it; it can be used all the same. */
            readonly warnings?: readonly components["schemas"]["BuildWarning"][];
            readonly trigger: string;
            /** @description In the answer about one build, the date (or moment) from which packages were left out, by a choice for this build. A rebuild keeps it; a new build of the same text has it where it is sent again. */
            readonly exclude_newer?: string | null;
            /** @description In the answer about one build, what its system was taken to have. */
            readonly virtual_packages?: readonly string[];
            /** @description In the answer about one build, whether each of its platforms had to be locked. */
            readonly all_platforms?: boolean;
            readonly created_by: string;
            readonly namespace?: string;
            readonly environment?: string;
            /** @description In the answer about one build, the platforms that it is locked for (null), or why it is not. */
            readonly locked_platforms?: {
                readonly [key: string]: string | null;
            };
        };
        readonly BuildWarning: {
            /** @description What found it, for example `collision` or `check`. */
            readonly kind: string;
            /** @description The package that it is about; empty where there is none. */
            readonly package: string;
            /** @description A path within the environment; empty where there is none. */
            readonly path: string;
            readonly message: string;
        };
        readonly Environment: {
            readonly id: number;
            readonly namespace: components["schemas"]["Namespace"] & {
                /** @description How many other namespaces have a role in it; those of the configuration are not counted. */
                readonly members: number;
            };
            readonly name: string;
            readonly current_build_id: number | null;
            readonly current_build: components["schemas"]["Build"] | null;
            readonly description: string;
            /** @description Whether a build has completed, so that the environment can be used. */
            readonly active: boolean;
            readonly newest_build_id: number | null;
            /** @enum {string|null} */
            readonly newest_build_status: "QUEUED" | "BUILDING" | "COMPLETED" | "FAILED" | "CANCELED" | null;
            /**
             * Format: naive-date-time
             * @description ISO 8601, UTC, without a zone.
             */
            readonly created_on: string;
            readonly created_by: string;
            readonly permissions: readonly string[];
            readonly kernels: readonly string[];
            /** @description Why it has no kernel; null where it has one, or where this was not looked up yet. */
            readonly kernel_note: string | null;
            /** @description Languages of the kernels. */
            readonly languages: readonly string[];
            /** @description Whether an environment of a store elsewhere is on the machine of this server, or how far it is; null where the store is the server's own, and without a build. */
            readonly presence: {
                /** @enum {string} */
                readonly state: "here" | "away" | "coming";
                /** @description Name of the step that runs; empty before the first. */
                readonly step: string;
                readonly done: number;
                /** @description 0 where it is not known. */
                readonly total: number;
                /** @description Why it could not be brought; empty otherwise. */
                readonly failure: string;
            } | null;
            /** @description The newest build, where it is not the current one. */
            readonly newest_build: components["schemas"]["Build"] | null;
            /** @description Where the active build is on the server, whichever it is; null where it has no files. */
            readonly path: string | null;
            /** @description Where packages were asked for, what of its build they mean. */
            readonly packages_found?: readonly {
                readonly name: string;
                readonly version: string;
            }[];
        };
        readonly Step: {
            readonly name: string;
            /** @enum {string} */
            readonly state: "running" | "done" | "failed";
            readonly attempt: number;
            readonly done: number;
            readonly total: number;
            readonly unit: string;
            readonly message: string;
            /**
             * Format: naive-date-time
             * @description ISO 8601, UTC, without a zone.
             */
            readonly started_on: string;
            readonly duration: number | null;
        };
        readonly Artifact: {
            readonly id: number;
            readonly type: string;
            readonly variant: string;
            /** @enum {string} */
            readonly state: "pending" | "building" | "ready" | "failed" | "dropped" | "absent";
            readonly size: number;
            readonly sha256: string | null;
            readonly duration: number | null;
            readonly reason: string;
            readonly file_name: string;
            readonly media_type: string;
            /** @description The tools that made it, each with its version. */
            readonly tools: {
                readonly [key: string]: string;
            };
            /** @description What people call this artifact. */
            readonly title: string;
            /**
             * @description From where the addresses in an artifact that lists packages can be reached; here is the machine of the store alone (file://), private a network of its own.
             * @enum {string}
             */
            readonly reach: "anywhere" | "private" | "here";
            /**
             * Format: naive-date-time
             * @description ISO 8601, UTC, without a zone.
             */
            readonly made_on: string | null;
            readonly url: string;
        };
        readonly PackageChange: {
            /** @enum {string} */
            readonly change: "added" | "removed" | "changed";
            readonly manager: string;
            readonly name: string;
            readonly from: string;
            readonly to: string;
        };
        readonly Token: {
            readonly id: number;
            /**
             * @description A token that a person made, or that of a link which shares an environment.
             * @enum {string}
             */
            readonly kind: "user" | "share";
            readonly name: string;
            readonly prefix: string;
            readonly username: string;
            readonly primary_namespace: string;
            readonly role_bindings: {
                readonly [key: string]: readonly ("viewer" | "developer" | "editor" | "admin")[];
            } | null;
            /**
             * Format: naive-date-time
             * @description ISO 8601, UTC, without a zone.
             */
            readonly created_on: string;
            /**
             * Format: date-time
             * @description ISO 8601 that ends in Z.
             */
            readonly expiration: string | null;
            /**
             * Format: naive-date-time
             * @description ISO 8601, UTC, without a zone.
             */
            readonly last_used_on: string | null;
        };
        /** @description What whoever has a share link is told. Of the active build; where there is none, its fields are null. */
        readonly SharedEnvironment: {
            readonly namespace: string;
            readonly name: string;
            readonly description: string;
            /** @description Who made the link. */
            readonly shared_by: string;
            /**
             * Format: date-time
             * @description When the link ends, ISO 8601 that ends in Z.
             */
            readonly expiration: string | null;
            readonly build_id: number | null;
            readonly build_number: number | null;
            /**
             * Format: naive-date-time
             * @description ISO 8601, UTC, without a zone.
             */
            readonly built_on: string | null;
            /** @description Those that are ready. */
            readonly artifacts: readonly components["schemas"]["Artifact"][];
            /** @description What `docker pull` is given, where the image is ready and Docker can reach this server. */
            readonly image: string | null;
            readonly bond: components["schemas"]["Bond"] | null;
        };
        readonly AuditEntry: {
            readonly id: number;
            /**
             * Format: naive-date-time
             * @description ISO 8601, UTC, without a zone.
             */
            readonly at: string;
            readonly who: string;
            readonly verb: string;
            readonly subject: string;
            readonly detail: Record<string, unknown>;
        };
        readonly Permissions: {
            readonly authenticated: boolean;
            readonly username: string | null;
            readonly primary_namespace: string;
            readonly entity_permissions: {
                readonly [key: string]: readonly string[];
            };
            readonly entity_roles: {
                readonly [key: string]: readonly string[];
            };
            /**
             * Format: date-time
             * @description ISO 8601 that ends in Z.
             */
            readonly expiration: string | null;
            /** @description How this store is worked with in a terminal of the server (program, --root, folder). */
            readonly command: readonly string[] | null;
        };
        readonly Channel: {
            readonly id: number;
            readonly name: string;
            readonly last_update: null;
        };
        /** @description Whether the files of a build's packages are kept in the store. */
        readonly Kept: {
            /** @enum {string} */
            readonly state: "no" | "keeping" | "kept" | "partly" | "failed";
            /** @description Bytes of the files. */
            readonly size: number;
            /** @description How many packages could not be had. */
            readonly missing: number;
        };
        /** @description A completed build of this store. */
        readonly FoundBuild: {
            readonly build_id: number;
            /** @description Number of the build within its environment. */
            readonly number: number;
            readonly namespace: string;
            readonly environment: string;
            readonly active: boolean;
            readonly packed_away: boolean;
            /** @description `sha256:` and the hash of the build record. */
            readonly record: string;
        };
        /** @description A package that has a module. */
        readonly ModuleProvider: {
            readonly package: string;
            /** @enum {unknown} */
            readonly manager: "conda" | "pip";
            /**
             * @description How that is known. `contents`, a package in this store contains it; `known`, from a list of names; `convention`, packages of R begin with `r-`.
             * @enum {unknown}
             */
            readonly source: "contents" | "known" | "convention";
            /** @description Environments that have it, as `namespace/name`; at most three. */
            readonly places: readonly string[];
        };
        /** @description A text with what a build was asked for, and what it cannot say. */
        readonly ScriptBlock: {
            /** @description The text, with the block. */
            readonly text: string;
            /** @description Bounds of Python's version; empty for any. */
            readonly python: string;
            /** @description Requirements (PEP 508). */
            readonly dependencies: readonly string[];
            /** @description What the block cannot say, each with the reason. */
            readonly left_out: readonly string[];
        };
        /** @description What can be done with a lock here. */
        readonly LockState: {
            /** @description Why it cannot be built here; empty where it can. */
            readonly refused: string;
            /** @description Whether it is not the lock of the notebook's build, so that another store may have that. */
            readonly damaged: boolean;
            /** @description Whether it is for the platform of this server. */
            readonly fits: boolean;
            readonly packages: number;
            /** @description Bytes that would be downloaded. */
            readonly size: number;
            /** @description Addresses that packages come from and that the settings of the store do not name. */
            readonly places: readonly string[];
            /** @description PyPI packages that are built from source again, so that their wheels differ. */
            readonly sources: readonly string[];
        };
        /** @description What stores elsewhere, which the account of this server is logged in to, say about the build of a notebook. */
        readonly Elsewhere: {
            /** @description The first that has it, the store where the notebook was written before the others; null where none has. */
            readonly found: {
                /** @description Address of that store; it ends with `/envstore`. */
                readonly store: string;
                readonly namespace: string;
                readonly environment: string;
                /** @description Number of the build within its environment there. */
                readonly number: number;
                readonly lock: components["schemas"]["LockState"];
            } | null;
            /** @description Stores that did not answer, or sent something else. */
            readonly failed: readonly {
                readonly store: string;
                readonly reason: string;
            }[];
        };
        /** @description What is known here of the environment of a notebook. */
        readonly BondState: {
            readonly bond: components["schemas"]["Bond"];
            /** @description The platform of this server. */
            readonly platform: string;
            /** @description Builds with the notebook's record, the one of the same name first. */
            readonly builds: readonly components["schemas"]["FoundBuild"][];
            /** @description The active build of the environment with the name in the notebook. */
            readonly named: components["schemas"]["FoundBuild"] | null;
            /** @description Whether the environment had the build, was deleted minutes ago, and can be brought back. */
            readonly deleted: boolean;
            /** @description What can be done with the lock in the notebook; null where it has none. */
            readonly lock: components["schemas"]["LockState"] | null;
            /** @description Where the environment would be made. */
            readonly namespace: string;
            readonly environment: string;
            /** @description What was asked for, as an `environment.yml`; empty where the notebook does not tell it. */
            readonly specification: string;
            /** @description An active build that was made from exactly what was asked for. */
            readonly asked: components["schemas"]["FoundBuild"] | null;
            /** @description Environments that satisfy most of what was asked for, the best first. */
            readonly fitting: readonly {
                readonly namespace: string;
                readonly name: string;
                /** @description The requests that its active build does not satisfy. */
                readonly unmet: readonly string[];
            }[];
        };
        /** @description The whole build record. */
        readonly EmbeddedLock: {
            /** @constant */
            readonly encoding: "xz+base64";
            /** @description Length of `data`. */
            readonly size: number;
            /** @description The canonical JSON of the record, compressed. */
            readonly data: string;
        };
        /** @description What a notebook remembers of its environment, as `metadata.envstore`. It has no path, user, password or variable. */
        readonly Bond: {
            /** @description Version of this form; 1. */
            readonly version: number;
            readonly namespace: string;
            readonly environment: string;
            /** @description Number of the build within its environment. */
            readonly build: number;
            /** @description `sha256:` and the hash of the build record. */
            readonly record: string;
            readonly channels: readonly string[];
            /** @description The conda packages that were asked for. */
            readonly packages: readonly string[];
            /** @description The PyPI packages that were asked for. */
            readonly pip: readonly string[];
            /** @description The platforms that the build is locked for. */
            readonly platforms: readonly string[];
            /** @description How many lines of channels, packages and pip are left out, because they are too many or mean something on this machine alone. */
            readonly left_out?: number;
            /** @description Public address of the store that has the build. */
            readonly store?: string;
            readonly lock?: components["schemas"]["EmbeddedLock"];
        };
        readonly KeptPackages: {
            /** @enum {string} */
            readonly state: "no" | "keeping" | "kept" | "partly" | "failed";
            /** @description Bytes of the files. */
            readonly size: number;
            /** @description How many packages could not be had. */
            readonly missing: number;
            /** @description How many files are kept. */
            readonly packages: number;
            /** @description Bytes of them that other builds keep too. */
            readonly shared: number;
            readonly missing_packages: readonly {
                readonly name: string;
                readonly manager: string;
                readonly filename: string;
                readonly reason: string;
            }[];
        };
        readonly PackageSource: {
            readonly name: string;
            readonly manager: string;
            readonly filename: string;
            /** @enum {string} */
            readonly place: "kept" | "cache" | "channel" | "unanswered" | "gone";
            /** @description More about it, where there is more to say. */
            readonly detail: string;
        };
        readonly Usage: {
            readonly [key: string]: {
                readonly num_environments: number;
                readonly num_builds: number;
                /** @description Bytes of prefixes, artifacts and kept packages. */
                readonly storage: number;
                /** @description Bytes of the files of packages that are kept, each once. */
                readonly kept_packages: number;
            };
        };
        readonly TextChange: {
            readonly what: string;
            readonly why: string;
            /** @description What keep takes so that this change is not made; empty where it must be. */
            readonly choice: string;
        };
        readonly Content: {
            readonly name: string;
            readonly version: string;
            readonly build: string;
            /** @enum {string} */
            readonly manager: "conda" | "pip";
            readonly channel: string;
            readonly size: number;
            readonly license: string | null;
            /** @description What the specification asks for; null for a package that only others need. */
            readonly requested: string | null;
            /** @description Names of the packages of the build that need it. */
            readonly needed_by: readonly string[];
        };
        /** @description What the file has to choose from, and what was taken of it; also where that cannot be taken. */
        readonly FileOffer: {
            readonly environments: readonly string[];
            readonly environment: string;
            readonly categories: readonly string[];
            readonly taken: readonly string[];
        };
        /** @description What a text says, what is wrong with it, and what was changed in it. */
        readonly CheckedSpecification: {
            readonly name: string | null;
            readonly description: string;
            readonly is_lockfile: boolean;
            readonly channels: readonly string[];
            readonly conda: readonly string[];
            readonly pip: readonly string[];
            readonly platforms: readonly string[];
            readonly text: string;
            readonly changes: readonly components["schemas"]["TextChange"][];
            /** @description How many packages a lockfile holds. */
            readonly packages: number | null;
            readonly offer: components["schemas"]["FileOffer"];
            /** @description Hash of what it would be built as, with the settings of its place; null where that is not possible. */
            readonly sha256: string | null;
            /** @description A date that the file wants for a build, which a specification does not hold. Packages uploaded later are left out. */
            readonly exclude_newer: string | null;
            /** @description A specification to begin with in place of a lockfile. */
            readonly starting_point: string | null;
            readonly notes: readonly string[];
            readonly refused: string | null;
            /** @description Channels that are refused, to those that are allowed. */
            readonly suggestions: {
                readonly [key: string]: readonly string[];
            };
            readonly faults: readonly components["schemas"]["Fault"][];
        };
        /** @description What a specification would install. */
        readonly SolvedSpecification: {
            /** @description The platform that it was solved for. */
            readonly platform: string;
            /** @description With last_index, when the indexes were read (UTC). */
            readonly index_from: string | null;
            readonly packages: readonly components["schemas"]["FoundPackage"][];
            readonly changes: readonly components["schemas"]["PackageChange"][] | null;
            /** @description Bytes that the server's cache does not hold. */
            readonly to_download: number;
            readonly notes: readonly string[];
            readonly seconds: number;
        };
        /** @description How far a build is. */
        readonly BuildProgress: {
            readonly id: number;
            readonly number: number;
            /** @enum {string} */
            readonly status: "QUEUED" | "BUILDING" | "COMPLETED" | "FAILED" | "CANCELED";
            readonly reason: string;
            readonly steps: readonly components["schemas"]["Step"][];
            /**
             * Format: naive-date-time
             * @description ISO 8601, UTC, without a zone.
             */
            readonly started_on: string | null;
            /**
             * Format: naive-date-time
             * @description ISO 8601, UTC, without a zone.
             */
            readonly ended_on: string | null;
            readonly duration: number | null;
            /** @description Whether work on it is queued or runs; for the build itself or for one of its artifacts. */
            readonly busy: boolean;
        };
    };
}
export interface requests {
    readonly "GET /": {
        readonly body: never;
        readonly data: {
            readonly version: string;
        };
    };
    readonly "GET /permission/": {
        readonly body: never;
        readonly data: components["schemas"]["Permissions"];
    };
    readonly "GET /roles/": {
        readonly body: never;
        readonly data: {
            readonly [key: string]: readonly string[];
        };
    };
    readonly "GET /usage/": {
        readonly body: never;
        readonly data: components["schemas"]["Usage"];
    };
    readonly "GET /token/": {
        readonly body: never;
        readonly data: readonly components["schemas"]["Token"][];
    };
    readonly "POST /token/": {
        readonly body: {
            readonly name?: string | null;
            readonly primary_namespace?: string | null;
            readonly expiration?: string | number | null;
            readonly exp?: string | number | null;
            readonly role_bindings?: {
                readonly [key: string]: readonly ("viewer" | "developer" | "editor" | "admin")[];
            } | null;
        };
        readonly data: components["schemas"]["Token"] & {
            readonly token: string;
        };
    };
    readonly "POST /token/kernel/": {
        readonly body: {
            /**
             * @description How long it holds, in hours.
             * @default 168
             */
            readonly hours?: number;
        };
        readonly data: {
            readonly token: string | null;
        };
    };
    readonly "DELETE /token/{token_id}/": {
        readonly body: never;
        readonly data: unknown;
    };
    readonly "GET /shared/": {
        readonly body: never;
        readonly data: components["schemas"]["SharedEnvironment"];
    };
    readonly "GET /space/": {
        readonly body: never;
        readonly data: components["schemas"]["Space"];
    };
    readonly "POST /space/": {
        readonly body: never;
        readonly data: components["schemas"]["Space"];
    };
    readonly "GET /audit/": {
        readonly body: never;
        readonly data: readonly components["schemas"]["AuditEntry"][];
    };
    readonly "GET /namespace/": {
        readonly body: never;
        readonly data: readonly components["schemas"]["NamespaceName"][];
    };
    readonly "GET /namespace/{namespace}/": {
        readonly body: never;
        readonly data: components["schemas"]["Namespace"];
    };
    readonly "PUT /namespace/{namespace}/": {
        readonly body: {
            readonly metadata?: Record<string, unknown> | null;
            readonly role_mappings?: {
                readonly [key: string]: readonly ("viewer" | "developer" | "editor" | "admin")[];
            } | null;
        };
        readonly data: unknown;
    };
    readonly "POST /namespace/{namespace}/": {
        readonly body: never;
        readonly data: unknown;
    };
    readonly "DELETE /namespace/{namespace}/": {
        readonly body: never;
        readonly data: unknown;
    };
    readonly "PUT /namespace/{namespace}/metadata": {
        readonly body: Record<string, unknown>;
        readonly data: unknown;
    };
    readonly "GET /namespace/{namespace}/roles": {
        readonly body: never;
        readonly data: readonly components["schemas"]["NamespaceRole"][];
    };
    readonly "DELETE /namespace/{namespace}/roles": {
        readonly body: never;
        readonly data: unknown;
    };
    readonly "GET /namespace/{namespace}/role": {
        readonly body: never;
        readonly data: components["schemas"]["NamespaceRole"] | readonly components["schemas"]["NamespaceRole"][];
    };
    readonly "PUT /namespace/{namespace}/role": {
        readonly body: {
            readonly other_namespace: string;
            /** @enum {string} */
            readonly role: "viewer" | "developer" | "editor" | "admin";
        };
        readonly data: unknown;
    };
    readonly "POST /namespace/{namespace}/role": {
        readonly body: {
            readonly other_namespace: string;
            /** @enum {string} */
            readonly role: "viewer" | "developer" | "editor" | "admin";
        };
        readonly data: unknown;
    };
    readonly "DELETE /namespace/{namespace}/role": {
        readonly body: {
            readonly other_namespace: string;
            readonly role?: string | null;
        };
        readonly data: unknown;
    };
    readonly "GET /environment/": {
        readonly body: never;
        readonly data: readonly components["schemas"]["Environment"][];
    };
    readonly "GET /environment/{namespace}/{name}/": {
        readonly body: never;
        readonly data: components["schemas"]["Environment"];
    };
    readonly "PUT /environment/{namespace}/{name}/": {
        readonly body: {
            readonly build_id?: number | null;
            readonly description?: string | null;
        };
        readonly data: unknown;
    };
    readonly "DELETE /environment/{namespace}/{name}/": {
        readonly body: never;
        readonly data: unknown;
    };
    readonly "GET /environment/{namespace}/{name}/share/": {
        readonly body: never;
        readonly data: readonly components["schemas"]["Token"][];
    };
    readonly "POST /environment/{namespace}/{name}/share/": {
        readonly body: {
            /** @default 7 */
            readonly days?: number | null;
            readonly expiration?: string | number | null;
        };
        readonly data: components["schemas"]["Token"] & {
            readonly token: string;
            /** @description The address of a page that shows the environment; the token stands behind `#`. */
            readonly link: string;
            /**
             * @description From where the link can be opened, by its host: anywhere, within one network, or on the server's machine alone. `public_url` in the configuration is the host.
             * @enum {string}
             */
            readonly reach: "anywhere" | "private" | "here";
        };
    };
    readonly "DELETE /environment/{namespace}/{name}/share/{token_id}/": {
        readonly body: never;
        readonly data: unknown;
    };
    readonly "POST /environment/{namespace}/{name}/bring/": {
        readonly body: never;
        readonly data: unknown;
    };
    readonly "POST /environment/{namespace}/{name}/record/": {
        readonly body: {
            /** @description What `GET /build/{build_id}/bond/` of the other store tells with `lock`. */
            readonly envstore: Record<string, unknown>;
            /** @description The day on which it was built there, such as 2026-01-31. */
            readonly built_on: string;
            /** @description Download nothing now (the default); the build is there at once, without files. */
            readonly later?: boolean;
            /** @description Make a build without files the active one. One that is built becomes active when it is ready. */
            readonly active?: boolean;
            /** @description The specification as it was typed there. */
            readonly specification?: string;
            /** @description Addresses that packages may come from although the settings of the store do not name them. */
            readonly accept?: readonly string[];
        };
        readonly data: {
            readonly build_id: number;
            readonly is_new: boolean;
        };
    };
    readonly "POST /environment/{namespace}/{name}/undelete/": {
        readonly body: never;
        readonly data: {
            /** @description How many builds it has. */
            readonly builds: number;
        };
    };
    readonly "POST /environment/{namespace}/{name}/clone/": {
        readonly body: {
            readonly name: string;
            readonly namespace?: string | null;
            readonly build_id?: number | null;
        };
        readonly data: {
            readonly build_id: number;
        };
    };
    readonly "GET /specification/": {
        readonly body: never;
        readonly data: unknown;
    };
    readonly "POST /specification/": {
        readonly body: {
            readonly specification: string;
            readonly namespace?: string | null;
            readonly is_lockfile?: boolean | null;
            /** @description The name, or NAMESPACE/NAME. */
            readonly environment_name?: string | null;
            readonly environment_description?: string | null;
            /** @description What the file was called; for its kind, where it is repaired. */
            readonly file_name?: string | null;
            /** @description Read a file of another tool, and repair it, as build --fix does. A choice below does so too. */
            readonly repair?: boolean | null;
            /** @description Changes that repair does not make. */
            readonly keep?: readonly ("defaults" | "builds" | "foreign" | "kernel" | "sources")[] | null;
            /** @description Which environment of a pixi.toml or pixi.lock, or project of a uv.lock, is taken; the default one otherwise. */
            readonly file_environment?: string | null;
            /** @description Categories of a lockfile, or groups and extras of a pyproject.toml, pylock.toml or uv.lock, that are taken. */
            readonly categories?: readonly string[] | null;
            /** @description Packages uploaded later are left out, as 2026-01-31 or a moment of ISO 8601; before the file's own. */
            readonly exclude_newer?: string | null;
            /** @description `__name=version` that the system is taken to have, such as `__cuda=12.4`. */
            readonly virtual_packages?: readonly string[] | null;
            /** @description Fail when one of the platforms cannot be locked, instead of leaving it out. */
            readonly all_platforms?: boolean | null;
            /** @description Refuse (409) where there is an environment of this name already. */
            readonly is_new?: boolean | null;
            /** @description For a specification from elsewhere. With a list, packages come from these addresses and those that the settings name, and others are refused with 409, code unknown_places. */
            readonly accept?: readonly string[] | null;
        };
        readonly data: {
            readonly build_id: number;
            readonly notes: readonly string[];
        };
    };
    readonly "POST /specification/check/": {
        readonly body: {
            readonly specification: string;
            readonly namespace?: string | null;
            readonly environment?: string | null;
            readonly file_name?: string | null;
            readonly repair?: boolean | null;
            /** @description Changes that repair does not make. */
            readonly keep?: readonly ("defaults" | "builds" | "foreign" | "kernel" | "sources")[] | null;
            /** @description Which environment of a pixi.toml or pixi.lock, or project of a uv.lock, is taken; the default one otherwise. */
            readonly file_environment?: string | null;
            /** @description Categories of a lockfile, or groups and extras of a pyproject.toml, pylock.toml or uv.lock, that are taken. */
            readonly categories?: readonly string[] | null;
        };
        readonly data: components["schemas"]["CheckedSpecification"];
    };
    readonly "POST /specification/edit/": {
        readonly body: {
            readonly specification: string;
            readonly add?: readonly string[] | null;
            readonly remove?: readonly string[] | null;
        };
        readonly data: {
            readonly specification: string;
        };
    };
    readonly "POST /solve/": {
        readonly body: {
            readonly specification: string;
            readonly namespace?: string | null;
            readonly environment?: string | null;
            readonly platform?: string | null;
            /** @description Take the channels' indexes as they were read last, and ask no channel. */
            readonly last_index?: boolean | null;
            /** @description Packages uploaded later are left out, as 2026-01-31 or a moment of ISO 8601. */
            readonly exclude_newer?: string | null;
        };
        readonly data: components["schemas"]["SolvedSpecification"];
    };
    readonly "GET /build/": {
        readonly body: never;
        readonly data: readonly components["schemas"]["Build"][];
    };
    readonly "GET /build/{build_id}/": {
        readonly body: never;
        readonly data: components["schemas"]["Build"];
    };
    readonly "PUT /build/{build_id}/": {
        readonly body: never;
        readonly data: {
            readonly build_id: number;
        };
    };
    readonly "DELETE /build/{build_id}/": {
        readonly body: never;
        readonly data: unknown;
    };
    readonly "PUT /build/{build_id}/cancel/": {
        readonly body: never;
        readonly data: {
            /** @description What was stopped; `build`, or types of artifacts. */
            readonly stopped: readonly string[];
        };
    };
    readonly "GET /build/{build_id}/restore/": {
        readonly body: never;
        readonly data: {
            /** @description Files that are to be had nowhere. */
            readonly missing: readonly string[];
            readonly packages: readonly components["schemas"]["PackageSource"][];
            /** @description Names of packages that installers bring beside it, which are never kept. */
            readonly not_looked_for: readonly string[];
        };
    };
    readonly "POST /build/{build_id}/restore/": {
        readonly body: never;
        readonly data: unknown;
    };
    readonly "PUT /build/{build_id}/pin/": {
        readonly body: {
            readonly pinned: boolean;
        };
        readonly data: unknown;
    };
    readonly "GET /build/{build_id}/bond/": {
        readonly body: never;
        readonly data: components["schemas"]["Bond"];
    };
    readonly "POST /build/{build_id}/script-block/": {
        readonly body: {
            /** @description A script, or the cell of a notebook. A block in it is replaced; its tables, as `[tool.uv]`, stay. */
            readonly text?: string | null;
        };
        readonly data: components["schemas"]["ScriptBlock"];
    };
    readonly "GET /module/{module}/": {
        readonly body: never;
        readonly data: readonly components["schemas"]["ModuleProvider"][];
    };
    readonly "POST /notebook/": {
        readonly body: {
            /** @description `metadata.envstore` of the notebook. */
            readonly envstore: Record<string, unknown>;
        };
        readonly data: components["schemas"]["BondState"];
    };
    readonly "POST /notebook/elsewhere/": {
        readonly body: {
            /** @description `metadata.envstore` of the notebook. */
            readonly envstore: Record<string, unknown>;
        };
        readonly data: components["schemas"]["Elsewhere"];
    };
    readonly "GET /record/{digest}/": {
        readonly body: never;
        readonly data: {
            readonly builds: readonly components["schemas"]["FoundBuild"][];
            readonly lock: components["schemas"]["EmbeddedLock"] | null;
        };
    };
    readonly "POST /notebook/build/": {
        readonly body: {
            /** @description `metadata.envstore` of the notebook, with its lock unless `store` has it. */
            readonly envstore: Record<string, unknown>;
            readonly name: string;
            readonly namespace?: string | null;
            /** @description Addresses that packages may come from although the settings of the store do not name them. */
            readonly accept?: readonly string[];
            /** @description Address of a store elsewhere that has the lock, as `POST /notebook/elsewhere/` names it. */
            readonly store?: string;
            /** @description Download nothing now; the build is there at once, and its kernel brings the files. */
            readonly later?: boolean;
        };
        readonly data: {
            readonly build_id: number;
        };
    };
    readonly "GET /build/{build_id}/keep/": {
        readonly body: never;
        readonly data: components["schemas"]["KeptPackages"];
    };
    readonly "PUT /build/{build_id}/keep/": {
        readonly body: {
            readonly packages: boolean;
        };
        readonly data: components["schemas"]["KeptPackages"];
    };
    readonly "POST /build/{build_id}/pack-away/": {
        readonly body: never;
        readonly data: unknown;
    };
    readonly "GET /build/{build_id}/about/{package}/": {
        readonly body: never;
        readonly data: components["schemas"]["About"];
    };
    readonly "POST /build/{build_id}/kernel/": {
        readonly body: never;
        readonly data: {
            readonly kernels: readonly string[];
        };
    };
    readonly "GET /build/{build_id}/packages/": {
        readonly body: never;
        readonly data: readonly components["schemas"]["Package"][];
    };
    readonly "GET /build/{build_id}/contents/": {
        readonly body: never;
        readonly data: readonly components["schemas"]["Content"][];
    };
    readonly "GET /build/{build_id}/progress/": {
        readonly body: never;
        readonly data: components["schemas"]["BuildProgress"];
    };
    readonly "GET /build/{build_id}/diff/{other_id}/": {
        readonly body: never;
        readonly data: readonly components["schemas"]["PackageChange"][];
    };
    readonly "GET /build/{build_id}/artifacts/": {
        readonly body: never;
        readonly data: readonly components["schemas"]["Artifact"][];
    };
    readonly "GET /build/{build_id}/artifacts/{kind}/": {
        readonly body: never;
        readonly data: components["schemas"]["Artifact"];
    };
    readonly "POST /build/{build_id}/artifacts/{kind}/": {
        readonly body: {
            readonly variant?: string | null;
        };
        readonly data: components["schemas"]["Artifact"];
    };
    readonly "GET /setting/": {
        readonly body: never;
        readonly data: Record<string, unknown>;
    };
    readonly "PUT /setting/": {
        readonly body: Record<string, unknown>;
        readonly data: unknown;
    };
    readonly "GET /setting/{namespace}/": {
        readonly body: never;
        readonly data: Record<string, unknown>;
    };
    readonly "PUT /setting/{namespace}/": {
        readonly body: Record<string, unknown>;
        readonly data: unknown;
    };
    readonly "GET /setting/{namespace}/{name}/": {
        readonly body: never;
        readonly data: Record<string, unknown>;
    };
    readonly "PUT /setting/{namespace}/{name}/": {
        readonly body: Record<string, unknown>;
        readonly data: unknown;
    };
    readonly "GET /search/{package}/": {
        readonly body: never;
        readonly data: readonly components["schemas"]["FoundPackage"][];
    };
    readonly "POST /package/kept/": {
        readonly body: {
            /** @description SHA-256 of each file, in hexadecimal digits. */
            readonly sha256: readonly string[];
        };
        readonly data: {
            /** @description Of those that were asked for, the ones that are kept. */
            readonly sha256: readonly string[];
        };
    };
    readonly "GET /newest/": {
        readonly body: never;
        readonly data: readonly components["schemas"]["FoundPackage"][];
    };
    readonly "GET /package/": {
        readonly body: never;
        readonly data: readonly components["schemas"]["FoundPackage"][];
    };
    readonly "GET /channel/": {
        readonly body: never;
        readonly data: readonly components["schemas"]["Channel"][];
    };
    readonly "GET /kernel/": {
        readonly body: never;
        readonly data: readonly components["schemas"]["KernelBuild"][];
    };
    readonly "GET /changes/": {
        readonly body: never;
        readonly data: {
            readonly revision: number;
            readonly reset: boolean;
            readonly environments: readonly {
                readonly id: number;
                readonly namespace: string;
                readonly name: string;
                readonly deleted: boolean;
            }[];
            readonly builds: readonly {
                readonly id: number;
                readonly environment_id: number;
                /** @enum {string} */
                readonly status: "QUEUED" | "BUILDING" | "COMPLETED" | "FAILED" | "CANCELED";
            }[];
        };
    };
    readonly "GET /openapi.json": {
        readonly body: never;
        readonly data: unknown;
    };
}
