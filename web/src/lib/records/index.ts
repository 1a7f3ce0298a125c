export { ask, askNote } from './confirm.svelte';
export { OneTime } from './onetime.svelte';
export { default as RecordList } from './RecordList.svelte';
export { default as RecordPage } from './RecordPage.svelte';
export { default as SecretDialog } from './SecretDialog.svelte';
export { searchDomain } from './state';
export * from './text';
export type * from './types';
