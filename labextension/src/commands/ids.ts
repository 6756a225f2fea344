/** Ids of all commands: also the `data-testid` of the buttons that run them. */
export namespace CommandIDs {
  export const openPanel = 'envstore:open-panel';
  export const create = 'envstore:new';
  export const createExample = 'envstore:create-example';
  export const importFile = 'envstore:import';
  export const fromKernel = 'envstore:from-kernel';
  export const refresh = 'envstore:refresh';
  export const open = 'envstore:open';
  export const openNotebook = 'envstore:open-notebook';
  export const openConsole = 'envstore:open-console';
  export const openTerminal = 'envstore:open-terminal';
  export const useInCurrent = 'envstore:use-in-current';
  export const addPackage = 'envstore:add-package';
  export const edit = 'envstore:edit';
  export const rebuild = 'envstore:rebuild';
  export const makeActive = 'envstore:make-active';
  export const compare = 'envstore:compare';
  export const clone = 'envstore:clone';
  export const restore = 'envstore:restore';
  export const cancel = 'envstore:cancel';
  export const showLog = 'envstore:show-log';
  export const showArtifact = 'envstore:show-artifact';
  export const openArtifact = 'envstore:open-artifact';
  export const copyArtifact = 'envstore:copy-artifact';
  export const download = 'envstore:download';
  export const makeArtifact = 'envstore:make-artifact';
  export const copyCode = 'envstore:copy-code';
  export const copyName = 'envstore:copy-name';
  export const copyImageAddress = 'envstore:copy-image-address';
  export const deleteBuild = 'envstore:delete-build';
  export const remove = 'envstore:delete';
  export const describe = 'envstore:describe';
  export const openTokens = 'envstore:open-tokens';
}
