import { readFile, readlink } from 'node:fs/promises'

/** The namespace of process numbers, and which start of the machine it belongs to; elsewhere than on Linux one for all. */
export async function placeOfProcess(): Promise<string> {
  try {
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8')
    return `${boot.trim()} ${await readlink('/proc/self/ns/pid')}`
  } catch {
    return ''
  }
}
