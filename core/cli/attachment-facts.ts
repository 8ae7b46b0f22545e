// An attachment as people read it.
import type { Attachment } from '../client/index.ts';
import type { Values } from '../kernel/verb.ts';
import { timeFrom } from './values.ts';

/** All that is known of a disk in a VM. */
export const attachmentFacts = {
  disk: { type: 'text', about: 'the disk, as POOL/NAME' },
  vm: { type: 'text', about: 'the VM that has it' },
  target: { type: 'text', about: 'where in the VM' },
  readOnly: { type: 'flag', about: 'whether the guest may only read' },
  node: { type: 'text', about: 'the host that it is attached on' },
  attached: { type: 'time', about: 'since when', optional: true },
} as const;

/** The facts that a message holds. */
export const attachmentFactsOf = (attachment: Attachment): Values<typeof attachmentFacts> => ({
  disk: attachment.vg === '' ? attachment.diskName : `${attachment.vg}/${attachment.diskName}`,
  vm: attachment.vmName || attachment.vmUuid,
  target: attachment.targetDev,
  readOnly: attachment.readOnly,
  node: attachment.host,
  attached: timeFrom(attachment.attachedAt),
});
