//! The smallest programs: they end at once, with status 0.

/// Where the program lies in memory, and the length of its headers.
const BASE: u64 = 0x40_0000;
const HEADERS: u64 = 64 + 56;

/// An ELF file for this processor, in one segment.
pub(crate) fn nothing() -> Vec<u8> {
    #[cfg(target_arch = "x86_64")]
    const MACHINE: u16 = 62;
    #[cfg(target_arch = "aarch64")]
    const MACHINE: u16 = 183;
    // mov $60, %eax; xor %edi, %edi; syscall
    #[cfg(target_arch = "x86_64")]
    const CODE: &[u8] = &[0xb8, 60, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05];
    // mov x8, #93; mov x0, #0; svc #0
    #[cfg(target_arch = "aarch64")]
    const CODE: &[u8] = &[0xa8, 0x0b, 0x80, 0xd2, 0x00, 0x00, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4];

    let mut elf = Vec::new();
    elf.extend([0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let half = |elf: &mut Vec<u8>, values: &[u16]| values.iter().for_each(|v| elf.extend(v.to_le_bytes()));
    let word = |elf: &mut Vec<u8>, values: &[u32]| values.iter().for_each(|v| elf.extend(v.to_le_bytes()));
    let long = |elf: &mut Vec<u8>, values: &[u64]| values.iter().for_each(|v| elf.extend(v.to_le_bytes()));
    half(&mut elf, &[2, MACHINE]);
    word(&mut elf, &[1]);
    // Entry, program headers, section headers.
    long(&mut elf, &[BASE + HEADERS, 64, 0]);
    word(&mut elf, &[0]);
    half(&mut elf, &[64, 56, 1, 64, 0, 0]);
    // PT_LOAD, readable and executable: offset, addresses, sizes, alignment.
    word(&mut elf, &[1, 5]);
    let size = HEADERS + CODE.len() as u64;
    long(&mut elf, &[0, BASE, BASE, size, size, 0x1000]);
    elf.extend(CODE);
    elf
}

/// A 32-bit ELF file for x86: its headers, then `mov $1, %eax; xor %ebx, %ebx; int $0x80`.
pub(crate) const NOTHING_32: &[u8] = &[
    0x7f, 0x45, 0x4c, 0x46, 0x01, 0x01, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x03,
    0x00, 0x01, 0x00, 0x00, 0x00, 0x54, 0x80, 0x04, 0x08, 0x34, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x34, 0x00, 0x20, 0x00, 0x01, 0x00, 0x28, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x80, 0x04, 0x08, 0x00, 0x80, 0x04, 0x08, 0x5d, 0x00, 0x00, 0x00, 0x5d, 0x00, 0x00, 0x00,
    0x05, 0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x00, 0xb8, 0x01, 0x00, 0x00, 0x00, 0x31, 0xdb, 0xcd, 0x80,
];
