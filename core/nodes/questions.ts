// What the nodes' daemons ask each other about themselves.
import * as v from 'valibot';
import { question } from '../capabilities/cluster.ts';

/** Answered once no command runs there that writes to storage. */
export const NodeQuiet = question('node.quiet', v.object({}), v.object({}));
