/** Encryption at rest under the master key: AES-256-GCM, a fresh nonce a message, layout version(1) | nonce(12) | ciphertext | tag(16). */
export interface Sealer {
  seal(plain: string): Buffer
  /** @throws Error where the bytes were not sealed under this master key */
  open(sealed: Buffer): string
}
