import { crc32c } from '@node-rs/crc32';

const lengthBytes = 8;
const crcBytes = 4;
const headBytes = lengthBytes + crcBytes;

/** A TFRecord: length, its checksum, the data, its checksum. */
export function frame(data: Uint8Array): Uint8Array {
  const record = new Uint8Array(headBytes + data.length + crcBytes);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(lengthBytes, maskedCrc(record.subarray(0, lengthBytes)), true);
  record.set(data, headBytes);
  view.setUint32(headBytes + data.length, maskedCrc(data), true);
  return record;
}

/** The records up to the end, or up to the first that is cut off or damaged. */
export function* readRecords(file: Uint8Array): Generator<{ data: Uint8Array; record: Uint8Array }> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  let start = 0;
  while (start + headBytes <= file.length) {
    const length = view.getBigUint64(start, true);
    if (view.getUint32(start + lengthBytes, true) !== maskedCrc(file.subarray(start, start + lengthBytes))) {
      return;
    }
    const dataStart = start + headBytes;
    if (length > BigInt(file.length - dataStart - crcBytes)) return;
    const dataEnd = dataStart + Number(length);
    const data = file.subarray(dataStart, dataEnd);
    if (view.getUint32(dataEnd, true) !== maskedCrc(data)) return;
    const end = dataEnd + crcBytes;
    yield { data, record: file.subarray(start, end) };
    start = end;
  }
}

/** TensorFlow's masked CRC-32C: rotated and moved, so that the checksum of data that holds checksums is sound. */
export function maskedCrc(data: Uint8Array): number {
  const crc = crc32c(data);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
