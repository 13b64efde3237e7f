/** One buffer that is alive on the device. */
export interface MemoryEntry {
  readonly owner: string; // e.g. 'parameters', 'activations'
  readonly label: string;
  readonly bytes: number;
}

/** Which buffers are alive, for memory views and for messages when memory runs out. */
export class MemoryLedger {
  readonly #entries = new Map<GPUBuffer, MemoryEntry>();
  #totalBytes = 0;
  #createdCount = 0;

  get totalBytes(): number {
    return this.#totalBytes;
  }

  /** Buffers created since the device was opened, those that are gone included. */
  get createdCount(): number {
    return this.#createdCount;
  }

  add(buffer: GPUBuffer, entry: MemoryEntry): void {
    this.#entries.set(buffer, entry);
    this.#totalBytes += entry.bytes;
    this.#createdCount += 1;
  }

  remove(buffer: GPUBuffer): void {
    this.#totalBytes -= this.#entries.get(buffer)?.bytes ?? 0;
    this.#entries.delete(buffer);
  }

  /** Every living buffer, in order of creation. */
  entries(): readonly MemoryEntry[] {
    return [...this.#entries.values()];
  }

  /** Bytes by owner. */
  byOwner(): Readonly<Record<string, number>> {
    const totals: Record<string, number> = {};
    for (const { owner, bytes } of this.#entries.values()) totals[owner] = (totals[owner] ?? 0) + bytes;
    return totals;
  }
}
