//! Looks up the kernel's fields that the programs read: the other end of `lanner_collector_abi::kernel_fields!`.

use std::collections::BTreeSet;

use lanner_collector_abi::{FIELDS, Field, FieldSize, MISSING, OFFSET_WORDS};

use super::btf::Types;

/// What the running kernel has.
#[derive(Debug)]
pub(super) struct Resolved {
    /// The words of `lanner_collector_abi::Offsets`.
    pub(super) words: [u32; OFFSET_WORDS],
    /// Fields that it lacks and the sensor can do without.
    pub(super) missing: Vec<&'static Field>,
}

impl Resolved {
    /// Looks up every field. The error names those that are needed and not there.
    pub(super) fn of(types: &Types<'_>) -> Result<Self, String> {
        let mut resolved = Resolved { words: [MISSING; OFFSET_WORDS], missing: Vec::new() };
        let mut needed = Vec::new();
        for (word, field) in resolved.words.iter_mut().zip(FIELDS) {
            match lookup(types, field) {
                Some(offset) => *word = offset,
                None if field.without.is_empty() => needed.push(format!("{}.{}", field.of, field.paths[0])),
                None => resolved.missing.push(field),
            }
        }
        if needed.is_empty() { Ok(resolved) } else { Err(needed.join(", ")) }
    }

    /// What cannot be told for lack of fields, in words, each thing once.
    pub(super) fn without(&self) -> BTreeSet<&'static str> {
        self.missing.iter().map(|field| field.without).collect()
    }
}

fn lookup(types: &Types<'_>, field: &Field) -> Option<u32> {
    field.paths.iter().find_map(|path| {
        if field.size == <lanner_collector_abi::Const as FieldSize>::SIZE {
            return types.enumerator(field.of, path);
        }
        let place = types.field(field.of, path)?;
        // A field of another size is another field: reading it would give nonsense.
        (field.size == 0 || field.size == place.size).then_some(place.offset)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_kernel_has_every_field_that_is_needed() {
        let Ok(file) = std::fs::read("/sys/kernel/btf/vmlinux") else {
            return lanner_tests::not_run("this kernel has no BTF");
        };
        let types = Types::parse(&file).expect("the kernel's BTF parses");
        let resolved = Resolved::of(&types).expect("all needed fields are found");
        assert!(resolved.words.iter().filter(|w| **w != MISSING).count() >= OFFSET_WORDS - resolved.missing.len());
    }
}
