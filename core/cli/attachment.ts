// sltv attachment …
import { verb } from '../kernel/verb.ts';
import { attachmentFacts, attachmentFactsOf } from './attachment-facts.ts';
import { type Commands, command } from './command.ts';

const list = command(
  verb({
    about: 'list which disks are in which VMs',
    example: 'sltv attachment list --vm web',
    role: 'viewer',
    args: {},
    options: {
      disk: { type: 'text', about: 'only of this disk', optional: true },
      vm: { type: 'text', about: 'only in this VM', optional: true },
    },
    gives: 'list',
    result: attachmentFacts,
  }),
  async (input, at) => {
    const request = { diskName: input.disk ?? '', vmName: input.vm ?? '' };
    const message = await (await at.client()).sltv.listAttachments(request, at);
    return { message, rows: message.attachments.map(attachmentFactsOf) };
  },
);

export const attachment: Commands = { 'attachment list': list };
