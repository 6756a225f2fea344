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
  export const openBuild = 'envstore:open-build';
  export const openConsole = 'envstore:open-console';
  export const openTerminal = 'envstore:open-terminal';
  export const useInCurrent = 'envstore:use-in-current';
  export const addPackage = 'envstore:add-package';
  export const addKernel = 'envstore:add-kernel';
  export const edit = 'envstore:edit';
  export const rebuild = 'envstore:rebuild';
  export const makeActive = 'envstore:make-active';
  export const compare = 'envstore:compare';
  export const clone = 'envstore:clone';
  export const restore = 'envstore:restore';
  export const pin = 'envstore:pin';
  export const keepPackages = 'envstore:keep-packages';
  export const packAway = 'envstore:pack-away';
  export const freeSpace = 'envstore:free-space';
  export const setChannel = 'envstore:set-channel';
  export const cancel = 'envstore:cancel';
  export const showLog = 'envstore:show-log';
  export const showArtifact = 'envstore:show-artifact';
  export const openArtifact = 'envstore:open-artifact';
  export const copyArtifact = 'envstore:copy-artifact';
  export const download = 'envstore:download';
  export const makeArtifact = 'envstore:make-artifact';
  export const copyCode = 'envstore:copy-code';
  export const copyName = 'envstore:copy-name';
  export const copyPath = 'envstore:copy-path';
  export const copyImageAddress = 'envstore:copy-image-address';
  export const deleteBuild = 'envstore:delete-build';
  export const remove = 'envstore:delete';
  export const undelete = 'envstore:undelete';
  export const describe = 'envstore:describe';
  /** Write what the environment of the notebook in front was asked for into it, for uv and juv. */
  export const writeScriptBlock = 'envstore:write-script-block';
  export const embedLock = 'envstore:embed-lock';
  export const removeLock = 'envstore:remove-lock';
  export const openTokens = 'envstore:open-tokens';
}
