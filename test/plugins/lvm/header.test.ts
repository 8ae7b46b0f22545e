import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseHeader, parseLabel, parseSequence } from '../../../plugins/lvm/header.ts';

// As lvm2 2.03.16 wrote them: the second sector of a PV, and the header of its metadata area 4 KiB into it.
const LABEL =
  'TEFCRUxPTkUBAAAAAAAAALpItx8gAAAATFZNMiAwMDFxdEw5UVZwWklkeE1Tb1VtWFdvV21yNzVUckNsVWE1agAAAEAAAAAAAABQAAAAAAAAAAAA' +
  'AAAAAAAAAAAAAAAAAAAAAAAAAAAAEAAAAAAAAADwTwAAAAAAAAAAAAAAAAAAAAAAAAAAAAIAAAAB';
const HEADER = 'Js6lgiBMVk0yIHhbNUElcjBOKj4BAAAAABAAAAAAAAAA8E8AAAAAAACwAAAAAAAAbw4AAAAAAAB+D8bD';
const TEXT = `vgS {\nid = "3td6YW-Yu1c-jdbF-2oqP-fUvz-cFWG-zXNAca"\nseqno = 15\nformat = "lvm2"\nstatus = ["RESIZEABLE"]\n`;

const area = { pv: 'qtL9QVpZIdxMSoUmXWoWmr75TrClUa5j', start: 4096 };

/** A block of 4 KiB that has these recorded bytes at an offset, and zeroes elsewhere. */
function block(recorded: string, at = 0): Buffer {
  const bytes = Buffer.alloc(8192);
  Buffer.from(recorded, 'base64').copy(bytes, at);
  return bytes;
}

test('a PV’s label says whose metadata area begins where', () => {
  assert.equal(parseLabel(block(LABEL, 512)), area);
});

test('the label is found in any of the first four sectors, and nowhere else', () => {
  for (const sector of [0, 1, 2, 3]) assert.equal(parseLabel(block(LABEL, sector * 512)), area);
  assert.is(parseLabel(block(LABEL, 4 * 512)), undefined);
  assert.is(parseLabel(Buffer.alloc(8192)), undefined);
});

test('the header says where the committed text stands', () => {
  assert.equal(parseHeader(block(HEADER), area)?.text, {
    start: 4096 + 45056,
    length: 3695,
    checksum: 3284537214,
    ring: { start: 4096 + 512, end: 4096 + 5238784 },
  });
});

test('the header is 512 bytes, whatever lies behind it', () => {
  const behind = block(HEADER);
  behind.write('other', 512);
  assert.equal(parseHeader(behind, area)?.bytes, parseHeader(block(HEADER), area)?.bytes);
  behind.write('other', 500);
  assert.not.equal(parseHeader(behind, area)?.bytes, parseHeader(block(HEADER), area)?.bytes);
});

test('an area that holds no VG has no text, and other bytes are no header', () => {
  const empty = block(HEADER);
  empty.fill(0, 40);
  assert.is(parseHeader(empty, area)?.text, undefined);
  assert.is(parseHeader(Buffer.alloc(8192), area), undefined);
});

test('the text begins with the sequence number', () => {
  assert.is(parseSequence(Buffer.from(TEXT)), 15);
  assert.is(parseSequence(Buffer.alloc(8192)), undefined);
});

test.run();
