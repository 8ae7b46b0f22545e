// Sizes as policies give them.
import { larger, parseSize, smaller } from 'sltv';

/** A size word (`'10G'`) or bytes. */
export type SizeWord = string | bigint;

/** Bytes. Errors: `core/bad-size`. */
export const bytesOf = (size: SizeWord): bigint => (typeof size === 'bigint' ? size : parseSize(size));

export const within = (size: bigint, least: bigint, most: bigint): bigint => smaller(larger(size, least), most);
