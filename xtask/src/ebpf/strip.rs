//! Leaves of an object what the loader needs: code, maps, globals, symbols and BTF, not the 90 % that are DWARF.

use anyhow::Context;
use object::build::elf::{Builder, SectionData};
use object::elf;

/// The object without its `.debug_*` sections, and without the relocations of BTF, which loaders take as it stands.
pub(super) fn strip(object: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut builder = Builder::read(object).context("the linker's output is no ELF object")?;
    for section in &mut builder.sections {
        let name = section.name.as_slice();
        section.delete |=
            [&b".debug"[..], b".rel.debug", b".rel.BTF", b".llvm_addrsig"].iter().any(|p| name.starts_with(p));
    }
    builder.delete_orphans();
    // LLVM keeps all names in one table; the writer wants those of sections in a table of their own.
    let names = builder.sections.add();
    names.name = ".shstrtab".into();
    names.sh_type = elf::SHT_STRTAB;
    names.data = SectionData::SectionString;
    let mut out = Vec::new();
    builder.write(&mut out).context("the stripped object cannot be written")?;
    Ok(out)
}
