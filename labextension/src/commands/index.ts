export { CommandIDs } from './ids';
export { Context } from './context';
export { addChangingCommands } from './change';
export { addDeletingCommands } from './delete';
export { addKeepingCommands } from './keep';
export { addShowingCommands } from './show';
export { addUsingCommands } from './use';
export { fillRollBackMenu } from './rollback';
