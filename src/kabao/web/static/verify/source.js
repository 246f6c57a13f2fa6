/* Reads a file in pieces, so that memory stays flat whatever its size. */

const WINDOW = 1 << 18, PIECE = 1 << 21;

export class Source {
  /** Over a Blob or File. */
  constructor(blob) {
    this.blob = blob;
    this.size = blob.size;
    this.start = 0;
    this.held = new Uint8Array();
  }

  async load(from, to) {
    return new Uint8Array(await this.blob.slice(from, to).arrayBuffer());
  }

  /** The bytes there, fewer where the file ends; the caller keeps lengths small. */
  async read(at, length) {
    const end = Math.min(at + length, this.size);
    if (at < this.start || end > this.start + this.held.length) {
      this.held = await this.load(at, Math.max(end, Math.min(at + WINDOW, this.size)));
      this.start = at;
    }
    return this.held.subarray(at - this.start, Math.max(end, at) - this.start);
  }

  /** Hand the bytes there piece by piece, each with the place where it ends, to `take`, which keeps none of them. */
  async pieces(at, length, take) {
    const end = Math.min(at + length, this.size);
    for (; at < end; at += PIECE) {
      const piece = await this.load(at, Math.min(at + PIECE, end));
      take(piece, at + piece.length);
    }
  }
}
