/** Short names for the objects of the REST API, and the few that only the extension has. */
import type { components } from './openapi';

type Schemas = components['schemas'];

export type IBuild = Schemas['Build'];
export type BuildStatus = IBuild['status'];
export type IBuildWarning = Schemas['BuildWarning'];
export type IBond = Schemas['Bond'];
/** A cell with what a build was asked for, and what it cannot say. */
export type IScriptBlock = Schemas['ScriptBlock'];
export type IBondState = Schemas['BondState'];
/** What stores elsewhere say about the build of a notebook. */
export type IElsewhere = Schemas['Elsewhere'];
export type IModuleProvider = Schemas['ModuleProvider'];
export type IFoundBuild = Schemas['FoundBuild'];
export type IEnvironment = Schemas['Environment'];
export type IProgress = Schemas['BuildProgress'];
export type IStep = Schemas['Step'];
export type IArtifact = Schemas['Artifact'];
export type IContent = Schemas['Content'];
export type IAbout = Schemas['About'];
export type IPackageChange = Schemas['PackageChange'];
export type IFoundPackage = Schemas['FoundPackage'];
export type ISolved = Schemas['SolvedSpecification'];
export type IChecked = Schemas['CheckedSpecification'];
export type ITextChange = Schemas['TextChange'];
export type IOffer = Schemas['FileOffer'];
export type ISpace = Schemas['Space'];
export type IPermissions = Schemas['Permissions'];
export type IToken = Schemas['Token'];
/** A link that shares an environment: with its token, which is shown only once. */
export type IShareLink = IToken & { token: string; link: string; reach: 'anywhere' | 'private' | 'here' };
export type INamespaceRole = Schemas['NamespaceRole'];
export type Role = INamespaceRole['role'];
export type IUsage = Schemas['Usage'][string];

/** A fault of a specification. The panel adds how it can be put right. */
export type IFault = Schemas['Fault'] & {
  /** A word of the line that is written wrongly, and what may have been meant. */
  readonly fix?: { readonly word: string; readonly meant: readonly string[] };
};

/** What the user chooses from a file; by default what the file's own tool would use. */
export interface IPick {
  environment?: string;
  categories?: readonly string[];
}

/** What holds for a specification that nobody here has written. */
export interface IForeign {
  /** Whether an environment of the name that is there is refused. */
  isNew?: boolean;
  /** Addresses that packages may come from although the settings do not name them. */
  accept?: readonly string[];
}

/** Names of an environment. */
export type IPlace = {
  namespace: string;
  name: string;
};
